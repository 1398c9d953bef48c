// `sentrail run`: judges live streams until it is told to stop.
import { Command } from 'commander';
import pino from 'pino';
import type { Config } from '../../schemas/config.ts';
import { SentrailError } from '../core/errors.ts';
import { type Log, live } from '../live.ts';
import { configFrom } from './options.ts';

/** Gives the command; `ended` is told the exit code. */
export function runCommand(ended: (code: number) => void): Command {
  return new Command('run')
    .description('judge live streams (Kinesis, Kafka, S3, SQS, push) until told to stop')
    .requiredOption('--config <file>', 'configuration (YAML) with sources and sinks')
    .addHelpText(
      'after',
      `
Logs go to standard error, one line of JSON each (a configuration that is wrong is
told in plain text); alerts to the sinks of the configuration.
SIGTERM or SIGINT stops: what was judged is committed, groups are left; a second one ends at once.
Ask http.listen (default 127.0.0.1:9464) for /metrics, /healthz and /readyz.`,
    )
    .action(async (flags: { config: string }) => {
      const config = configFrom(flags.config);
      ended(
        await untilStopped(config, (log, stop) =>
          live({ config, log, stop, stdout: process.stdout }),
        ),
      );
    });
}

/** Everything is closed by then; a client's own timers may still run. */
const lingerMs = 500;

/** Runs work that a signal stops, within the bound of the config; gives the exit code. */
export async function untilStopped(
  config: Config,
  work: (log: Log, stop: AbortSignal) => Promise<void>,
): Promise<number> {
  const log = pino(
    { level: config.log.level, base: null },
    pino.destination({ fd: 2, sync: true }),
  );
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(1);
    log.info({ signal }, 'stopping');
    stop.abort();
    timer = setTimeout(() => {
      log.error({}, 'the stop took too long; what was not committed is read again by the next run');
      process.exit(1);
    }, config.streams.stop);
    timer.unref();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  try {
    await work(log, stop.signal);
    log.info({}, 'stopped');
    return 0;
  } catch (error) {
    // What is set up wrong is for the person at the terminal, as everywhere; the rest is for the log.
    if (!(error instanceof SentrailError) || error.code === 'config') throw error;
    if (stop.signal.aborted && error.code === 'source') {
      // A source that was in trouble when it was told to stop has stopped; nothing of it is lost.
      log.warn({ code: error.code }, error.message);
      return 0;
    }
    log.error({ code: error.code }, error.message);
    return 1;
  } finally {
    clearTimeout(timer);
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    // What a client left open must not hold the process.
    setTimeout(() => process.exit(), lingerMs).unref();
  }
}
