// Cases of session-used-from-several-networks.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

const dev = assumedRole('Developer');

function call(
  name: string,
  from: string,
  minute: number,
  by = dev,
  more: RawRecord = {},
): RawRecord {
  const at = `2026-03-04T10:${String(minute).padStart(2, '0')}:00Z`;
  const source = name === 'GetCallerIdentity' ? 'sts' : 'iam';
  return apiCall({ source, name, by, at, with: { sourceIPAddress: from, ...more } });
}

export const cases: DetectorCases = {
  detector: 'session-used-from-several-networks',
  cases: [
    {
      name: 'fires medium when the later network changes something',
      given: [
        call('ListUsers', '203.0.113.10', 1),
        call('CreateUser', '198.51.100.7', 20),
        call('GetUser', '203.0.113.11', 30),
      ],
      expect: [
        {
          severity: 'medium',
          title: /^A session of Role Developer was used from 2 networks within an hour$/,
          reason: /first from 203\.0\.0\.0\/16, then from 198\.51\.0\.0\/16.*iam:CreateUser/,
        },
      ],
    },
    {
      name: 'is low when a laptop joined a VPN and looked on',
      given: [call('ListUsers', '203.0.113.10', 1), call('ListRoles', '198.51.100.7', 2)],
      expect: [{ severity: 'low', reason: /nothing was changed/ }],
    },
    {
      name: 'fires medium on three networks, whatever they did',
      given: ['203.0.113.10', '198.51.100.7', '192.0.2.4'].map((from, at) =>
        call('GetCallerIdentity', from, at),
      ),
      expect: [{ severity: 'medium', title: /3 networks/ }],
    },
    {
      name: 'stays quiet on changes from the first network only within one, and on both families',
      given: [
        call('CreateUser', '203.0.113.10', 1),
        call('DeleteUser', '203.0.4.10', 2),
        call('GetUser', '2001:db8::7', 3),
      ],
      expect: [],
    },
    {
      // Modelled on coralogix-benign-2023: console calls, calls of services, long-term keys.
      name: 'stays quiet on console sessions, services, functions and long-term keys',
      given: [
        call('CreateUser', '203.0.113.10', 1),
        call('CreateUser', '198.51.100.7', 2, dev, { sessionCredentialFromConsole: 'true' }),
        call('CreateUser', 'cloudformation.amazonaws.com', 3, {
          ...dev,
          invokedBy: 'cloudformation.amazonaws.com',
        }),
        call('CreateUser', '198.51.100.8', 4, {
          ...dev,
          inScopeOf: {
            issuerType: 'AWS::Lambda::Function',
            credentialsIssuedTo: `arn:aws:lambda:eu-central-1:${account}:function:x`,
          },
        }),
        call('ListUsers', '203.0.113.10', 5, iamUser('bob')),
        call('CreateUser', '198.51.100.7', 6, iamUser('bob')),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        call('ListUsers', '203.0.113.10', 1, { accessKeyId: 'ASIANAMELESSEXAMPLE1' }),
        { ...call('ListUsers', 'x', 2), sourceIPAddress: undefined },
        { ...call('ListUsers', 'x', 3), userIdentity: null },
      ].map((record) => JSON.parse(JSON.stringify(record)) as RawRecord),
      expect: [],
    },
  ],
};
