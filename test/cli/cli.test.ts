// The command line as a person uses it: built, and run as a process.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { alertSchema, signalSchema } from '../../schemas/alert.ts';
import { allow, apiCall, document, iamUser } from '../support/records.ts';

const project = join(import.meta.dirname, '..', '..');
const program = join(project, 'dist', 'src', 'cli', 'main.js');
const folders: string[] = [];
let cwd = '';

function sentrail(args: readonly string[], input?: Uint8Array) {
  const env = { ...process.env, NO_COLOR: '1' };
  const done = spawnSync(process.execPath, [program, ...args], {
    cwd,
    env,
    input,
    encoding: 'utf8',
  });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

const login = apiCall({
  source: 'signin',
  name: 'ConsoleLogin',
  id: '11111111-1111-4111-8111-111111111111',
  by: iamUser('bob'),
  response: { ConsoleLogin: 'Success' },
  with: { additionalEventData: { MFAUsed: 'No' }, eventType: 'AwsConsoleSignIn' },
});
const quiet = apiCall({
  source: 'ec2',
  name: 'DescribeInstances',
  id: '22222222-2222-4222-8222-222222222222',
});
const admin = apiCall({
  source: 'iam',
  name: 'PutUserPolicy',
  id: '33333333-3333-4333-8333-333333333333',
  request: { userName: 'carol', policyName: 'all', policyDocument: document(allow('*')) },
});

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'sentrail-cli-'));
  folders.push(cwd);
  writeFileSync(join(cwd, 'trail.json'), JSON.stringify({ Records: [login, quiet, admin] }));
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const lines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((one) => one !== '')
    .map((one) => JSON.parse(one) as unknown);

describe('replay', () => {
  it('prints alerts as JSON that keeps the contract, and nothing else, on standard output', () => {
    const { code, out, err } = sentrail(['replay', 'trail.json', '--json', '--no-store']);
    expect(code).toBe(0);
    const alerts = lines(out).map((one) => alertSchema.parse(one));
    expect(alerts.map((one) => one.severity).sort()).toEqual(['critical', 'medium']);
    expect(err).toContain('3 events');
  });

  it('gives the same bytes twice, and goes on from its checkpoint', () => {
    const first = sentrail(['replay', 'trail.json', '--json']);
    const second = sentrail(['replay', 'trail.json', '--json']);
    expect(second.out).toBe(first.out);
    expect(second.err).toContain('nothing new since the last run');
  });

  it('starts anew when the file under the name is another', () => {
    sentrail(['replay', 'trail.json', '--json']);
    writeFileSync(join(cwd, 'trail.json'), JSON.stringify({ Records: [login] }));
    expect(lines(sentrail(['replay', 'trail.json', '--json']).out)).toHaveLength(1);
  });

  it('reads standard input', () => {
    const input = Buffer.from(`${JSON.stringify(login)}\n${JSON.stringify(admin)}\n`);
    expect(lines(sentrail(['replay', '-', '--json'], input).out)).toHaveLength(2);
  });

  it('asks only the detectors named', () => {
    const args = [
      'replay',
      'trail.json',
      '--json',
      '--no-store',
      '--detectors',
      'console-login-without-mfa',
    ];
    expect(lines(sentrail(args).out)).toHaveLength(1);
  });

  it('judges only the range given', () => {
    const args = ['replay', 'trail.json', '--json', '--no-store', '--from', '2030-01-01'];
    const { out, err } = sentrail(args);
    expect(out).toBe('');
    expect(err).toContain('3 outside the range');
  });

  it('ends with 3 under --strict when input was rejected, else with 0', () => {
    writeFileSync(join(cwd, 'bad.json'), '{"Records":[{"eventVersion":"1.08"');
    expect(sentrail(['replay', 'bad.json', '--no-store']).code).toBe(0);
    const { code, err } = sentrail(['replay', 'bad.json', '--no-store', '--strict']);
    expect(code).toBe(3);
    expect(err).toContain('rejected: json-cut-short 1');
  });

  it('ends with 2 on wrong usage, and says what to try', () => {
    expect(sentrail(['replay']).code).toBe(2);
    expect(sentrail(['replay', 'trail.json', '--from', 'yesterday']).code).toBe(2);
    expect(sentrail(['nonsense']).code).toBe(2);
    const wrong = sentrail(['replay', 'trail.json', '--detectors', 'root']);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('root-account-used');
  });

  it('ends with 1 when a path is not there', () => {
    const { code, err } = sentrail(['replay', 'nowhere.json']);
    expect(code).toBe(1);
    expect(err).toContain('nowhere.json');
  });

  it('delivers to sinks only when asked, and each revision once', () => {
    writeFileSync(join(cwd, 'c.yaml'), 'sinks: { keep: { type: file, path: out.ndjson } }\n');
    const args = ['replay', 'trail.json', '--config', 'c.yaml', '--store', 's.sqlite'];
    sentrail(args);
    expect(() => readFileSync(join(cwd, 'out.ndjson'))).toThrow();
    const other = [
      'replay',
      'trail.json',
      '--config',
      'c.yaml',
      '--store',
      't.sqlite',
      '--deliver',
    ];
    sentrail(other);
    sentrail(other);
    const sent = lines(readFileSync(join(cwd, 'out.ndjson'), 'utf8'));
    expect(sent.map((one) => alertSchema.parse(one).revision)).toEqual([1, 1]);
  });

  it('shows a person what happened, why it matters and what to do first', () => {
    const { out } = sentrail(['replay', 'trail.json', '--no-store']);
    for (const part of [
      'CRITICAL',
      'Why it matters',
      'It may be innocent when',
      'Do first',
      'iam:PutUserPolicy',
    ]) {
      expect(out).toContain(part);
    }
  });
});

describe('the other commands', () => {
  it('signals prints one line a signal', () => {
    const { out } = sentrail(['signals', 'trail.json', '--json']);
    const signals = lines(out).map((one) => signalSchema.parse(one));
    expect(signals.map((one) => one.detector).sort()).toEqual([
      'console-login-without-mfa',
      'iam-changed-without-mfa',
      'iam-policy-changed',
    ]);
  });

  it('explain tells who was asked, what each said, and the alert', () => {
    sentrail(['replay', 'trail.json']);
    const fired = sentrail(['explain', '33333333-3333-4333-8333-333333333333']);
    expect(fired.out).toMatch(/critical: .*all.*in alert [0-9a-f]{20}/s);
    const other = sentrail(['explain', '22222222-2222-4222-8222-222222222222']);
    expect(other.out).toMatch(/account-fell-silent .*quiet: .*It is in no alert/s);
    const raw = sentrail(['explain', '33333333-3333-4333-8333-333333333333', '--raw']);
    expect(JSON.parse(raw.out)).toEqual(admin);
    expect(sentrail(['explain', 'nothing-like-it']).code).toBe(1);
  });

  it('explain names the exception that hid a signal', () => {
    writeFileSync(
      join(cwd, 'c.yaml'),
      'exceptions:\n  - { id: known, principal: alice, owner: me, reason: because, expires: 2030-01-01 }\n',
    );
    const { err } = sentrail(['replay', 'trail.json', '--config', 'c.yaml']);
    expect(err).toContain('hidden by exceptions: known 2');
    const { out } = sentrail([
      'explain',
      '33333333-3333-4333-8333-333333333333',
      '--config',
      'c.yaml',
    ]);
    expect(out).toContain('hidden by exception known');
  });

  it('alerts lists and shows', () => {
    sentrail(['replay', 'trail.json']);
    const list = sentrail(['alerts', 'list', '--json']);
    const first = alertSchema.parse(lines(list.out)[0]);
    expect(sentrail(['alerts', 'show', first.id.slice(0, 8)]).out).toContain(first.id);
    expect(sentrail(['alerts', 'show', 'zzz']).code).toBe(1);
    expect(
      lines(sentrail(['alerts', 'list', '--severity', 'critical', '--json']).out),
    ).toHaveLength(1);
  });

  it('detectors gives the catalogue with config and defaults', () => {
    const all: unknown = JSON.parse(sentrail(['detectors', '--json']).out);
    expect(all).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          id: 'root-account-used',
          defaults: { failedSignIns: 3, failedSignInsHigh: 10 },
          calls: ['identity:Root', 'sts.amazonaws.com:AssumeRoot'],
        }),
      ]),
    );
  });

  it('check-config ends with 2 and the line of a mistake', () => {
    writeFileSync(join(cwd, 'c.yaml'), 'lateness: 5m\nalert: {}\n');
    const { code, err } = sentrail(['check-config', 'c.yaml']);
    expect(code).toBe(2);
    expect(err).toContain("c.yaml:2: there is no key 'alert'; did you mean 'alerts'?");
    writeFileSync(join(cwd, 'c.yaml'), 'lateness: 5m\n');
    expect(sentrail(['check-config', 'c.yaml']).code).toBe(0);
  });

  it('--help teaches', () => {
    const { code, out } = sentrail(['--help']);
    expect(code).toBe(0);
    expect(out).toContain('sentrail replay AWSLogs/');
  });
});
