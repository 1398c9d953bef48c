// Cases of identity-center-source-changed.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, awsService, type RawRecord } from '../support/records.ts';

function changed(name: string, more: RawRecord = {}, source = 'sso-directory'): RawRecord {
  const request = { directoryId: 'd-1234567890' };
  return apiCall({ source, name, by: assumedRole('PlatformAdmin'), request, with: more });
}

export const cases: DetectorCases = {
  detector: 'identity-center-source-changed',
  cases: [
    {
      name: 'fires high when an external identity provider is enabled',
      given: [changed('EnableExternalIdPConfigurationForDirectory')],
      expect: [
        {
          severity: 'high',
          title: /^Role PlatformAdmin enabled an external identity provider of Identity Center$/,
          reason: /vouches for every person.*203\.0\.113\.10/,
        },
      ],
    },
    {
      // Modelled on trailalerts-sigma-tests 2a9c402c-5df4-4e68-a21f-EXAMPLE: no request, readOnly true.
      name: 'fires high when a directory is connected, by either source',
      given: [
        changed('AssociateDirectory', {
          requestParameters: null,
          readOnly: true,
          eventVersion: '1.09',
        }),
        changed('DisassociateDirectory', {}, 'sso'),
      ],
      expect: [
        { severity: 'high', title: /connected a directory/ },
        { severity: 'high', title: /removed the directory/ },
      ],
    },
    {
      name: 'fires medium on a certificate and on a provisioning token',
      given: [changed('ImportExternalIdPCertificate'), changed('CreateBearerToken')],
      expect: [
        { severity: 'medium', reason: /sign in as anybody/ },
        { severity: 'medium', reason: /anybody into a group/ },
      ],
    },
    {
      name: 'is low when it was refused',
      given: [
        changed('AssociateDirectory', {
          errorCode: 'AccessDenied',
          errorMessage: 'not authorized',
          requestParameters: null,
        }),
      ],
      expect: [{ severity: 'low', title: /tried to connect a directory/ }],
    },
    {
      name: 'stays quiet on AWS itself, and on reading',
      given: [
        apiCall({ source: 'sso', name: 'AssociateDirectory', by: awsService('sso') }),
        changed('DescribeDirectory'),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'sso.amazonaws.com',
          eventName: 'AssociateDirectory',
          eventTime: '2026-03-04T10:00:00Z',
          userIdentity: {},
        },
      ],
      expect: [{ severity: 'high', title: /^Somebody connected/ }],
    },
  ],
};
