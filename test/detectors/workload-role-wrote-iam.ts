// Cases of workload-role-wrote-iam.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, assumedRole, type Call, iamUser } from '../support/records.ts';

const arn = `arn:aws:lambda:eu-central-1:${account}:function:onboard`;
const inScopeOf = {
  sourceArn: arn,
  sourceAccount: account,
  issuerType: 'AWS::Lambda::Function',
  credentialsIssuedTo: arn,
};
const proven = { ...assumedRole('onboard-role', 'onboard'), inScopeOf };
const onLambda = 'Boto3/1.35.1 os/linux lang/python exec-env/AWS_Lambda_python3.12';

function iam(name: string, request: unknown, more: Partial<Call> = {}) {
  return apiCall({ source: 'iam', name, request, by: proven, ...more });
}

export const cases: DetectorCases = {
  detector: 'workload-role-wrote-iam',
  cases: [
    {
      // Modelled on umccr-eventversions IDCEXAMPLE-1234-5678-abcd-EXAMPLE00002: inScopeOf.
      name: 'fires medium when a function makes a user, and names the function',
      given: [iam('CreateUser', { userName: 'backup' })],
      expect: [
        {
          severity: 'medium',
          title: /^Function onboard \(role onboard-role\) called iam:CreateUser for backup$/,
          reason: /AWS::Lambda::Function/,
        },
      ],
    },
    {
      name: 'fires high when a function raises its own role',
      given: [iam('AttachRolePolicy', { roleName: 'onboard-role', policyArn: 'arn:aws:iam::x' })],
      expect: [{ severity: 'high', title: /on its own role$/ }],
    },
    {
      name: 'is low for keys, which functions rotate, and medium for a refused user',
      given: [
        iam('CreateAccessKey', { userName: 'app' }),
        iam('CreateUser', null, { error: ['AccessDenied', 'no'] }),
      ],
      expect: [{ severity: 'low' }, { severity: 'medium', title: /tried iam:CreateUser$/ }],
    },
    {
      name: 'says what is only a claim of the user agent',
      given: [
        iam(
          'CreateUser',
          { userName: 'x' },
          {
            by: assumedRole('onboard-role', 'onboard'),
            with: { userAgent: onLambda },
          },
        ),
      ],
      expect: [{ severity: 'medium', reason: /only what its user agent says/ }],
    },
    {
      name: 'stays quiet for other roles, users, instances, and grants to other roles',
      given: [
        iam('CreateUser', { userName: 'x' }, { by: assumedRole('deploy', 'ci') }),
        iam('CreateUser', { userName: 'x' }, { by: iamUser('bob'), with: { userAgent: onLambda } }),
        iam(
          'CreateUser',
          { userName: 'y' },
          {
            by: assumedRole('web', 'i-0123456789abcdef0'),
            with: { userAgent: onLambda },
          },
        ),
        iam('AttachRolePolicy', { roleName: 'other', policyArn: 'arn:aws:iam::x' }),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        iam('CreateUser', null, { by: { ...assumedRole('a'), inScopeOf: 'x' } }),
        iam('CreateAccessKey', 7, { by: { ...proven, inScopeOf: { issuerType: 'AWS::X' } } }),
        iam('CreateUser', null, { by: { ...assumedRole('a'), inScopeOf: {} } }),
      ],
      expect: [{ severity: 'low', title: /^Workload a workload/ }],
    },
  ],
};
