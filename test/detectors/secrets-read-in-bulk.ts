// Cases of secrets-read-in-bulk.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  awsService,
  iamUser,
  type RawRecord,
  refusal,
} from '../support/records.ts';

function read(number: number, by: RawRecord, hour = 10): RawRecord {
  return apiCall({
    source: 'secretsmanager',
    name: 'GetSecretValue',
    by,
    at: `2026-03-04T${hour}:${String(number).padStart(2, '0')}:00Z`,
    request: { secretId: `app/database-${number}` },
    with: { readOnly: true },
  });
}

function many(count: number, by: RawRecord, hour?: number): RawRecord[] {
  return Array.from({ length: count }, (_, at) => read(at, by, hour));
}

// Modelled on stratus-detonations-2024 a4663305-e887-42ac-94e6-d04685e59899
function parameters(from: number, by: RawRecord, withDecryption = true): RawRecord {
  const names = Array.from({ length: 10 }, (_, at) => `/credentials/service-${from + at}`);
  const region = 'eu-central-1';
  return {
    ...apiCall({
      source: 'ssm',
      name: 'GetParameters',
      by,
      request: { names, withDecryption },
      with: {
        resources: names.map((name) => ({
          ARN: `arn:aws:ssm:${region}:${account}:parameter${name}`,
          accountId: account,
        })),
      },
    }),
  };
}

const alice = iamUser('alice');
const operator = assumedRole('external-secrets', '1772600000000000000');
const instance = assumedRole('web', 'i-0123456789abcdef0');

export const cases: DetectorCases = {
  detector: 'secrets-read-in-bulk',
  cases: [
    {
      name: 'fires when a user reads twenty different secrets in an hour',
      given: many(20, alice),
      expect: [{ severity: 'medium', title: /^IAM user alice read 20 different secrets/ }],
    },
    {
      name: 'fires when credentials of an instance do so',
      given: many(24, instance),
      expect: [{ severity: 'medium', reason: /instance i-0123456789abcdef0/ }],
    },
    {
      name: 'is low for a role, which may be a tool',
      given: many(30, operator),
      expect: [{ severity: 'low', title: /^Role external-secrets read 30/ }],
    },
    {
      name: 'stays quiet when the next hour brings the same secrets again',
      given: [...many(30, operator, 10), ...many(30, operator, 11), ...many(30, operator, 12)],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'stays quiet when an application reads its few secrets again and again',
      given: Array.from({ length: 55 }, (_, at) => ({
        ...read(at, alice),
        requestParameters: { secretId: `app/key-${at % 3}` },
      })),
      expect: [],
    },
    {
      name: 'takes the name and the ARN of a secret for one',
      given: many(19, alice).flatMap((one, at) => [
        one,
        {
          ...read(at + 20, alice),
          requestParameters: {
            secretId: `arn:aws:secretsmanager:eu-central-1:${account}:secret:app/database-${at}-aB3dE6`,
          },
        },
      ]),
      expect: [],
    },
    {
      name: 'fires when a person decrypts many parameters',
      given: [0, 10, 20].map((from) => parameters(from, alice)),
      expect: [{ severity: 'medium', title: /decrypted 30 different parameters/ }],
    },
    {
      name: 'stays quiet when nothing was decrypted',
      given: [0, 10, 20].map((from) => parameters(from, alice, false)),
      expect: [],
    },
    {
      name: 'fires when one call asks for all secrets',
      given: [
        apiCall({
          source: 'secretsmanager',
          name: 'BatchGetSecretValue',
          by: alice,
          request: { filters: [{ key: 'tag-key', values: ['!no-such-tag'] }] },
        }),
      ],
      expect: [{ severity: 'medium', title: /asked for all secrets at once/ }],
    },
    {
      name: 'stays quiet when a batch names what it needs',
      given: [
        apiCall({
          source: 'secretsmanager',
          name: 'BatchGetSecretValue',
          by: alice,
          request: { secretIdList: ['a', 'b'] },
        }),
      ],
      expect: [],
    },
    {
      name: 'is low when a principal is refused many',
      given: many(9, instance).map((one) => ({
        ...one,
        errorCode: refusal('web', 'secretsmanager:GetSecretValue', '*')[0],
      })),
      expect: [{ severity: 'low', title: /was refused 9 different secrets/ }],
    },
    {
      name: 'stays quiet when a service reads, and when fields are missing',
      given: [
        ...many(30, awsService('secretsmanager')),
        apiCall({ source: 'secretsmanager', name: 'GetSecretValue', by: alice }),
        apiCall({ source: 'secretsmanager', name: 'BatchGetSecretValue', by: alice }),
        apiCall({
          source: 'ssm',
          name: 'GetParameters',
          by: alice,
          request: { names: 'odd', withDecryption: true },
        }),
      ],
      expect: [],
    },
  ],
};
