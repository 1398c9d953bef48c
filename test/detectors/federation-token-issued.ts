// Cases of federation-token-issued.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  allow,
  apiCall,
  document,
  iamUser,
  type RawRecord,
  refusal,
  rootUser,
} from '../support/records.ts';

function issued(request: unknown, by = iamUser('bob'), at = '2026-03-04T10:00:00Z'): RawRecord {
  return apiCall({
    source: 'sts',
    name: 'GetFederationToken',
    at,
    by,
    request,
    response: {
      credentials: { accessKeyId: 'ASIAFEDERATEDEXAMPLE', expiration: 'Mar 5, 2026, 10:00:00 PM' },
      federatedUser: { arn: `arn:aws:sts::${account}:federated-user/x` },
      packedPolicySize: 2,
    },
    with: { readOnly: false },
  });
}

const admin = { name: 'shell', policy: document(allow('*')), durationSeconds: 129600 };
const reader = {
  name: 'report',
  policy: document(allow('s3:GetObject', 'arn:aws:s3:::reports/*')),
};

export const cases: DetectorCases = {
  detector: 'federation-token-issued',
  cases: [
    {
      name: 'fires medium when the session policy allows everything',
      given: [issued(admin)],
      expect: [
        {
          severity: 'medium',
          title: /^IAM user bob made a federated session near to administrator: shell$/,
          reason: /36 hours.*From 203\.0\.113\.10/,
        },
      ],
    },
    {
      name: 'fires medium when the session policy is AdministratorAccess by ARN',
      given: [
        issued({ name: 'x', policyArns: [{ arn: 'arn:aws:iam::aws:policy/AdministratorAccess' }] }),
      ],
      expect: [{ severity: 'medium' }],
    },
    {
      name: 'tells a broker that makes many narrow sessions once a day, low',
      given: [
        issued(reader),
        issued(reader, iamUser('bob'), '2026-03-04T11:00:00Z'),
        issued({ name: 'second' }, iamUser('bob'), '2026-03-04T12:00:00Z'),
      ],
      expect: [{ severity: 'low', title: /made a federated session: report, second$/ }],
    },
    {
      // Modelled on traildiscover-events e7b87da5-3311-4eec-91f9-d88d61a982cd
      name: 'tells a refused call low, whose record has no request',
      given: [
        apiCall({
          source: 'sts',
          name: 'GetFederationToken',
          by: iamUser('discover'),
          error: refusal(
            `arn:aws:iam::${account}:user/discover`,
            'sts:GetFederationToken',
            `arn:aws:sts::${account}:federated-user/discover`,
          ),
          with: { readOnly: false, eventVersion: '1.08' },
        }),
      ],
      expect: [{ severity: 'low', title: /discover tried to make a federated session and failed/ }],
    },
    {
      name: 'stays quiet on root, which has a detector of its own',
      given: [issued(admin, rootUser())],
      expect: [],
    },
    {
      name: 'does not break when fields are missing or of a wrong type',
      given: [
        issued(null),
        issued({ name: 7, policy: 'not json', policyArns: 'x' }, iamUser('carol')),
        issued({ policyArns: [null, 3] }, iamUser('dave')),
      ],
      expect: [
        { severity: 'low', title: /bob made a federated session: a name not in the record/ },
        { severity: 'low', title: /carol made/ },
        { severity: 'low', title: /dave made/ },
      ],
    },
  ],
};
