// The configuration file: a mistake is named with its line and the nearest right key.
import { describe, expect, it } from 'vitest';
import { detectors } from '../../detectors/index.ts';
import { nearest, parseConfig } from '../../src/config.ts';

const parse = (text: string) => parseConfig(text, 'sentrail.yaml', detectors);

describe('a right file', () => {
  it('is all defaults when it is empty', () => {
    const config = parse('');
    expect(config.lateness).toBe(900_000);
    expect(config.alerts.window).toBe(86_400_000);
    expect(config.sinks).toEqual({});
  });

  it('reads durations, sinks, detectors and exceptions', () => {
    const config = parse(`
lateness: 30m
sinks: { keep: { type: file, path: alerts.ndjson } }
detectors: { root-account-used: { failedSignIns: 5, severity: low } }
exceptions:
  - { id: deploy, detector: iam-policy-changed, principal: "arn:aws:iam::*:role/deploy",
      owner: platform team, reason: reviewed changes, expires: 2027-01-01 }
`);
    expect(config.lateness).toBe(1_800_000);
    expect(config.exceptions[0]?.account).toBe('*');
  });
});

describe('a wrong file', () => {
  const cases: [string, string, RegExp][] = [
    [
      'a key at the top',
      'latness: 5m',
      /sentrail\.yaml:1: there is no key 'latness'; did you mean 'lateness'\?/,
    ],
    [
      'a key within',
      'alerts:\n  window: 1d\n  signalMax: 3',
      /:3: there is no key 'alerts\.signalMax'; did you mean 'signalsMax'/,
    ],
    [
      'a key of an exception',
      'exceptions:\n  - id: x\n    detector: y\n    owner: me\n    resaon: z\n    reason: q\n    expires: 2027-01-01',
      /:5: there is no key .*resaon.* did you mean 'reason'/,
    ],
    [
      'a key of a detector',
      'detectors:\n  root-account-used:\n    failedSignin: 2',
      /:3: there is no key .*did you mean 'failedSignIns'/,
    ],
    [
      'a detector',
      'detectors:\n  root-acount-used: {}',
      /:2: there is no key .*did you mean 'root-account-used'/,
    ],
    ['a duration', 'lateness: 15', /:1: lateness: /],
    ['a duration without a unit', 'lateness: "15"', /a duration is a whole number/],
    [
      'an exception that hides everything',
      'exceptions:\n  - { id: a, owner: b, reason: c, expires: 2027-01-01 }',
      /hides everything/,
    ],
    ['YAML that is none', 'alerts: [1', /sentrail\.yaml:\d+: /],
    ['a list where a map should be', '- a\n- b', /the file: /],
  ];
  it.each(cases)('%s', (_name, text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it('names every mistake, not only the first', () => {
    expect(() => parse('latness: 5m\nahed: 1m')).toThrow(/latness[\s\S]*ahed/);
  });
});

it('guesses only what is near', () => {
  expect(nearest('windwo', ['window', 'signalsMax'])).toBe('window');
  expect(nearest('zzz', ['window', 'signalsMax'])).toBeUndefined();
});
