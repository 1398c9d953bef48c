// Reads the labelled sets of real and published trails, where they are at hand, and splits each into its
// scenarios: what one label covers is judged by itself.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { uuidOf } from '../support/records.ts';

/** Where the sets are. */
export const folder = join(
  process.env['SENTRAIL_TEST_DATA'] ?? join(import.meta.dirname, '../../../shared/data'),
  'cloudtrail',
);
/** Whether they are there. */
export const isThere = existsSync(folder);

/** What a label promises of the records under it. */
export type Kind = 'attack' | 'benign' | 'match' | 'no match' | 'fixture';

/** One label's records. `name` is unique within the set. */
export interface Scenario {
  readonly set: string;
  readonly name: string;
  readonly kind: Kind;
  readonly records: readonly unknown[];
}

const indexLine = z.looseObject({
  label: z
    .looseObject({
      class: z.string().optional(),
      technique: z.string().optional(),
      event: z.string().optional(),
      service: z.string().optional(),
      rule: z.string().optional(),
      expected: z.string().optional(),
    })
    .optional(),
});
type Label = NonNullable<z.infer<typeof indexLine>['label']>;
type Name = readonly [name: string, kind: Kind];

// Each set labels its lines in its own way.
const sets: Readonly<Record<string, (label: Label) => Name>> = {
  'stratus-detonations-2024': (label) => [label.technique ?? '', 'attack'],
  'maheribra-attack-chain-2026': attackOrBackground,
  'flaws-cloud-excerpt-2020': () => ['public intruders', 'attack'],
  'otrf-cloud-breach-s3-2020': attackOrBackground,
  'panther-scenarios': (label) =>
    label.class === 'benign'
      ? [`${label.event}: victim`, 'benign']
      : [`${label.event}: attacker`, 'attack'],
  'traildiscover-events': (label) => [`${label.service}:${label.event}`, 'attack'],
  'trailalerts-sigma-tests': (label) =>
    label.expected === 'should_match'
      ? [`${label.rule}: positive`, 'match']
      : [`${label.rule}: negative`, 'no match'],
  'grycap-benign-2017': () => ['whole set', 'benign'],
  'coralogix-benign-2023': () => ['whole set', 'benign'],
  'cloud-custodian-cwe': () => ['whole set', 'benign'],
  'aws-docs-examples': () => ['whole set', 'fixture'],
  'elastic-aws-pipeline-2021': () => ['whole set', 'fixture'],
  'misc-tool-fixtures': () => ['whole set', 'fixture'],
  'umccr-eventversions': () => ['whole set', 'fixture'],
};

/** Gives every scenario of every set, sorted by name within its set. */
export function readScenarios(): Scenario[] {
  return Object.entries(sets).flatMap(([set, name]) => {
    const records = linesOf(`${set}.ndjson.gz`);
    const labels = linesOf(`${set}.index.ndjson.gz`).map((one) => indexLine.parse(one).label ?? {});
    if (records.length !== labels.length) throw new Error(`${set}: its index has other lines`);
    const groups = new Map<string, { kind: Kind; records: unknown[] }>();
    for (const [line, record] of records.entries()) {
      const [key, kind] = name(labels[line] ?? {});
      const group = groups.get(key) ?? { kind, records: [] };
      group.records.push(record);
      groups.set(key, group);
    }
    return [...groups]
      .map(([key, { kind, records }]) => ({ set, name: key, kind, records: apart(records, set) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  });
}

function attackOrBackground(label: Label): Name {
  return label.class === 'background' ? ['background', 'benign'] : ['attack', 'attack'];
}

function linesOf(file: string): unknown[] {
  const text = gunzipSync(readFileSync(join(folder, file))).toString();
  return text
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

// Made-up records share ids ("1"): as the same event they would be judged once. Where only the id is the
// same they are told apart by their place.
function apart(records: readonly unknown[], set: string): unknown[] {
  const seen = new Map<string, string>();
  return records.map((record, line) => {
    if (typeof record !== 'object' || record === null || !('eventID' in record)) return record;
    const id = String(record.eventID);
    const text = JSON.stringify(record);
    const first = seen.get(id);
    seen.set(id, first ?? text);
    if (first === undefined || first === text) return record;
    return { ...record, eventID: uuidOf(set, id, String(line)) };
  });
}
