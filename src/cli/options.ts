// Options that several commands share, and how their text becomes values.
import { InvalidArgumentError } from 'commander';
import { detectors } from '../../detectors/index.ts';
import type { Config } from '../../schemas/config.ts';
import { defaultConfig, readConfig } from '../config.ts';
import { parseTime } from '../core/time.ts';

/** Takes the path given with --config, if any; gives the configuration. Throws `SentrailError`. */
export function configFrom(path: string | undefined): Config {
  return path === undefined ? defaultConfig() : readConfig(path, detectors);
}

/** Takes a time as a person writes it: a day, or ISO 8601; gives milliseconds. */
export function timeOption(text: string): number {
  const time = parseTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  if (time === undefined) {
    throw new InvalidArgumentError(
      'a time is a day (2026-11-09) or ISO 8601 (2026-11-09T02:00:00Z), in UTC',
    );
  }
  return time;
}

/** Takes `a,b`; gives the list. */
export function listOption(text: string): string[] {
  const list = text.split(',').map((one) => one.trim());
  return list.filter((one) => one !== '');
}
