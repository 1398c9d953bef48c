// `sentrail rekey`: any source to a Kafka topic keyed by account.
import { Command } from 'commander';
import { rekey } from '../rekey.ts';
import { configFrom } from './options.ts';
import { untilStopped } from './run.ts';

/** Gives the command; `ended` is told the exit code. */
export function rekeyCommand(ended: (code: number) => void): Command {
  return new Command('rekey')
    .description('write the events of any source to a Kafka topic keyed by account')
    .requiredOption('--config <file>', 'configuration (YAML) with sources and rekey')
    .addHelpText(
      'after',
      `
Many workers can then judge the topic: a source of type kafka with keyed: true, and one group.
Keep another store for rekeying than for judging: it holds how far each source was read.`,
    )
    .action(async (flags: { config: string }) => {
      const config = configFrom(flags.config);
      ended(await untilStopped(config, (log, stop) => rekey({ config, log, stop })));
    });
}
