// Names of users and roles of other accounts were tried by naming them in policies until AWS took
// one.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  actorIn,
  groupsOf,
  isInSpree,
  nameOf,
  type Spree,
  sizeOf,
  spreeAdd,
  spreeSignal,
  spreeState,
  thingsMax,
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'principals-enumerated',
  title: 'Principals of other accounts enumerated',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'Within an hour one principal wrote many different users or roles into trust or resource policies, and AWS refused the policies because those principals do not exist.',
  why: 'AWS refuses a policy that names a principal that does not exist. So whoever owns any account can learn which users and roles another account has: the first step to assume one of them. It also means that somebody uses this account as the tool.',
  innocent: [
    'A migration writes policies that still name principals which were deleted: the names then belong to your own old stacks.',
  ],
  firstSteps: [
    'Read the names: guesses such as admin, jenkins and OrganizationAccountAccessRole in one foreign account are an enumeration.',
    'If so: deactivate the key or revoke the sessions of the caller, for the account is in use by somebody else.',
    'Look for policies that were accepted between the refusals, and set them back: the last names written are still in them.',
    'Tell the owner of the other account.',
  ],
  attack: attack({
    'T1087.004': 'Account Discovery: Cloud Account',
    T1580: 'Cloud Infrastructure Discovery',
  }),
  cis: [],
  gaps: [
    'Names that exist are accepted, and told by iam-policy-changed as the change of a policy.',
    'An hour is a clock hour: trying slowly counts as less.',
    'An attacker usually does this in an account of its own, where no trail of yours sees it.',
  ],
};

const config = z.strictObject({
  principals: z
    .int()
    .min(2)
    .max(thingsMax)
    .default(8)
    .describe('Different principals refused in policies within an hour that make a signal.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Spree>({
  meta,
  on: [
    'iam.amazonaws.com:UpdateAssumeRolePolicy',
    'iam.amazonaws.com:CreateRole',
    's3.amazonaws.com:PutBucketPolicy',
    's3.amazonaws.com:PutAccessPointPolicy',
    'kms.amazonaws.com:PutKeyPolicy',
    'kms.amazonaws.com:CreateGrant',
    'sqs.amazonaws.com:SetQueueAttributes',
    'sqs.amazonaws.com:AddPermission',
    'sns.amazonaws.com:SetTopicAttributes',
    'sns.amazonaws.com:AddPermission',
    'lambda.amazonaws.com:AddPermission',
    'secretsmanager.amazonaws.com:PutResourcePolicy',
    'ecr.amazonaws.com:SetRepositoryPolicy',
  ],
  config,
  state: spreeState(quiet),
  isKnown: (event, state) => isInSpree(state, 'tried', namesOf(event), event),
  fold: (event, state) => spreeAdd(state, 'tried', namesOf(event), event),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

function quiet(event: Event): string | undefined {
  if (event.outcome !== 'failure') return 'the policy was not refused for its content';
  if (isByAws(event)) return 'a service of AWS acted by itself';
  const code = event.errorCode ?? '';
  const isRefused =
    /^(MalformedPolicy(Document(Exception)?)?|InvalidParameter(Value)?(Exception)?|InvalidAttributeValue|InvalidArn(Exception)?)$/.test(
      code,
    );
  if (!isRefused) return `the call failed with ${plain(code)}`;
  const isOther = event.errorMessage !== undefined && !/principal|arn/i.test(event.errorMessage);
  if (isOther) return 'it was refused for something other than a principal';
  return namesOf(event).length === 0 ? 'the record names no principal' : undefined;
}

const principalArn = /arn:[a-z-]+:(?:iam|sts)::\d{12}:(?:user|role|assumed-role)\/[\w+=,.@/-]+/g;

/**
 * Takes an event; gives the users and roles that the message says are wrong, or else the request
 * names.
 */
function namesOf(event: Event): readonly string[] {
  const said = event.errorMessage?.match(principalArn);
  if (said !== undefined && said !== null) return once(said);
  const request = event.field('requestParameters');
  if (request === undefined || request === null) return [];
  // The role or key that carries the policy is named in the request too; it is not what was tried.
  const own = [
    event.text('requestParameters.roleArn'),
    event.text('requestParameters.keyId'),
    event.text('requestParameters.permissionsBoundary'),
  ];
  const found = JSON.stringify(request).match(principalArn) ?? [];
  return once(found).filter((one) => !own.includes(one));
}

function once(names: readonly string[]): readonly string[] {
  return [...new Set(names)].slice(0, thingsMax);
}

function judgeHour(bucket: Bucket<Spree>, settings: Config): readonly JudgedSignal[] {
  const group = groupsOf(bucket.state, 'tried');
  if (group.things.length < settings.principals) return [];
  const accounts = [...new Set(group.things.map((one) => one.split(':')[4] ?? ''))].sort();
  const isOwn = accounts.every((one) => one === bucket.state.account);
  const where = `${accounts.length === 1 ? 'account' : 'accounts'} ${listed(accounts)}`;
  const names = group.things.map((one) => one.slice(one.lastIndexOf(':') + 1));
  const why = isOwn
    ? 'They are of this account, so its own old names may be in a policy.'
    : 'A refusal tells that the principal does not exist; one that is taken does.';
  return [
    {
      ...spreeSignal(bucket, 'tried', group),
      severity: isOwn ? 'low' : 'medium',
      title: `${nameOf(actorIn(bucket.state))} tried ${sizeOf(group)} names of principals in policies`,
      reason: `AWS refused policies that name ${listed(names)} of ${where}. ${why}`,
    },
  ];
}
