// The detectors as the engine asks them: indexed by call, each with its parsed config.
import type { Config } from '../../schemas/config.ts';
import type { Detector } from '../core/detector.ts';
import { SentrailError } from '../core/errors.ts';
import type { Event } from '../core/event.ts';
import type { Severity } from '../core/severity.ts';

/** A detector with its config parsed and the engine's common settings. */
export interface Enabled {
  readonly detector: Detector;
  readonly id: string;
  readonly config: unknown;
  readonly severity: Severity | undefined;
}

/** The index over a set of detectors. */
export interface Catalogue {
  readonly enabled: readonly Enabled[];
  /** Gives the detectors that ask for this event, in catalogue order. */
  askedAbout(event: Event): readonly Enabled[];
}

/**
 * Takes all detectors, the config, and optionally the only ids wanted; gives the index.
 * Throws `SentrailError` (config) for an id that is not in the catalogue or a key it does not know.
 */
export function makeCatalogue(
  detectors: readonly Detector[],
  config: Pick<Config, 'detectors'>,
  only?: readonly string[],
): Catalogue {
  const known = detectors.map((one) => one.meta.id);
  for (const id of [...Object.keys(config.detectors), ...(only ?? [])]) {
    if (known.includes(id)) continue;
    throw new SentrailError(
      'config',
      `no detector is called '${id}'; there are: ${known.join(', ')}`,
    );
  }
  const enabled = detectors.flatMap((detector) => {
    const { enabled: isOn = true, severity, ...own } = config.detectors[detector.meta.id] ?? {};
    if (!isOn || (only !== undefined && !only.includes(detector.meta.id))) return [];
    return [{ detector, id: detector.meta.id, config: parse(detector, own), severity }];
  });
  return index(enabled);
}

function parse(detector: Detector, own: Record<string, unknown>): unknown {
  const parsed = detector.config.safeParse(own);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = [detector.meta.id, ...(issue?.path ?? [])].join('.');
  throw new SentrailError('config', `detectors.${where}: ${issue?.message ?? 'not valid'}`);
}

const rootPattern = 'identity:Root';

function index(enabled: readonly Enabled[]): Catalogue {
  const bySource = new Map<string, Map<string, Enabled[]>>();
  const forRoot: Enabled[] = [];
  for (const one of enabled) {
    for (const pattern of one.detector.on) {
      if (pattern === rootPattern) {
        forRoot.push(one);
        continue;
      }
      const [source = '', name = '*'] = pattern.split(':');
      const names = bySource.get(source) ?? new Map<string, Enabled[]>();
      bySource.set(source, names.set(name, [...(names.get(name) ?? []), one]));
    }
  }
  const rank = new Map(enabled.map((one, at) => [one, at]));
  const none: readonly Enabled[] = [];
  return {
    enabled,
    askedAbout(event) {
      const names = bySource.get(event.source);
      const named = names?.get(event.name);
      const any = names?.get('*');
      const root = forRoot.length > 0 && event.identityType === 'Root' ? forRoot : undefined;
      if (root === undefined && any === undefined) return named ?? none;
      const all = new Set([...(named ?? none), ...(any ?? none), ...(root ?? none)]);
      return [...all].sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0));
    },
  };
}
