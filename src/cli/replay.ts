// `sentrail replay`: judges a trail that was kept, and prints the alerts.
import { Command } from 'commander';
import { type Replayed, type ReplayOptions, replay } from '../app.ts';
import { alertJson } from '../core/alert-json.ts';
import { rejectedTotal } from '../engine/counters.ts';
import { configFrom, listOption, timeOption } from './options.ts';
import { progressBar } from './progress.ts';
import { alertCards, summary } from './text.ts';

interface Flags {
  readonly json?: boolean;
  readonly from?: number;
  readonly to?: number;
  readonly detectors?: string[];
  readonly store?: string | false;
  readonly config?: string;
  readonly strict?: boolean;
  readonly deliver?: boolean;
}

/** Gives the command; `ended` is told the exit code. */
export function replayCommand(ended: (code: number) => void): Command {
  return new Command('replay')
    .description('judge CloudTrail files, folders, globs, s3://bucket/prefix or standard input (-)')
    .argument('<paths...>', 'files, folders, globs; s3://bucket/prefix; - for standard input')
    .option('--json', 'print the alerts that stand, one line of JSON each')
    .option('--from <time>', 'judge only events from this time on (UTC)', timeOption)
    .option('--to <time>', 'judge only events before this time (UTC)', timeOption)
    .option('--detectors <ids>', 'ask only these detectors, separated by commas', listOption)
    .option('--store <path>', 'keep checkpoint and alerts here (default: .sentrail/replay.sqlite)')
    .option('--no-store', 'keep nothing after the run')
    .option('--config <file>', 'configuration (YAML)')
    .option('--strict', 'end with code 3 when input was rejected')
    .option('--deliver', 'send alerts to the sinks of the configuration')
    .action(async (paths: string[], flags: Flags) => {
      ended(await replayAndPrint(paths, flags));
    });
}

async function replayAndPrint(paths: readonly string[], flags: Flags): Promise<number> {
  const started = process.hrtime.bigint();
  const bar = progressBar(process.stderr);
  const done = await replay(optionsOf(paths, flags, bar));
  try {
    bar.stop();
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const severities = flags.json ? await printJson(done) : await printCards(done);
    process.stderr.write(summary(done, severities, seconds, flags.store === false));
    if (done.wasStopped) return 1;
    const wasRejected = rejectedTotal(done.counters) > 0;
    return flags.strict && wasRejected ? 3 : 0;
  } finally {
    await done.close();
  }
}

/** Takes what the user gave; gives what `replay` takes. Shared with `signals`. */
export function optionsOf(
  paths: readonly string[],
  flags: Flags,
  bar: ReturnType<typeof progressBar>,
): ReplayOptions {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  return {
    paths,
    config: configFrom(flags.config),
    // Commander gives true for a --no-store that was not used.
    store: typeof flags.store === 'string' || flags.store === false ? flags.store : undefined,
    detectors: flags.detectors,
    from: flags.from,
    to: flags.to,
    isDelivering: flags.deliver === true,
    stdin: process.stdin,
    stdout: process.stdout,
    stop: stop.signal,
    onCommit: ({ counters, read }) => bar.update(counters, read),
    onNotice: (text) => process.stderr.write(`note: ${text}\n`),
  };
}

async function printJson(done: Replayed): Promise<Map<string, number>> {
  const severities = new Map<string, number>();
  for await (const alert of done.store.listAlerts({})) {
    if (alert.status === 'withdrawn' || alert.status === 'merged') continue;
    const json = alertJson(alert);
    severities.set(json.severity, (severities.get(json.severity) ?? 0) + 1);
    process.stdout.write(`${JSON.stringify(json)}\n`);
  }
  return severities;
}

async function printCards(done: Replayed): Promise<Map<string, number>> {
  const severities = new Map<string, number>();
  const fresh = [];
  for await (const alert of done.store.listAlerts({})) {
    if (alert.status === 'withdrawn' || alert.status === 'merged') continue;
    const json = alertJson(alert);
    severities.set(json.severity, (severities.get(json.severity) ?? 0) + 1);
    if (done.revised.has(alert.id)) fresh.push(json);
  }
  process.stdout.write(alertCards(fresh));
  return severities;
}
