// Cases of session-outlived-its-key.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

const bob = iamUser('bob');
const key = String(bob['accessKeyId']);

function federated(at: string, by = bob): RawRecord {
  return apiCall({
    source: 'sts',
    name: 'GetFederationToken',
    at,
    by,
    request: { name: 'shell', durationSeconds: 129600 },
    response: { credentials: { accessKeyId: 'ASIAFEDERATEDEXAMPLE' } },
  });
}

function sessionToken(at: string): RawRecord {
  return apiCall({
    source: 'sts',
    name: 'GetSessionToken',
    at,
    by: bob,
    request: { durationSeconds: 43200 },
    response: { credentials: { accessKeyId: 'ASIASESSIONOFEXAMPLE' } },
  });
}

/** A call of the federated session; it may have become a console session with a key of its own. */
function asFederated(at: string, name = 'ListUsers'): RawRecord {
  return apiCall({
    source: 'iam',
    name,
    at,
    by: {
      type: 'FederatedUser',
      principalId: `${account}:shell`,
      arn: `arn:aws:sts::${account}:federated-user/shell`,
      accountId: account,
      accessKeyId: 'ASIACONSOLEOFEXAMPLE',
      sessionContext: {
        sessionIssuer: {
          type: 'IAMUser',
          principalId: bob['principalId'],
          arn: bob['arn'],
          accountId: account,
          userName: 'bob',
        },
        attributes: { creationDate: at, mfaAuthenticated: 'false' },
      },
    },
    with: { sourceIPAddress: '198.51.100.7' },
  });
}

function asSession(at: string, more: RawRecord = {}): RawRecord {
  const by = { ...bob, accessKeyId: 'ASIASESSIONOFEXAMPLE' };
  return apiCall({ source: 's3', name: 'ListBuckets', at, by, with: more });
}

const responder = assumedRole('IncidentResponse', 'carol');

function closed(at: string, by: RawRecord, status = 'Inactive'): RawRecord {
  const request = { userName: 'bob', accessKeyId: key, status };
  return apiCall({ source: 'iam', name: 'UpdateAccessKey', at, by, request });
}

function deleted(at: string, by: RawRecord): RawRecord {
  const request = { userName: 'bob', accessKeyId: key };
  return apiCall({ source: 'iam', name: 'DeleteAccessKey', at, by, request });
}

const made = (at: string) =>
  apiCall({
    source: 'iam',
    name: 'CreateAccessKey',
    at,
    by: responder,
    request: { userName: 'bob' },
  });

export const cases: DetectorCases = {
  detector: 'session-outlived-its-key',
  cases: [
    {
      name: 'fires high when a federated session goes on the day after its key was disabled',
      given: [
        federated('2026-03-04T10:00:00Z'),
        closed('2026-03-04T20:00:00Z', responder),
        asFederated('2026-03-05T01:00:00Z', 'CreateUser'),
      ],
      expect: [
        {
          severity: 'high',
          title: /^Session shell of IAM user bob went on after its access key was closed$/,
          reason: /by IncidentResponse\/carol.*iam:CreateUser, from 198\.51\.100\.7/,
        },
      ],
    },
    {
      name: 'fires high for a session of GetSessionToken whose key was deleted',
      given: [
        sessionToken('2026-03-04T10:00:00Z'),
        asSession('2026-03-04T10:30:00Z'),
        deleted('2026-03-04T11:00:00Z', responder),
        asSession('2026-03-04T11:30:00Z'),
      ],
      expect: [{ severity: 'high', reason: /s3:ListBuckets/ }],
    },
    {
      name: 'is low in a rotation: a new key was made first',
      given: [
        sessionToken('2026-03-04T10:00:00Z'),
        made('2026-03-04T10:50:00Z'),
        deleted('2026-03-04T11:00:00Z', responder),
        asSession('2026-03-04T11:30:00Z'),
      ],
      expect: [{ severity: 'low', reason: /rotation/ }],
    },
    {
      name: 'is low where the user closed its own key',
      given: [
        sessionToken('2026-03-04T10:00:00Z'),
        closed('2026-03-04T11:00:00Z', bob),
        asSession('2026-03-04T11:30:00Z'),
      ],
      expect: [{ severity: 'low', reason: /by the user itself/ }],
    },
    {
      name: 'stays quiet on calls before the key was closed, and refused ones after',
      given: [
        federated('2026-03-04T10:00:00Z'),
        asFederated('2026-03-04T10:10:00Z'),
        closed('2026-03-04T11:00:00Z', responder),
        {
          ...asFederated('2026-03-04T12:00:00Z'),
          errorCode: 'AccessDenied',
          errorMessage: 'with an explicit deny in an identity-based policy',
        },
      ],
      expect: [],
    },
    {
      name: 'stays quiet when another key of the user made a session of the same name too',
      given: [
        federated('2026-03-04T10:00:00Z'),
        federated('2026-03-04T10:30:00Z', { ...bob, accessKeyId: 'AKIAOTHERKEYEXAMPLE1' }),
        closed('2026-03-04T11:00:00Z', responder),
        asFederated('2026-03-04T12:00:00Z'),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when the key was switched on again, and on console sessions',
      given: [
        sessionToken('2026-03-04T10:00:00Z'),
        closed('2026-03-04T11:00:00Z', responder),
        closed('2026-03-04T11:05:00Z', responder, 'Active'),
        asSession('2026-03-04T11:30:00Z'),
        asSession('2026-03-04T11:40:00Z', { sessionCredentialFromConsole: 'true' }),
      ],
      expect: [],
    },
    {
      // Modelled on stratus-detonations-2024: DeleteAccessKey of a user by its creator.
      name: 'stays quiet when a key is deleted that made no session',
      given: [
        apiCall({
          source: 'iam',
          name: 'DeleteAccessKey',
          by: responder,
          request: { userName: 'malicious-iam-user', accessKeyId: 'AKIAMALICIOUSEXAMPLE' },
          with: { eventVersion: '1.09', userAgent: 'HashiCorp Terraform/1.1.2' },
        }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        { ...federated('2026-03-04T10:00:00Z'), requestParameters: null },
        { ...closed('2026-03-04T11:00:00Z', responder), requestParameters: null },
        { ...asFederated('2026-03-04T12:00:00Z'), userIdentity: { type: 'FederatedUser' } },
      ],
      expect: [],
    },
  ],
};
