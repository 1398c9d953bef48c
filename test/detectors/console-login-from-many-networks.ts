// Cases of console-login-from-many-networks.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

const { accessKeyId: _key, ...bob } = iamUser('bob');

// Modelled on aws-docs-examples fed06f42-cb12-4764-8c69-121063dc79b9: a login with MFA.
function login(minute: number, sourceIPAddress: unknown, more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 'signin',
    name: 'ConsoleLogin',
    at: `2026-03-04T10:${String(minute).padStart(2, '0')}:00Z`,
    by: bob,
    response: { ConsoleLogin: 'Success' },
    with: {
      eventType: 'AwsConsoleSignIn',
      additionalEventData: { MFAUsed: 'Yes' },
      sourceIPAddress,
      ...more,
    },
  });
}

export const cases: DetectorCases = {
  detector: 'console-login-from-many-networks',
  cases: [
    {
      name: 'fires medium when one user signs in from three networks within minutes',
      given: [login(0, '203.0.113.10'), login(3, '198.51.100.7'), login(5, '2001:db8:1::5')],
      expect: [
        {
          severity: 'medium',
          title: /^IAM user bob signed in from 3 networks within 5 minutes$/,
          reason: /198\.51\.100\.7, 2001:db8:1::5, 203\.0\.113\.10/,
        },
      ],
    },
    {
      name: 'gives low to two networks: a VPN',
      given: [login(0, '203.0.113.10'), login(3, '198.51.100.7')],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'puts logins before and after the full hour together',
      given: [
        login(58, '203.0.113.10'),
        login(0, '198.51.100.7', { eventTime: '2026-03-04T11:01:00Z' }),
      ],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'stays quiet on one network, on logins far apart, on failures and on SSO',
      given: [
        login(0, '203.0.113.10'),
        login(2, '203.0.99.1'),
        login(40, '198.51.100.7'),
        login(41, '192.0.2.1', { responseElements: { ConsoleLogin: 'Failure' } }),
        login(42, '192.0.2.2', {
          userIdentity: assumedRole('AWSReservedSSO_Admin_0123456789abcdef'),
        }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet where the address or the result is missing',
      given: [
        login(0, '203.0.113.10'),
        login(1, null),
        login(2, 'AWS Internal'),
        login(3, '198.51.100.7', { responseElements: null }),
      ],
      expect: [],
    },
  ],
};
