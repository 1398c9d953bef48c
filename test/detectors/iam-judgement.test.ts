// Runs the tables of the policy detectors directly: every fold in the given order, reversed,
// shuffled and doubled must end in the same signals.
import { describe, expect, it } from 'vitest';
import iamPolicyChanged from '../../detectors/iam-policy-changed.ts';
import storedPolicyTookEffect from '../../detectors/stored-policy-took-effect.ts';
import type { Bucket, Detector, FoldDetector } from '../../src/core/detector.ts';
import type { SignalDraft } from '../../src/core/signal.ts';
import { parseTime, windowStart } from '../../src/core/time.ts';
import { DecodedEvent } from '../../src/decode/event.ts';
import type { DetectorCase, DetectorCases } from '../support/cases.ts';
import { account, allow, apiCall, document, type RawRecord } from '../support/records.ts';
import { cases as changed } from './iam-policy-changed.ts';
import { cases as stored } from './stored-policy-took-effect.ts';

function eventOf(record: RawRecord): DecodedEvent {
  const bytes = Buffer.from(JSON.stringify(record));
  return new DecodedEvent(record, bytes, parseTime(record['eventTime']) ?? 0);
}

function signalsOf(
  detector: Detector,
  config: unknown,
  records: readonly RawRecord[],
): SignalDraft[] {
  const asked = records
    .map(eventOf)
    .filter((event) =>
      (detector.on as readonly string[]).includes(`${event.source}:${event.name}`),
    );
  if ('fold' in detector) return folded(detector, config, asked);
  return asked.flatMap((event) => {
    const result = detector.detect(event, config);
    return typeof result === 'string'
      ? []
      : Array.isArray(result)
        ? result
        : [result as SignalDraft];
  });
}

function folded(
  detector: FoldDetector,
  config: unknown,
  events: readonly DecodedEvent[],
): SignalDraft[] {
  const keys = new Map<string, Map<number, unknown>>();
  for (const event of events) {
    const key = detector.state.key(event);
    if (typeof key === 'string') continue;
    const buckets = keys.get(key.key) ?? new Map<number, unknown>();
    keys.set(key.key, buckets);
    const start = windowStart(event.time, detector.state.bucketMs);
    const state = buckets.get(start) ?? detector.state.empty();
    detector.fold(event, state, config);
    // What is stored is read back as JSON: only what survives that may be judged.
    buckets.set(start, detector.state.schema.parse(JSON.parse(JSON.stringify(state))));
  }
  return [...keys].flatMap(([key, buckets]) => {
    const standing: Bucket<unknown>[] = [...buckets]
      .sort(([a], [b]) => a - b)
      .map(([start, state]) => ({ key, start, state }));
    return [...detector.judge(standing, config)];
  });
}

function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const result = [...items];
  let random = seed;
  for (let at = result.length - 1; at > 0; at -= 1) {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    const other = random % (at + 1);
    [result[at], result[other]] = [result[other]!, result[at]!];
  }
  return result;
}

function sorted(signals: readonly SignalDraft[]): SignalDraft[] {
  return [...new Map(signals.map((one) => [one.key, one])).values()].sort((a, b) =>
    a.time !== b.time ? a.time - b.time : a.key < b.key ? -1 : 1,
  );
}

function check(detector: Detector, config: unknown, one: DetectorCase): void {
  const signals = sorted(signalsOf(detector, config, one.given));
  expect(signals.map((signal) => signal.severity)).toEqual(one.expect.map((each) => each.severity));
  for (const [at, wanted] of one.expect.entries()) {
    const signal = signals[at]!;
    if (wanted.title) expect(signal.title).toMatch(wanted.title);
    if (wanted.reason) expect(signal.reason).toMatch(wanted.reason);
    if (wanted.events) {
      expect(signal.evidence.map((each) => each.id).sort()).toEqual([...wanted.events].sort());
    }
    expect(signal.reason).not.toBe('');
    expect(`${signal.title}${signal.reason}`).not.toMatch(/[\p{Cc}\u202e]|undefined|\[object/u);
  }
  const orders = [
    [...one.given].reverse(),
    [...one.given, ...one.given],
    shuffled(one.given, 7),
    shuffled(one.given, 99),
  ];
  for (const order of orders) expect(sorted(signalsOf(detector, config, order))).toEqual(signals);
}

const tables: readonly (readonly [Detector, DetectorCases])[] = [
  [iamPolicyChanged, changed],
  [storedPolicyTookEffect, stored],
];

for (const [detector, table] of tables) {
  describe(table.detector, () => {
    it('names the detector it is for', () => expect(table.detector).toBe(detector.meta.id));
    const config = detector.config.parse(table.config ?? {});
    for (const one of table.cases) it(one.name, () => check(detector, config, one));
  });
}

describe('limits of stored-policy-took-effect', () => {
  const arn = `arn:aws:iam::${account}:policy/p`;
  const policyDocument = document(allow('*'));
  const at = (second: number) => new Date(1_772_600_000_000 + second * 1_000).toISOString();
  const written = apiCall({
    source: 'iam',
    name: 'CreatePolicy',
    at: at(0),
    request: { policyName: 'p', policyDocument },
    response: { policy: { arn } },
  });
  const attached = Array.from({ length: 20 }, (_, one) =>
    apiCall({
      source: 'iam',
      name: 'AttachRolePolicy',
      at: at(one + 1),
      request: { policyArn: arn, roleName: `r${one}` },
    }),
  );

  it('keeps the first uses of a day in every order, and says that it was limited', () => {
    const config = storedPolicyTookEffect.config.parse({ usesMax: 5 });
    const all = [written, ...attached];
    const first = sorted(signalsOf(storedPolicyTookEffect, config, all));
    expect(first).toHaveLength(5);
    expect(first.every((one) => 'limited' in one && one.limited === true)).toBe(true);
    for (const order of [[...all].reverse(), shuffled(all, 3), [...all, ...all]]) {
      expect(sorted(signalsOf(storedPolicyTookEffect, config, order))).toEqual(first);
    }
  });
});

describe('odd input', () => {
  const odd = [
    null,
    'text',
    7,
    [],
    {},
    [[]],
    { policyDocument: 7 },
    { omitted: true },
    { policyArn: {} },
  ];
  for (const [detector] of tables) {
    it(`${detector.meta.id} throws on none of it`, () => {
      for (const call of detector.on) {
        const [source, name] = call.split(':');
        for (const request of odd) {
          for (const error of [undefined, 'AccessDenied', 'NoSuchEntityException']) {
            const record: RawRecord = {
              eventSource: source,
              eventName: name,
              requestParameters: request,
              responseElements: request,
              userIdentity: request,
              ...(error ? { errorCode: error } : {}),
            };
            expect(() => signalsOf(detector, detector.config.parse({}), [record])).not.toThrow();
          }
        }
      }
    });
  }
});
