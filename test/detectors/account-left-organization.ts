// Cases of account-left-organization.
import type { DetectorCases } from '../support/cases.ts';
import {
  apiCall,
  assumedRole,
  awsService,
  type RawRecord,
  refusal,
  stranger,
} from '../support/records.ts';

const by = assumedRole('OrganizationAccountAccessRole', 'carol');

function call(name: string, request: unknown = null, response: unknown = null): RawRecord {
  return apiCall({ source: 'organizations', name, by, request, response });
}

export const cases: DetectorCases = {
  detector: 'account-left-organization',
  cases: [
    {
      name: 'fires high when an account leaves: the request names nothing',
      given: [call('LeaveOrganization')],
      expect: [
        {
          severity: 'high',
          title: /^Role OrganizationAccountAccessRole took account 111122223333 out of its/,
        },
      ],
    },
    {
      name: 'fires high when an account is removed',
      given: [call('RemoveAccountFromOrganization', { accountId: stranger })],
      expect: [{ severity: 'high', title: /removed account 444455556666 from the organisation$/ }],
    },
    {
      name: 'fires high when the organisation is deleted or GuardDuty loses its access',
      given: [
        call('DeleteOrganization'),
        call('DisableAWSServiceAccess', { servicePrincipal: 'guardduty.amazonaws.com' }),
      ],
      expect: [
        { severity: 'high', title: /deleted the organisation/ },
        { severity: 'high', title: /ended the trusted access of guardduty/ },
      ],
    },
    {
      name: 'is low when a service that guards nothing loses its access',
      given: [call('DisableAWSServiceAccess', { servicePrincipal: 'ram.amazonaws.com' })],
      expect: [{ severity: 'low', title: /ram\.amazonaws\.com/ }],
    },
    {
      name: 'fires medium when an account is closed',
      given: [call('CloseAccount', { accountId: stranger })],
      expect: [{ severity: 'medium', title: /closed account 444455556666$/ }],
    },
    {
      name: 'tells an invitation as low and joining as medium',
      given: [
        call('InviteAccountToOrganization', { target: { id: stranger, type: 'ACCOUNT' } }),
        call('AcceptHandshake', { handshakeId: 'h-1' }, { handshake: { action: 'INVITE' } }),
      ],
      expect: [
        { severity: 'low', title: /invited account 444455556666/ },
        { severity: 'medium', title: /let account 111122223333 join/ },
      ],
    },
    {
      name: 'stays quiet on a handshake that is not an invitation',
      given: [
        call('AcceptHandshake', { handshakeId: 'h-1' }, { handshake: { action: 'ENABLE_ALL' } }),
      ],
      expect: [],
    },
    {
      // Modelled on stratus-detonations-2024 16903cbd-fdff-4818-82f2-d66ad09aaf57.
      name: 'is low when leaving is refused',
      given: [
        apiCall({
          source: 'organizations',
          name: 'LeaveOrganization',
          by: assumedRole('leave-org-role', 'aws-go-sdk-1722587398902687000'),
          at: '2024-08-02T08:30:00Z',
          error: refusal(
            'arn:aws:sts::111122223333:assumed-role/leave-org-role/aws-go-sdk-1722587398902687000',
            'organizations:LeaveOrganization',
            '*',
          ),
        }),
      ],
      expect: [{ severity: 'low', title: /^Role leave-org-role tried to take account .* failed$/ }],
    },
    {
      name: 'stays quiet when AWS itself acts',
      given: [
        apiCall({
          source: 'organizations',
          name: 'CloseAccount',
          by: awsService('organizations'),
          with: { eventType: 'AwsServiceEvent' },
        }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'organizations.amazonaws.com',
          eventName: 'DisableAWSServiceAccess',
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: { servicePrincipal: 5 },
        },
      ],
      expect: [{ severity: 'low', title: /^Somebody ended the trusted access of a service/ }],
    },
  ],
};
