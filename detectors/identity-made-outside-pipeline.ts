// An identity or policy was made by somebody other than the roles that are meant to make them.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import { actorOf, attack, isByAws, isServiceLinked, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'identity-made-outside-pipeline',
  title: 'Identity made outside the pipeline',
  severity: 'medium',
  practice: 'separation-of-duties',
  what: 'A user, group, role, policy, access key or login profile was created by a principal that is not among the roles configured to do so. Quiet until such a list is configured.',
  why: 'Where identities come from reviewed code, one made by hand has had no second pair of eyes, and the next deployment does not know of it.',
  innocent: [
    'An emergency, or an experiment in a sandbox account.',
    'A new deployment role that is not in the list yet.',
    'The console of a service that makes a role for it, such as Lambda or CodeBuild.',
  ],
  firstSteps: [
    'Ask the person why it was made by hand, and look at what the new identity may do.',
    'If it was not meant: delete it, after reading what it did.',
    'If it was: bring it into the code, or add the role that made it to `pipelines`.',
  ],
  attack: attack({
    'T1136.003': 'Create Account: Cloud Account',
    T1098: 'Account Manipulation',
  }),
  cis: [],
  gaps: [
    'Without a list nothing is told; identity-created-and-armed tells of new users all the same.',
    'A pipeline that is taken over makes identities inside of the list.',
  ],
};

const config = z.strictObject({
  pipelines: z
    .array(z.string().min(1).max(128))
    .max(500)
    .default([])
    .describe(
      'Names of the roles that make identities; a name may end with *. Empty: no list is kept.',
    ),
});
type Config = z.infer<typeof config>;

const made: Readonly<Record<string, readonly [what: string, field: string]>> = {
  CreateUser: ['user', 'userName'],
  CreateGroup: ['group', 'groupName'],
  CreateRole: ['role', 'roleName'],
  CreatePolicy: ['policy', 'policyName'],
  CreateInstanceProfile: ['instance profile', 'instanceProfileName'],
  CreateAccessKey: ['an access key for user', 'userName'],
  CreateLoginProfile: ['a console password for user', 'userName'],
};

export default stateless<Config>({
  meta,
  on: [
    'iam.amazonaws.com:CreateUser',
    'iam.amazonaws.com:CreateGroup',
    'iam.amazonaws.com:CreateRole',
    'iam.amazonaws.com:CreatePolicy',
    'iam.amazonaws.com:CreateInstanceProfile',
    'iam.amazonaws.com:CreateAccessKey',
    'iam.amazonaws.com:CreateLoginProfile',
  ],
  config,
  detect(event, { pipelines }) {
    if (event.outcome !== 'success') return 'nothing was made';
    if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS acted by itself';
    const [what, field] = made[event.name] ?? ['something', ''];
    const name = plain(event.text(`requestParameters.${field}`)) || 'without a name';
    if (pipelines.length === 0) return 'no list of pipelines is configured';
    const { kind, name: actor } = event.principal;
    if (kind === 'role' && pipelines.some((one) => isNamed(actor, one))) {
      return 'the role is one of the pipelines';
    }
    return said(event, {
      severity: 'medium',
      title: `${actorOf(event)} made ${what} ${name} outside the pipelines`,
      reason: `Only ${pipelines.length === 1 ? 'one configured role is' : `${pipelines.length} configured roles are`} meant to make identities, and this principal is none of them. The call came from ${originOf(event)}.`,
      facts: { target: name },
    });
  },
});

function isNamed(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
