#!/usr/bin/env node
// The command line: what it takes, what it prints where, and how it ends.
import { Command, CommanderError } from 'commander';
import { SentrailError } from '../core/errors.ts';
import { alertsCommand } from './alerts.ts';
import { checkConfigCommand } from './check-config.ts';
import { deadLettersCommand } from './dead-letters.ts';
import { detectorsCommand } from './detectors.ts';
import { explainCommand } from './explain.ts';
import { rekeyCommand } from './rekey.ts';
import { replayCommand } from './replay.ts';
import { runCommand } from './run.ts';
import { signalsCommand } from './signals.ts';
import { version } from './version.ts';

const help = `
Start here
  sentrail replay AWSLogs/                  judge a trail as S3 keeps it, print its alerts
  sentrail replay events.json --json        one line of JSON an alert, for other tools
  sentrail replay s3://bucket/prefix        straight from the trail's bucket
  cat events.ndjson.gz | sentrail replay -  from standard input
  sentrail run --config sentrail.yaml       judge live streams until told to stop
  sentrail alerts show ID                   one alert, whole
  sentrail explain EVENTID                  why an event made an alert, or did not
  sentrail dead-letters list                what could not be read, and why

Exit codes
  0 done   1 failed   2 wrong usage or configuration   3 done, but input was rejected (--strict)

Input is CloudTrail as it exists: {"Records":[…]}, NDJSON, arrays, single or concatenated objects,
each plain or gzip'd, and in the envelopes of AWS's services. What cannot be read is kept as a dead letter and counted, never skipped.`;

const commands = [
  replayCommand,
  runCommand,
  signalsCommand,
  explainCommand,
  alertsCommand,
  deadLettersCommand,
  rekeyCommand,
];

/** Takes the arguments after the program's name; gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const program = new Command('sentrail')
    .description('Finds what is wrong in AWS CloudTrail. The same log gives the same alerts.')
    .version(version())
    .addHelpText('after', help)
    .showHelpAfterError('(sentrail --help tells more)')
    .exitOverride();
  let code = 0;
  const ended = (status: number) => {
    code = status;
  };
  for (const make of commands) {
    program.addCommand(make(ended).exitOverride());
  }
  program.addCommand(detectorsCommand().exitOverride());
  program.addCommand(checkConfigCommand().exitOverride());
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof SentrailError) {
    process.stderr.write(`sentrail: ${error.message}\n`);
    return error.code === 'usage' || error.code === 'config' ? 2 : 1;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`sentrail: this should not have happened; please report it.\n${text}\n`);
  return 1;
}

// A reader that closes early (head, a pager) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await main(process.argv.slice(2));
