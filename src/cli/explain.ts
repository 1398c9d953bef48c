// `sentrail explain`: what was made of an event.
import { Command } from 'commander';
import { filesOf, readStore } from '../app.ts';
import { SentrailError } from '../core/errors.ts';
import type { ProvingEvent, Store } from '../core/ports.ts';
import { plain } from '../core/text.ts';
import { formatTime } from '../core/time.ts';
import { type Explanation, explain, findEvent } from '../explain.ts';
import { configFrom } from './options.ts';
import { wrap } from './text.ts';

interface Flags {
  readonly json?: boolean;
  readonly raw?: boolean;
  readonly store?: string;
  readonly config?: string;
}

/** Gives the command; `ended` is told the exit code. */
export function explainCommand(ended: (code: number) => void): Command {
  return new Command('explain')
    .description('what was made of an event: who was asked, what each said, which alert it is in')
    .argument('<eventID>', 'the eventID of a CloudTrail record')
    .argument(
      '[paths...]',
      'where to look for it (default: the store, then the files it was made from)',
    )
    .option('--json', 'one line of JSON for each event of that id')
    .option('--raw', 'print the record itself, as it was')
    .option('--store <path>', 'the store (default: .sentrail/replay.sqlite)')
    .option('--config <file>', 'configuration (YAML)')
    .action(async (id: string, paths: string[], flags: Flags) =>
      ended(await run(id, paths, flags)),
    );
}

async function run(id: string, paths: readonly string[], flags: Flags): Promise<number> {
  const config = configFrom(flags.config);
  const store = await storeIfAny(flags, paths);
  try {
    const found = await find(id, paths, store, config);
    if (found.length === 0) throw notFound(id, paths);
    for (const one of found) {
      const explanation = await explain(one, config, store);
      if (explanation === undefined) continue;
      if (flags.raw) process.stdout.write(`${explanation.raw}\n`);
      else
        process.stdout.write(flags.json ? `${JSON.stringify(explanation)}\n` : text(explanation));
    }
    return 0;
  } finally {
    await store?.close();
  }
}

async function storeIfAny(flags: Flags, paths: readonly string[]): Promise<Store | undefined> {
  try {
    return await readStore(flags.store, configFrom(flags.config));
  } catch (error) {
    // With paths to look in, a store is a help and no need.
    if (paths.length > 0 && flags.store === undefined) return undefined;
    throw error;
  }
}

async function find(
  id: string,
  paths: readonly string[],
  store: Store | undefined,
  config: ReturnType<typeof configFrom>,
): Promise<readonly ProvingEvent[]> {
  const kept = (await store?.provingEvent(id)) ?? [];
  if (kept.length > 0 || (store === undefined && paths.length === 0)) return kept;
  const shards = paths.length > 0 ? paths : await shardsOf(store);
  const files = filesOf(shards, config);
  if (files === undefined) return [];
  process.stderr.write(`no signal stands on ${plain(id)}; looking for it in the trail …\n`);
  return findEvent(id, files, config, new AbortController().signal);
}

async function shardsOf(store: Store | undefined): Promise<readonly string[]> {
  const lanes = (await store?.lanes()) ?? [];
  return (await Promise.all(lanes.map((lane) => store?.shards(lane) ?? []))).flat();
}

function notFound(id: string, paths: readonly string[]): SentrailError {
  const where = paths.length > 0 ? paths.join(', ') : 'the store or the files it was made from';
  return new SentrailError(
    'input',
    `no event ${plain(id)} in ${where}; name the trail: sentrail explain ${plain(id)} PATH…`,
  );
}

function text(one: Explanation): string {
  const lines = [
    `${plain(one.event)}  ${formatTime(one.time)}`,
    `  ${plain(one.call)} by ${one.principal} in ${plain(one.account)}: ${one.outcome}`,
    `  read from ${plain(one.place, 300)}`,
    '',
  ];
  if (one.asked.length === 0) lines.push('  No detector asks about this call.');
  for (const said of one.asked) {
    const under = said.countedUnder === undefined ? '' : ` (counted under ${said.countedUnder})`;
    lines.push(`  ${said.detector}${under}`);
    if (said.quiet !== undefined) lines.push(...wrap(`quiet: ${said.quiet}`, 4));
    for (const signal of said.signals) {
      const hidden =
        signal.hiddenBy === undefined ? '' : ` — hidden by exception ${signal.hiddenBy}`;
      lines.push(
        ...wrap(`${signal.severity}: ${signal.title}${hidden}`, 4),
        ...wrap(signal.reason, 6),
      );
    }
  }
  lines.push('');
  for (const alert of one.alerts)
    lines.push(`  in alert ${alert.id} (${alert.status}): ${plain(alert.title, 300)}`);
  if (one.alerts.length === 0) lines.push('  It is in no alert.');
  return `${lines.join('\n')}\n`;
}
