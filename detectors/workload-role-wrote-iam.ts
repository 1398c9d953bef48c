// A function or a container, with the role it runs under, made users, passwords or keys, or raised its own role.
import { z } from 'zod';
import { type CallPattern, type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { instanceOf } from '../src/core/instances.ts';
import type { Severity } from '../src/core/severity.ts';
import { attack, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'workload-role-wrote-iam',
  title: 'A function or container changed IAM',
  severity: 'medium',
  practice: 'instance-roles',
  what: 'The role of a Lambda function, or of another workload that the record names, made a user, a password or an access key, or changed the rights of its own role.',
  why: 'Functions are the quiet way to more rights: whoever may change their code acts with their role. An access made there outlives the function.',
  innocent: [
    'A function that rotates access keys, or makes users as part of on-boarding.',
    'A custom resource of CloudFormation that writes IAM.',
  ],
  firstSteps: [
    'Ask the owner of the function whether it does this; read its code and who changed it last (UpdateFunctionCode).',
    'If nobody knows: deactivate the key or delete the user that was made, set the reserved concurrency of the function to 0, and deny older sessions of the role by aws:TokenIssueTime.',
    'Take the IAM rights from the role of the function.',
  ],
  attack: attack({
    'T1136.003': 'Create Account: Cloud Account',
    'T1098.001': 'Account Manipulation: Additional Cloud Credentials',
    T1648: 'Serverless Execution',
  }),
  cis: [],
  gaps: [
    'Records without inScopeOf name a function only in their user agent, which the caller writes; such a signal says so.',
    'Containers whose records have no inScopeOf, and build projects, are not recognised.',
    'Whether a grant is dangerous is judged by iam-policy-changed.',
  ],
};

const config = z.strictObject({});

const users = ['CreateUser', 'CreateLoginProfile', 'UpdateLoginProfile'];
const ownGrants = ['AttachRolePolicy', 'PutRolePolicy', 'UpdateAssumeRolePolicy'];

export default stateless<z.infer<typeof config>>({
  meta,
  on: [...users, 'CreateAccessKey', ...ownGrants].map(
    (name): CallPattern => `iam.amazonaws.com:${name}`,
  ),
  config,
  detect(event) {
    if (event.identityType !== 'AssumedRole') return 'not the session of a role';
    const workload = workloadOf(event);
    if (workload === undefined) return 'the record names no function or container';
    const role = event.principal.name;
    const isOwn = event.text('requestParameters.roleName') === role;
    if (ownGrants.includes(event.name) && !isOwn) return 'a grant to another role';
    const target = event.text('requestParameters.userName');
    const did = event.outcome === 'success' ? 'called' : 'tried';
    return said(event, {
      severity: severityOf(event, isOwn),
      title: `${workload.name} (role ${role}) ${did} iam:${plain(event.name)}${
        isOwn ? ' on its own role' : target === undefined ? '' : ` for ${plain(target)}`
      }`,
      reason: [
        workload.isClaim
          ? 'That it is a function is only what its user agent says.'
          : `AWS names the workload in the record (${workload.type}).`,
        event.name === 'CreateAccessKey' ? 'Functions that rotate keys do this.' : '',
        event.outcome === 'success' ? '' : `The call failed: ${plain(event.errorCode)}.`,
      ]
        .filter((one) => one !== '')
        .join(' '),
      facts: { role, workload: workload.name, target: plain(target) },
    });
  },
});

interface Workload {
  readonly name: string;
  readonly type: string;
  readonly isClaim: boolean;
}

function workloadOf(event: Event): Workload | undefined {
  if (instanceOf(event) !== undefined) return undefined;
  const base =
    event.field('userIdentity.inScopeOf.issuerType') === undefined
      ? 'userIdentity.sessionContext.inScopeOf'
      : 'userIdentity.inScopeOf';
  const type = event.text(`${base}.issuerType`);
  if (type !== undefined) {
    const arn = plain(event.text(`${base}.sourceArn`)) || 'a workload';
    const name = `${type === 'AWS::Lambda::Function' ? 'Function' : 'Workload'} ${arn.slice(arn.lastIndexOf(':') + 1)}`;
    return { name, type: plain(type), isClaim: false };
  }
  if (!/exec-env\/AWS_Lambda|AWS_Lambda_/.test(event.userAgent)) return undefined;
  const session = event.text('userIdentity.principalId')?.split(':')[1];
  return { name: `Function ${plain(session)}`.trim(), type: '', isClaim: true };
}

function severityOf(event: Event, isOwn: boolean): Severity {
  if (event.outcome === 'failure') return 'low';
  if (event.outcome === 'denied') return users.includes(event.name) ? 'medium' : 'low';
  if (isOwn) return 'high';
  return users.includes(event.name) ? 'medium' : 'low';
}
