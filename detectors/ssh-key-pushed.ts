// Somebody opens a way into instances: SSH keys pushed to many of them, or the serial console.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  type Diary,
  diaryOfDay,
  type Entry,
  instanceOf,
  isWritten,
  nameOf,
  namesIn,
  signalOf,
  written,
} from '../src/core/instances.ts';
import type { Severity } from '../src/core/severity.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws } from '../src/core/telling.ts';

const meta: DetectorMeta = {
  id: 'ssh-key-pushed',
  title: 'An SSH key was pushed to instances',
  severity: 'medium',
  practice: 'instance-roles',
  what: 'One principal pushed SSH keys to several instances in a day, pushed one to a serial console, or switched serial consoles on for the account; or an instance pushed a key to another.',
  why: 'A pushed key opens a shell, and with it the role of the instance. The serial console does so past security groups and network logs.',
  innocent: [
    'An administrator who works on several servers through EC2 Instance Connect.',
    'A server that no longer boots is repaired through its serial console.',
  ],
  firstSteps: [
    'Ask the principal for the reason; compare the time with the log-ins on the instances.',
    'If nobody answers for it: end its sessions or deactivate its key, and isolate the instances named here.',
    'Switch serial console access off again (ec2 disable-serial-console-access) when it is not needed.',
  ],
  attack: attack({
    'T1021.004': 'Remote Services: SSH',
    'T1098.004': 'Account Manipulation: SSH Authorized Keys',
    'T1578.005': 'Modify Cloud Compute Infrastructure: Modify Cloud Compute Configurations',
  }),
  cis: [],
  gaps: [
    'Log-ins with keys that are on the instance already are not in the trail.',
    'Key pairs that are made or imported (CreateKeyPair, ImportKeyPair) are not judged.',
  ],
};

const config = z.strictObject({
  instances: z
    .int()
    .min(2)
    .default(4)
    .describe('Instances that one principal pushes keys to in one day (UTC) that make a signal.'),
  instancesHigh: z.int().min(2).default(15).describe('As many make it high.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Diary>({
  meta,
  on: [
    'ec2-instance-connect.amazonaws.com:SendSSHPublicKey',
    'ec2-instance-connect.amazonaws.com:SendSerialConsoleSSHPublicKey',
    'ec2.amazonaws.com:EnableSerialConsoleAccess',
  ],
  config,
  state: {
    ...diaryOfDay,
    key: (event) =>
      isByAws(event) ? 'an AWS service acted by itself' : { key: event.principal.key },
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets, settings) =>
    buckets.flatMap((bucket) => [...judgePushes(bucket, settings), ...judgeSerial(bucket)]),
});

function entriesOf(event: Event): readonly Entry[] {
  const target = event.text('requestParameters.instanceId') ?? `unnamed ${event.identity}`;
  if (event.outcome !== 'success') return [['refused', event.name]];
  if (event.name === 'EnableSerialConsoleAccess') return [['enabled', event.region]];
  if (event.name !== 'SendSSHPublicKey') return [['serial', target]];
  const from = instanceOf(event);
  // From one instance into another, not into itself.
  const isAcross = from !== undefined && from.toLowerCase() !== target.toLowerCase();
  return [['pushed', target], ...(isAcross ? ([['across', target]] as const) : [])];
}

function judgePushes(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const { state } = bucket;
  const pushed = namesIn(state, 'pushed');
  const across = namesIn(state, 'across');
  if (across.length === 0 && pushed.length < settings.instances) return [];
  const isHigh = across.length > 1 || pushed.length >= settings.instancesHigh;
  const to = pushed.length === 1 ? '1 instance' : `${pushed.length} instances`;
  return [
    {
      ...signalOf(bucket, 'pushed', ['pushed']),
      severity: isHigh ? 'high' : 'medium',
      title: `${nameOf(state)} pushed SSH keys to ${to} in one day`,
      reason:
        across.length > 0
          ? `The key came from the session of another instance: a way from machine to machine. Targets: ${listed(across)}.`
          : `Targets: ${listed(pushed)}. Each key opens a shell with the role of its instance.`,
      facts: { instances: listed(pushed) },
    },
  ];
}

function judgeSerial(bucket: Bucket<Diary>): JudgedSignal[] {
  const { state } = bucket;
  const [serial, enabled] = [namesIn(state, 'serial'), namesIn(state, 'enabled')];
  const refused = namesIn(state, 'refused').filter((one) => one.includes('Serial'));
  if (serial.length + enabled.length + refused.length === 0) return [];
  const isBoth = serial.length > 0 && enabled.length > 0;
  const severity: Severity = isBoth
    ? 'high'
    : serial.length + enabled.length > 0
      ? 'medium'
      : 'low';
  const did = isBoth
    ? 'switched serial consoles on and pushed an SSH key to one'
    : enabled.length > 0
      ? 'switched serial consoles on for the account'
      : serial.length > 0
        ? 'pushed an SSH key to a serial console'
        : 'failed to open a serial console';
  return [
    {
      ...signalOf(bucket, 'serial', [
        'serial',
        'enabled',
        ...(severity === 'low' ? ['refused'] : []),
      ]),
      severity,
      title: `${nameOf(state)} ${did}`,
      reason: [
        'The serial console goes past security groups and network logs, and is rarely needed.',
        enabled.length > 0 ? `Switched on in ${listed(enabled)}.` : '',
        serial.length > 0 ? `Keys went to ${listed(serial)}.` : '',
        severity === 'low' ? `Failed: ${listed(refused)}.` : '',
      ]
        .filter((one) => one !== '')
        .join(' '),
      facts: { instances: listed(serial) },
    },
  ];
}
