// `sentrail signals`: one line a signal, for tests of detectors and for people who write them.
import { Command } from 'commander';
import { replay } from '../app.ts';
import { signalJson } from '../core/alert-json.ts';
import { plain } from '../core/text.ts';
import { listOption, timeOption } from './options.ts';
import { progressBar } from './progress.ts';
import { optionsOf } from './replay.ts';

interface Flags {
  readonly json?: boolean;
  readonly from?: number;
  readonly to?: number;
  readonly detectors?: string[];
  readonly config?: string;
}

/** Signals of one alert are all wanted here, within what memory allows. */
const signalsMax = 10_000;

/** Gives the command; `ended` is told the exit code. */
export function signalsCommand(ended: (code: number) => void): Command {
  return new Command('signals')
    .description('judge a trail and print its signals, in order of alert and time; keeps nothing')
    .argument('<paths...>', 'files, folders, globs; - for standard input')
    .option('--json', 'one line of JSON a signal')
    .option('--from <time>', 'judge only events from this time on (UTC)', timeOption)
    .option('--to <time>', 'judge only events before this time (UTC)', timeOption)
    .option('--detectors <ids>', 'ask only these detectors, separated by commas', listOption)
    .option('--config <file>', 'configuration (YAML)')
    .action(async (paths: string[], flags: Flags) => ended(await signals(paths, flags)));
}

async function signals(paths: readonly string[], flags: Flags): Promise<number> {
  const bar = progressBar(process.stderr);
  const options = optionsOf(paths, { ...flags, store: false }, bar);
  const alerts = { ...options.config.alerts, signalsMax };
  const done = await replay({ ...options, config: { ...options.config, alerts } });
  try {
    bar.stop();
    for await (const alert of done.store.listAlerts({})) {
      if (alert.signalsOverLimit > 0) {
        process.stderr.write(
          `note: alert ${alert.id} has ${alert.signalsOverLimit} signals more than the limit\n`,
        );
      }
      for (const signal of alert.signals) {
        const json = signalJson(signal, alert.id);
        const text = `${json.severity.padEnd(8)} ${json.time}  ${json.detector}  ${plain(json.title, 300)}`;
        process.stdout.write(`${flags.json ? JSON.stringify(json) : text}\n`);
      }
    }
    return done.wasStopped ? 1 : 0;
  } finally {
    await done.close();
  }
}
