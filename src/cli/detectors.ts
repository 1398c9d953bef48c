// `sentrail detectors`: the catalogue.
import { Command } from 'commander';
import { z } from 'zod';
import { detectors } from '../../detectors/index.ts';
import type { Detector } from '../core/detector.ts';
import { wrap } from './text.ts';

/** Gives the command. */
export function detectorsCommand(): Command {
  return new Command('detectors')
    .description('the catalogue: what each detector sees, and what can be configured')
    .option('--json', 'one JSON array')
    .action((flags: { json?: boolean }) => {
      const all = detectors.map(catalogueEntry);
      process.stdout.write(
        flags.json ? `${JSON.stringify(all, null, 2)}\n` : all.map(text).join('\n'),
      );
    });
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
    state: 'fold' in detector ? 'fold' : 'stateless',
    config: z.toJSONSchema(config, { io: 'input' }),
    defaults: config.parse({}),
  };
}

function text(entry: ReturnType<typeof catalogueEntry>): string {
  const calls =
    entry.calls.length > 6
      ? [...entry.calls.slice(0, 6), `… ${entry.calls.length} in all`]
      : entry.calls;
  return [
    `${entry.id}  (${entry.severity}, ${entry.practice})`,
    ...wrap(entry.what, 2),
    ...wrap(`Calls: ${calls.join(', ')}`, 2),
    `  ATT&CK: ${entry.attack.map((one) => one.technique).join(', ')}   CIS: ${entry.cis.map((one) => `${one.version} ${one.control}`).join(', ')}`,
    `  Config: ${JSON.stringify(entry.defaults)}`,
    '',
  ].join('\n');
}
