// The fingerprint of everything that decides what is judged: code, catalogue, config.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../schemas/config.ts';

/** Where compiled (or, in tests, source) code lies: the folder above `src`. */
const codeRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const judged = ['schemas', 'detectors', 'src/core', 'src/decode', 'src/engine'];

/**
 * Takes the config and what else shapes judgement (range, chosen detectors); gives 16 hex digits. The
 * code of the pure middle, the detectors and the schemas is read and hashed, so that an edited
 * detector is another fingerprint.
 */
export function fingerprintOf(config: Config, more: Readonly<Record<string, unknown>>): string {
  const hash = createHash('sha256').update(codeHash());
  const { lateness, ahead, alerts, duplicates, limits, detectors, exceptions } = config;
  const judging = { lateness, ahead, alerts, duplicates, limits, detectors, exceptions };
  hash.update(JSON.stringify([judging, more]));
  return hash.digest('hex').slice(0, 16);
}

let known: string | undefined;

/** Code does not change under a running process, so it is read once. */
function codeHash(): string {
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const folder of judged) {
    for (const file of codeFiles(join(codeRoot, folder))) hash.update(readFileSync(file));
  }
  known = hash.digest('hex');
  return known;
}

function codeFiles(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((one) => one.isFile() && /\.[jt]s$/.test(one.name));
  return files.map((one) => join(one.parentPath, one.name)).sort();
}
