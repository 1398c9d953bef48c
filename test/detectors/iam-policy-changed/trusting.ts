// Cases of iam-policy-changed on the trust of roles and on identity providers.
import type { DetectorCases } from '../../support/cases.ts';
import { account, document, stranger, trusts } from '../../support/records.ts';
import { iam, known, trust } from './calls.ts';

const oidc = `arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com`;
const web = 'sts:AssumeRoleWithWebIdentity';

/** Who may become a role. */
export const trusting: DetectorCases['cases'] = [
  {
    // stratus-detonations-2024, 62e290e2-ee95-4a7c-a9f8-db4ef462b12d
    name: 'is high on a role that another account may assume',
    given: [
      trust(
        document(
          trusts({ Service: 'ec2.amazonaws.com' }),
          trusts({ AWS: `arn:aws:iam::${stranger}:root` }),
        ),
      ),
    ],
    expect: [{ severity: 'high', reason: new RegExp(`${stranger}.*without an external id`) }],
  },
  {
    // stratus-detonations-2024, d2905ac3-9898-433f-b10d-9302abe4e208; the response is URL-encoded.
    name:
      'judges a created role from the response where the request lacks the document ' +
      '(fixture 11)',
    given: [
      iam(
        'CreateRole',
        { roleName: 'r', permissionsBoundary: 'arn:aws:iam::aws:policy/AWSDenyAll' },
        {
          response: {
            role: {
              roleName: 'r',
              assumeRolePolicyDocument: encodeURIComponent(document(trusts({ AWS: stranger }))),
            },
          },
        },
      ),
    ],
    expect: [{ severity: 'high', reason: /boundary AWSDenyAll/ }],
  },
  {
    name: 'is medium with an external id and low for a known account',
    given: [
      trust(document(trusts({ AWS: stranger }, { StringEquals: { 'sts:ExternalId': 'x1' } })), {
        at: '2026-03-04T10:00:00Z',
      }),
      trust(document(trusts({ AWS: `arn:aws:iam::${known}:root` })), {
        at: '2026-03-04T10:01:00Z',
      }),
    ],
    expect: [{ severity: 'medium' }, { severity: 'low' }],
  },
  {
    name: 'is critical on a trust in everybody',
    given: [trust(document(trusts('*')))],
    expect: [{ severity: 'critical' }],
  },
  {
    name: 'is critical on GitHub with the audience alone (fixture 16)',
    given: [
      trust(
        document(
          trusts(
            { Federated: oidc },
            { StringEquals: { 'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com' } },
            web,
          ),
        ),
      ),
    ],
    expect: [{ severity: 'critical', reason: /every repository on GitHub/ }],
  },
  {
    name: 'stays low on GitHub with one repository',
    given: [
      trust(
        document(
          trusts(
            { Federated: oidc },
            {
              StringEquals: { 'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com' },
              StringLike: { 'token.actions.githubusercontent.com:sub': 'repo:example/app:*' },
            },
            web,
          ),
        ),
      ),
    ],
    expect: [{ severity: 'low' }],
  },
  {
    // trailalerts-sigma-tests, 2a9c402c-5df4-4e68-a21f-EXAMPLE: requestParameters is null.
    name: 'is medium on a new identity provider',
    given: [iam('CreateSAMLProvider', null)],
    expect: [{ severity: 'medium' }],
  },
];
