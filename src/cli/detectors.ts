// `sentrail detectors`: the catalogue.
import { Command } from 'commander';
import { z } from 'zod';
import { detectors } from '../../detectors/index.ts';
import { type Detector, practices } from '../core/detector.ts';
import { SentrailError } from '../core/errors.ts';
import { wrap } from './text.ts';

/** Gives the command. */
export function detectorsCommand(): Command {
  return new Command('detectors')
    .description('the catalogue by practice; with an id, all about one detector')
    .argument('[id]', 'a detector')
    .option('--json', 'JSON: an array, or one object with an id')
    .action((id: string | undefined, flags: { json?: boolean }) => {
      const all = detectors.map(catalogueEntry);
      const one = id === undefined ? undefined : all.find((entry) => entry.id === id);
      if (id !== undefined && one === undefined) {
        throw new SentrailError('config', `no detector is called '${id}'; try: sentrail detectors`);
      }
      const shown = one ?? all;
      const asText = one === undefined ? table() : text(one);
      process.stdout.write(flags.json ? `${JSON.stringify(shown, null, 2)}\n` : asText);
    });
}

/** A chapter for each practice, a line for each detector. */
function table(): string {
  const wide = Math.max(...detectors.map((one) => one.meta.id.length));
  const chapters = Object.entries(practices).map(([practice, title]) => {
    const own = detectors.filter((one) => one.meta.practice === practice);
    const lines = own.map(
      ({ meta }) => `  ${meta.id.padEnd(wide)}  ${meta.severity.padEnd(8)}  ${meta.title}`,
    );
    return [title, ...lines, ''].join('\n');
  });
  return `${chapters.join('\n')}\n${detectors.length} detectors. All about one: sentrail detectors ID\n`;
}

/** Takes a detector; gives its entry of the catalogue as JSON. */
export function catalogueEntry(detector: Detector) {
  const { meta, on, config } = detector;
  const { id, title, severity, practice, what, why, innocent, firstSteps, attack, cis, gaps } =
    meta;
  return {
    id,
    title,
    severity,
    practice,
    what,
    why,
    innocent,
    firstSteps,
    calls: on,
    attack,
    cis,
    gaps,
    state: stateOf(detector),
    config: z.toJSONSchema(config, { io: 'input' }),
    defaults: config.parse({}),
  };
}

/** The three ways in which a detector keeps the order of records from mattering. */
function stateOf(detector: Detector): 'stateless' | 'fold' | 'settled' {
  if (!('fold' in detector)) return 'stateless';
  return detector.state.settleMs === undefined ? 'fold' : 'settled';
}

function text(entry: ReturnType<typeof catalogueEntry>): string {
  const calls =
    entry.calls.length > 6
      ? [...entry.calls.slice(0, 6), `… ${entry.calls.length} in all`]
      : entry.calls;
  return [
    `${entry.id}  (${entry.severity}, ${entry.practice})`,
    ...wrap(entry.what, 2),
    ...wrap(`Why: ${entry.why}`, 2),
    ...entry.innocent.flatMap((one) => wrap(`Innocent: ${one}`, 2)),
    ...entry.firstSteps.flatMap((one, at) => wrap(`${at + 1}. ${one}`, 2)),
    ...entry.gaps.flatMap((one) => wrap(`Gap: ${one}`, 2)),
    ...wrap(`Calls: ${calls.join(', ')}`, 2),
    `  ATT&CK: ${entry.attack.map((one) => one.technique).join(', ')}   CIS: ${entry.cis.map((one) => `${one.version} ${one.control}`).join(', ')}`,
    `  Config: ${JSON.stringify(entry.defaults)}`,
    '',
  ].join('\n');
}
