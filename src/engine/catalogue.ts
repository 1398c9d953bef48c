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

/** A trait that detectors may ask for whatever the call, and how an event shows it. */
const traits: readonly { readonly pattern: string; has(event: Event): boolean }[] = [
  { pattern: 'key:long-term', has: (event) => event.accessKeyId.startsWith('AKIA') },
  { pattern: 'session:instance', has: isInstanceSession },
  { pattern: 'outcome:denied', has: (event) => event.outcome === 'denied' },
  { pattern: 'event:*', has: () => true },
];

/** EC2 names the sessions it gives to instances after them. */
function isInstanceSession(event: Event): boolean {
  if (event.identityType !== 'AssumedRole') return false;
  return event.text('userIdentity.principalId')?.includes(':i-') === true;
}

interface Trait {
  readonly wanting: readonly Enabled[];
  has(event: Event): boolean;
}

function index(enabled: readonly Enabled[]): Catalogue {
  const bySource = new Map<string, Map<string, Enabled[]>>();
  const byIdentity = new Map<string, Enabled[]>();
  const byTrait = new Map<string, Enabled[]>();
  for (const one of enabled) {
    for (const pattern of one.detector.on) {
      if (traits.some((trait) => trait.pattern === pattern)) {
        byTrait.set(pattern, [...(byTrait.get(pattern) ?? []), one]);
        continue;
      }
      const [source = '', name = '*'] = pattern.split(':');
      if (source === 'identity') {
        byIdentity.set(name, [...(byIdentity.get(name) ?? []), one]);
        continue;
      }
      const names = bySource.get(source) ?? new Map<string, Enabled[]>();
      bySource.set(source, names.set(name, [...(names.get(name) ?? []), one]));
    }
  }
  const wanted: readonly Trait[] = traits.flatMap(({ pattern, has }) => {
    const wanting = byTrait.get(pattern);
    return wanting === undefined ? [] : [{ wanting, has }];
  });
  const rank = new Map(enabled.map((one, at) => [one, at]));
  const inOrder = (a: Enabled, b: Enabled) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0);
  return {
    enabled,
    askedAbout(event) {
      const names = bySource.get(event.source);
      let asked = both(names?.get(event.name), names?.get('*'));
      asked = both(asked, byIdentity.get(event.identityType));
      for (const trait of wanted) if (trait.has(event)) asked = both(asked, trait.wanting);
      return asked.length < 2 ? asked : [...new Set(asked)].sort(inOrder);
    },
  };
}

const none: readonly Enabled[] = [];

function both(
  some: readonly Enabled[] | undefined,
  more: readonly Enabled[] | undefined,
): readonly Enabled[] {
  if (more === undefined) return some ?? none;
  return some === undefined || some.length === 0 ? more : [...some, ...more];
}
