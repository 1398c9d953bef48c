// The emergency access of an account was used: a break-glass role was taken, or its user signed in.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { actorOf, attack, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'break-glass-access-used',
  title: 'Break-glass access used',
  severity: 'medium',
  practice: 'separation-of-duties',
  what: 'A role that nobody should need on an ordinary day was assumed, or a user of that kind signed in to the console: one whose name says break-glass or emergency access, or one that the configuration names.',
  why: 'Emergency access goes around the separation of duties on purpose. Its use is an incident, a drill, or somebody who takes the short way; each should be known the same hour.',
  innocent: ['An incident or a drill, announced.', 'The yearly test that the access still works.'],
  firstSteps: [
    'Ask the incident lead whether there is an incident or drill, and who holds the access now.',
    'If nobody knows: revoke the sessions of the role or deactivate the user, and treat it as an intrusion.',
    'In any case read the session to its end, and change the credentials of the emergency access afterwards.',
  ],
  attack: attack({
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    'T1548.005': 'Abuse Elevation Control Mechanism: Temporary Elevated Cloud Access',
  }),
  cis: [],
  gaps: [
    'The access is known by its name; list roles and users with other names in the configuration.',
    'Where both the account of the caller and that of the role are read, each tells it.',
  ],
};

const names = z.array(z.string().min(1).max(128)).max(200);
const config = z.strictObject({
  words: names
    .default(['breakglass', 'glassbreak', 'emergencyaccess', 'emergencyadmin', 'firecall'])
    .describe('A role or user whose name holds one of these, whatever case and dashes, is meant.'),
  roles: names.default([]).describe('Names of further roles that nobody should assume.'),
  users: names.default([]).describe('Names of further users that nobody should use.'),
});
type Config = z.infer<typeof config>;

export default stateless<Config>({
  meta,
  on: [
    'sts.amazonaws.com:AssumeRole',
    'sts.amazonaws.com:AssumeRoleWithSAML',
    'sts.amazonaws.com:AssumeRoleWithWebIdentity',
    'signin.amazonaws.com:ConsoleLogin',
  ],
  config,
  detect(event, settings) {
    if (isByAws(event)) return 'a service of AWS acted by itself';
    return event.source === 'signin.amazonaws.com'
      ? signIn(event, settings)
      : assumption(event, settings);
  },
});

function assumption(event: Event, { words, roles }: Config) {
  const arn = event.text('requestParameters.roleArn') ?? '';
  const role = plain(arn.slice(arn.lastIndexOf('/') + 1));
  const isListed = roles.includes(role);
  if (role === '' || !(isListed || isMeant(role, words))) return 'the role is an ordinary one';
  const account = /^arn:[^:]*:iam::(\d{12}):/.exec(arn)?.[1] ?? event.account;
  const isDone = event.outcome === 'success';
  const why = isListed
    ? 'The configuration names it among the roles that nobody should assume.'
    : 'By its name it is for emergencies.';
  return said(event, {
    severity: isDone ? (isListed ? 'high' : 'medium') : 'low',
    title: `${actorOf(event)} ${isDone ? 'took' : 'tried to take'} emergency role ${role}`,
    reason: `The role is of account ${account}. ${why} ${endOf(event)}`,
    facts: { role, account },
  });
}

function signIn(event: Event, { words, users }: Config) {
  if (event.identityType !== 'IAMUser') return 'not the sign-in of an IAM user';
  const user = plain(event.principal.name);
  const isListed = users.includes(user);
  if (!(isListed || isMeant(user, words))) return 'the user is an ordinary one';
  const isDone =
    event.outcome === 'success' && event.text('responseElements.ConsoleLogin') !== 'Failure';
  const why = isListed
    ? 'The configuration names it among the users that nobody should use.'
    : 'By its name it is for emergencies.';
  return said(event, {
    severity: isDone ? (isListed ? 'high' : 'medium') : 'low',
    title: isDone
      ? `Emergency user ${user} signed in to the console`
      : `A sign-in of emergency user ${user} failed`,
    reason: `${why} ${endOf(event)}`,
    facts: { user },
  });
}

function endOf(event: Event): string {
  const failure = plain(event.errorCode) || plain(event.errorMessage);
  const end = failure === '' ? '' : ` It did not succeed (${failure}).`;
  return `The call came from ${originOf(event)}.${end}`;
}

function isMeant(name: string, words: readonly string[]): boolean {
  const folded = name.toLowerCase().replace(/[-_.\s]/g, '');
  return words.some((one) => folded.includes(one.toLowerCase().replace(/[-_.\s]/g, '')));
}
