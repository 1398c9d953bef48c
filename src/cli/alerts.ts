// `sentrail alerts`: what stands in a store.
import { Command } from 'commander';
import { readStore } from '../app.ts';
import { alertJson } from '../core/alert-json.ts';
import { SentrailError } from '../core/errors.ts';
import { severityRank } from '../core/severity.ts';
import { configFrom } from './options.ts';
import { card, line } from './text.ts';

interface Flags {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly store?: string;
  readonly config?: string;
  readonly severity?: string;
}

const levels = ['info', 'low', 'medium', 'high', 'critical'] as const;

/** Gives the command; `ended` is told the exit code. */
export function alertsCommand(ended: (code: number) => void): Command {
  const command = new Command('alerts').description('list alerts of a store, or show one');
  command
    .command('list', { isDefault: true })
    .description('one line an alert, oldest first')
    .option('--json', 'one line of JSON an alert')
    .option('--all', 'also withdrawn and merged ones')
    .option('--severity <least>', 'only this severity and worse')
    .option('--store <path>', 'the store (default: .sentrail/replay.sqlite)')
    .option('--config <file>', 'configuration (YAML)')
    .action(async (flags: Flags) => ended(await list(flags)));
  command
    .command('show')
    .description('one alert, whole')
    .argument('<id>', 'the id, or its first characters')
    .option('--json', 'as JSON')
    .option('--store <path>', 'the store (default: .sentrail/replay.sqlite)')
    .option('--config <file>', 'configuration (YAML)')
    .action(async (id: string, flags: Flags) => ended(await show(id, flags)));
  for (const one of command.commands) one.exitOverride();
  return command;
}

async function list(flags: Flags): Promise<number> {
  const least = levels.find((one) => one === (flags.severity ?? 'info'));
  if (least === undefined) {
    throw new SentrailError('usage', `--severity is one of ${levels.join(', ')}`);
  }
  const store = await readStore(flags.store, configFrom(flags.config));
  try {
    let shown = 0;
    for await (const alert of store.listAlerts({})) {
      const isStanding = alert.status !== 'withdrawn' && alert.status !== 'merged';
      if (!isStanding && flags.all !== true) continue;
      const json = alertJson(alert);
      if (severityRank(json.severity) < severityRank(least)) continue;
      shown++;
      process.stdout.write(`${flags.json ? JSON.stringify(json) : line(json)}\n`);
    }
    if (shown === 0) process.stderr.write('no alerts\n');
    return 0;
  } finally {
    await store.close();
  }
}

async function show(id: string, flags: Flags): Promise<number> {
  const store = await readStore(flags.store, configFrom(flags.config));
  try {
    for await (const alert of store.listAlerts({})) {
      if (!alert.id.startsWith(id)) continue;
      const json = alertJson(alert);
      process.stdout.write(flags.json ? `${JSON.stringify(json)}\n` : card(json, true));
      return 0;
    }
    throw new SentrailError(
      'input',
      `no alert's id begins with '${id}'; sentrail alerts list shows them`,
    );
  } finally {
    await store.close();
  }
}
