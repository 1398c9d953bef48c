// One IAM user signed in to the console from several networks within minutes: more than one person, or a proxy.
import { z } from 'zod';
import { type DetectorMeta, folding, type JudgedSignal } from '../src/core/detector.ts';
import {
  addStep,
  after,
  isPastCut,
  type Step,
  type Steps,
  stepSignal,
  stepsOf,
  stepsState,
  userSignIn,
} from '../src/core/steps.ts';
import { listed } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';
import { hourMs, minuteMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'console-login-from-many-networks',
  title: 'One user signed in from several networks at once',
  severity: 'medium',
  practice: 'mfa',
  what: 'Console logins of one IAM user succeeded from several networks within minutes. Networks are told apart by the first half of an IPv4 address, the first third of an IPv6 address.',
  why: 'A person is in one place. A password that is shared or stolen, or a phishing proxy that signs in along with the victim, shows like this.',
  innocent: [
    'A VPN was switched on or off between two logins, or the phone left the office network: two networks are low.',
    'A user that several people share: it should not be.',
  ],
  firstSteps: [
    'Ask the user which of the logins were theirs, over a channel outside of AWS, and find out whose the addresses are.',
    'If one was not: delete the login profile, deny older sessions (aws:TokenIssueTime), check the MFA devices, and read what that session did.',
  ],
  attack: attack({
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    T1557: 'Adversary-in-the-Middle',
  }),
  cis: [],
  gaps: [
    'Without geolocation two distant places on the same network look like one.',
    'Logins through an identity provider come from role sessions and are not looked at.',
    'A computer that uses IPv4 for one login and IPv6 for the next counts as two networks.',
  ],
};

const config = z.strictObject({
  minutes: z
    .int()
    .min(1)
    .max(60)
    .default(10)
    .describe('Logins within so many minutes belong together.'),
  networks: z.int().min(2).default(3).describe('Networks that make it medium; two are low.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Steps>({
  meta,
  on: ['signin.amazonaws.com:ConsoleLogin'],
  config,
  state: stepsState({
    bucketMs: hourMs,
    lifetimeMs: 6 * hourMs,
    key(event) {
      const login = userSignIn(event);
      if (typeof login === 'string') return login;
      if (!login.succeeded || login.user === undefined) return 'the login did not succeed';
      if (event.origin.kind !== 'ip') return 'the record names no address';
      return { key: event.principal.key };
    },
  }),
  isKnown: isPastCut,
  fold: (event, state) => addStep(state, event, 'login'),
  judge(buckets, settings) {
    const logins = stepsOf(buckets);
    const signals: JudgedSignal[] = [];
    let toldUntil = Number.NEGATIVE_INFINITY;
    for (const login of logins) {
      if (login.proof.time <= toldUntil) continue;
      const near = after(login, logins, settings.minutes * minuteMs);
      const signal = judgeNear(login, near, settings);
      if (signal === undefined) continue;
      signals.push(signal);
      toldUntil = near.at(-1)?.proof.time ?? login.proof.time;
    }
    return signals;
  },
});

function judgeNear(login: Step, near: readonly Step[], settings: Config): JudgedSignal | undefined {
  const networks = new Set(near.map(({ proof }) => networkOf(proof.from)));
  if (networks.size < 2) return undefined;
  const from = [...new Set(near.map(({ proof }) => proof.from))].sort();
  const minutes = Math.round(((near.at(-1)?.proof.time ?? 0) - login.proof.time) / minuteMs);
  return {
    ...stepSignal(
      login,
      near.filter((one) => one !== login),
    ),
    severity: networks.size >= settings.networks ? 'medium' : 'low',
    title: `IAM user ${login.actor.name} signed in from ${networks.size} networks within ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`,
    reason: `Logins succeeded from ${listed(from)}.${networks.size < settings.networks ? ' A VPN switched on or off looks the same.' : ''}`,
    facts: { from: listed(from) },
  };
}

/** `203.0` of 203.0.113.10, `2001:db8:1` of an IPv6 address: near enough to one provider or office. */
function networkOf(address: string): string {
  return address.includes(':')
    ? address.split(':').slice(0, 3).join(':')
    : address.split('.').slice(0, 2).join('.');
}
