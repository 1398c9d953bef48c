// `sentrail dead-letters`: what could not be read, why, and reading it again.
import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../../schemas/config.ts';
import { withPath } from '../app.ts';
import { SentrailError } from '../core/errors.ts';
import { rejectReasons } from '../core/item.ts';
import type { Store, StoredDeadLetter } from '../core/ports.ts';
import { plain } from '../core/text.ts';
import { formatTime } from '../core/time.ts';
import { allLetters, letterOf, reread } from '../letters.ts';
import { openStore, storePathOf } from '../wiring.ts';
import { configFrom } from './options.ts';

interface Flags {
  readonly json?: boolean;
  readonly raw?: boolean;
  readonly all?: boolean;
  readonly deliver?: boolean;
  readonly reason?: string;
  readonly store?: string;
  readonly config?: string;
}

/** Characters of a letter shown without --raw: enough to tell its kind, too few to leak much. */
const shownMax = 300;

/** Gives the command with its three parts; `ended` is told the exit code. */
export function deadLettersCommand(ended: (code: number) => void): Command {
  const command = new Command('dead-letters').description(
    'what could not be read: list it, show it, read it again',
  );
  command.addCommand(
    common(new Command('list').description('every dead letter, a line each'))
      .addOption(reasonOption('only those rejected for this reason'))
      .option('--json', 'one line of JSON each, without the bytes')
      .action(async (flags: Flags) => {
        await inStore(flags, false, (store) => list(store, flags));
        ended(0);
      }),
  );
  command.addCommand(
    common(new Command('show').description('one dead letter: where it stood, why, how it begins'))
      .argument('<number>', 'its number', numberOf)
      .option('--raw', 'print the bytes that were kept, as they are')
      .option('--json', 'one line of JSON, without the bytes')
      .action(async (number: number, flags: Flags) => {
        await inStore(flags, false, (store) => show(store, number, flags));
        ended(0);
      }),
  );
  command.addCommand(
    common(
      new Command('replay').description('read dead letters again, into the lane they fell from'),
    )
      .argument('[numbers...]', 'their numbers', numbersOf)
      .option('--all', 'all there are')
      .addOption(reasonOption('all that were rejected for this reason'))
      .option('--deliver', 'send alerts to the sinks of the configuration')
      .action(async (numbers: number[], flags: Flags) => {
        ended(await inStore(flags, true, (store, config) => again(store, config, numbers, flags)));
      }),
  );
  return command;
}

function common(command: Command): Command {
  // Commander hands this down to no part that is added ready-made; without it a mistake ended with 1.
  return command
    .exitOverride()
    .option('--store <path>', 'the store (default: that of the configuration)')
    .option('--config <file>', 'configuration (YAML)');
}

async function inStore<T>(
  flags: Flags,
  isWriter: boolean,
  work: (store: Store, config: Config) => Promise<T>,
): Promise<T> {
  const given = configFrom(flags.config);
  const config = flags.store === undefined ? given : withPath(given, flags.store);
  const path = storePathOf(flags.store, given);
  if (isWriter && config.store.postgres === undefined && !existsSync(path)) {
    // A writer would make a store where there is none, and a mistyped path would pass for an empty one.
    throw new SentrailError('input', `there is no store at ${path}; name one with --store`);
  }
  const store = await openStore(config, { path, isWriter });
  try {
    return await work(store, config);
  } finally {
    await store.close();
  }
}

async function list(store: Store, flags: Flags): Promise<void> {
  let count = 0;
  for await (const one of allLetters(store)) {
    if (flags.reason !== undefined && one.reason !== flags.reason) continue;
    count++;
    process.stdout.write(flags.json === true ? `${JSON.stringify(fields(one))}\n` : line(one));
  }
  if (count > 0 || flags.json === true) return;
  const which = flags.reason === undefined ? '' : ` with reason ${flags.reason}`;
  process.stdout.write(`There is no dead letter${which}.\n`);
}

async function show(store: Store, number: number, flags: Flags): Promise<void> {
  const letter = await letterOf(store, number);
  if (flags.raw === true) {
    process.stdout.write(letter.bytes);
    return;
  }
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(fields(letter))}\n`);
    return;
  }
  const { lane, shard, sequence, item, offset, bytes, size } = letter;
  const kept = bytes.length < size ? ` (${bytes.length} of them kept)` : '';
  const start = Buffer.from(bytes.subarray(0, shownMax * 4)).toString('utf8');
  process.stdout.write(
    [
      `dead letter ${number}  ${letter.reason}`,
      `  ${plain(letter.detail, 300)}`,
      `  kept ${formatTime(letter.added)}, in lane ${plain(lane)}`,
      `  from ${plain(shard, 300)}, sequence ${plain(sequence)}, item ${item}, byte ${offset}`,
      `  ${size} bytes${kept}; it begins:`,
      `    ${plain(start, shownMax)}`,
      '',
    ].join('\n'),
  );
}

async function again(
  store: Store,
  config: Config,
  numbers: readonly number[],
  flags: Flags,
): Promise<number> {
  const letters = await chosen(store, numbers, flags);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const isDelivering = flags.deliver === true;
  const done = await reread({
    store,
    config,
    letters,
    isDelivering,
    stdout: process.stdout,
    stop: stop.signal,
  });
  const { items, rejected, alerts } = done;
  const what = `${count(done.letters, 'dead letter')} read again: ${count(items, 'item')}`;
  process.stderr.write(`${what}, ${rejected} rejected again, ${count(alerts, 'alert')} revised\n`);
  return rejected > 0 ? 3 : 0;
}

async function chosen(
  store: Store,
  numbers: readonly number[],
  flags: Flags,
): Promise<readonly StoredDeadLetter[]> {
  if (numbers.length > 0) {
    return Promise.all(numbers.map((one) => letterOf(store, one)));
  }
  if (flags.all !== true && flags.reason === undefined) {
    throw new SentrailError('usage', 'say which: numbers, --reason REASON, or --all');
  }
  const letters: StoredDeadLetter[] = [];
  let cut = 0;
  for await (const one of allLetters(store)) {
    if (flags.reason !== undefined && one.reason !== flags.reason) continue;
    // What was cut can never be whole again; asked for by number it is an error, here it is left.
    if (one.bytes.length < one.size) cut++;
    else letters.push(one);
  }
  if (cut > 0) process.stderr.write(`${count(cut, 'dead letter')} left: only a part was kept\n`);
  return letters;
}

function numberOf(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a dead letter is named by its number');
}

function numbersOf(text: string, before: readonly number[] = []): number[] {
  return [...new Set([...before, numberOf(text)])];
}

function reasonOption(description: string): Option {
  return new Option('--reason <reason>', description).choices(rejectReasons);
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function line(one: StoredDeadLetter): string {
  const place = `${plain(one.shard, 100)} ${plain(one.sequence, 60)}/${one.item}`;
  const when = formatTime(one.added);
  return `${one.number}\t${when}\t${one.reason}\t${one.size} B\t${place}\t${plain(one.detail, 120)}\n`;
}

function fields(letter: StoredDeadLetter): object {
  const { bytes, added, ...rest } = letter;
  return { ...rest, kept: bytes.length, added: formatTime(added) };
}
