// Cases of identity-center-mfa-weakened.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type RawRecord } from '../support/records.ts';

const admin = assumedRole('AWSReservedSSO_Admin_0123456789abcdef', 'alice');

// No data set holds this event: modelled on the request that the console sends.
function change(ssoConfiguration: unknown, more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 'sso',
    name: 'UpdateSsoConfiguration',
    by: admin,
    request: {
      instanceArn: 'arn:aws:sso:::instance/ssoins-0123456789abcdef',
      configurationType: 'APP_AUTHENTICATION_CONFIGURATION',
      ssoConfiguration,
    },
    with: more,
  });
}
const on = {
  mfaMode: 'CONTEXT_AWARE',
  noMfaSignInBehavior: 'ALLOWED_WITH_ENROLLMENT',
  allowedMfaTypes: ['TOTP', 'WEBAUTHN'],
};

export const cases: DetectorCases = {
  detector: 'identity-center-mfa-weakened',
  cases: [
    {
      name: 'fires high when MFA is switched off',
      given: [change({ ...on, mfaMode: 'DISABLED' })],
      expect: [{ severity: 'high', title: /switched off MFA in Identity Center$/ }],
    },
    {
      name: 'fires medium when users without a device are let in',
      given: [change({ ...on, noMfaSignInBehavior: 'ALLOWED' })],
      expect: [{ severity: 'medium', title: /lets users without an MFA device sign in/ }],
    },
    {
      name: 'fires medium when the record does not show the settings',
      given: [change(undefined), change(null, { requestParameters: null, eventID: 'bare' })],
      expect: [{ severity: 'medium' }, { severity: 'medium' }],
    },
    {
      name: 'fires medium when it changes who may manage devices',
      given: [change(on, { eventName: 'PutMfaDeviceManagementForDirectory' })],
      expect: [{ severity: 'medium', title: /who may manage MFA devices/ }],
    },
    {
      name: 'gives low to a refused attempt',
      given: [change(on, { errorCode: 'AccessDenied', errorMessage: 'x' })],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'stays quiet while MFA stays on, on other settings, and on failures',
      given: [
        change(on),
        change({ ...on, mfaMode: 'ALWAYS_ON', noMfaSignInBehavior: 'BLOCKED' }),
        change(on, { requestParameters: { configurationType: 'ACCESS_CONTROL' }, eventID: 'abac' }),
        change({ mfaMode: 'DISABLED' }, { errorCode: 'ValidationException' }),
      ],
      expect: [],
    },
  ],
};
