// Texts made from the code: the catalogue, the configuration reference, the published JSON Schemas.
import { z } from 'zod';
import { detectors } from '../../detectors/index.ts';
import { alertSchema, signalSchema } from '../../schemas/alert.ts';
import { configSchema } from '../../schemas/config.ts';
import { catalogueEntry } from '../../src/cli/detectors.ts';
import { practices } from '../../src/core/detector.ts';

/** Gives the JSON Schema of what leaves, or of the configuration as it is written. */
export function jsonSchema(which: 'alert' | 'signal' | 'config'): string {
  const schema = { alert: alertSchema, signal: signalSchema, config: configSchema }[which];
  const io = which === 'config' ? 'input' : 'output';
  const made = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  const title = {
    alert: 'Sentrail alert',
    signal: 'Sentrail signal',
    config: 'Sentrail configuration',
  };
  return `${JSON.stringify({ title: title[which], ...made }, null, 2)}\n`;
}

/** Gives detectors/README.md. */
export function catalogueText(): string {
  const head = [
    '# Detectors',
    '',
    'Generated from the detectors themselves by `npm run generate`; a test fails when it is stale.',
  ];
  const chapters = Object.entries(practices).flatMap(([practice, title], at) => {
    const own = detectors.filter((one) => one.meta.practice === practice);
    const rows = own.map(
      ({ meta }) => `| [${meta.id}](#${meta.id}) | ${meta.severity} | ${meta.title} |`,
    );
    const table = ['', '| id | usual severity | headline |', '|---|---|---|', ...rows];
    const sections = own.map((one) => section(catalogueEntry(one)));
    return [`\n## ${at + 1}. ${title}`, ...table, ...sections];
  });
  return `${[...head, ...chapters].join('\n')}\n`;
}

type Entry = ReturnType<typeof catalogueEntry>;

function section(entry: Entry): string {
  const list = (items: readonly string[]) => items.map((one) => `- ${one}`).join('\n');
  const attack = entry.attack.map((one) => `${one.technique} ${one.name} (ATT&CK ${one.version})`);
  const cis = entry.cis.map((one) => `${one.framework} ${one.version}: ${one.control}`);
  const config = settings(entry);
  return [
    `\n### ${entry.id}\n`,
    `**${entry.title}** · ${entry.severity} · ${entry.practice} · ${entry.state}\n`,
    `${entry.what}\n`,
    `**Why it matters.** ${entry.why}\n`,
    `**It may be innocent when**\n\n${list(entry.innocent)}\n`,
    `**Do first**\n\n${list(entry.firstSteps)}\n`,
    `**Known gaps**\n\n${list(entry.gaps)}\n`,
    `**Covers** ${[...attack, ...cis].join('; ')}\n`,
    `**Configuration** ${config === '' ? 'none of its own' : `\n\n${config}`}\n`,
    `<details><summary>${entry.calls.length} API calls</summary>\n\n${callList(entry.calls)}\n\n</details>`,
  ].join('\n');
}

function callList(calls: readonly string[]): string {
  const bySource = new Map<string, string[]>();
  for (const call of calls) {
    const [source = '', name = ''] = call.split(':');
    bySource.set(source, [...(bySource.get(source) ?? []), name]);
  }
  return [...bySource].map(([source, names]) => `- ${source}: ${names.join(', ')}`).join('\n');
}

const properties = z.looseObject({
  properties: z
    .record(z.string(), z.looseObject({ description: z.string().optional() }))
    .optional(),
});

function settings(entry: Entry): string {
  const defaults = z.record(z.string(), z.unknown()).parse(entry.defaults ?? {});
  const shape = properties.parse(entry.config).properties ?? {};
  const rows = Object.entries(shape).map(
    ([name, one]) =>
      `| \`${name}\` | \`${JSON.stringify(defaults[name])}\` | ${one.description ?? ''} |`,
  );
  return rows.length === 0
    ? ''
    : ['| key | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

const node = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  get properties() {
    return z.record(z.string(), node).optional();
  },
  get items() {
    return node.optional();
  },
  get additionalProperties() {
    return z.union([z.boolean(), node]).optional();
  },
  get oneOf() {
    return z.array(node).optional();
  },
  get anyOf() {
    return z.array(node).optional();
  },
});
type Node = z.infer<typeof node>;

/** Gives docs/configuration.md. */
export function configText(): string {
  const root = node.parse(JSON.parse(jsonSchema('config')));
  const head = [
    '# Configuration',
    '',
    'One YAML file, given by `--config`. `sentrail check-config FILE` checks it and names a wrong key',
    'with its line and the nearest right one. Durations are a whole number and one of `s`, `m`, `h`, `d`.',
    'Generated from `schemas/config.ts` by `npm run generate`; a test fails when it is stale.',
    '',
    '| key | default | meaning |',
    '|---|---|---|',
  ];
  return `${[...head, ...rows(root, '')].join('\n')}\n`;
}

function rows(at: Node, path: string): string[] {
  return Object.entries(at.properties ?? {}).flatMap(([name, child]) => {
    const key = path === '' ? name : `${path}.${name}`;
    const inner = below(child, key);
    const isGroup = child.properties !== undefined;
    const text = child.description ?? valuesOf(child);
    const value =
      child.default === undefined || isGroup ? '' : `\`${JSON.stringify(child.default)}\``;
    return isGroup ? inner : [`| \`${key}\` | ${value} | ${text} |`, ...inner];
  });
}

function valuesOf(child: Node): string {
  if (child.const !== undefined) return `\`${String(child.const)}\``;
  return child.enum ? `One of ${child.enum.join(', ')}.` : '';
}

function below(child: Node, key: string): string[] {
  const each = child.additionalProperties;
  const own = child.properties === undefined ? [] : rows(child, key);
  const items = child.items === undefined ? [] : rows(child.items, `${key}[]`);
  const named =
    typeof each === 'object'
      ? variants(each).flatMap((one) => rows(one, `${key}.NAME${kindOf(one)}`))
      : [];
  const chosen = child.properties === undefined ? choices(child, key) : [];
  return [...new Set([...own, ...items, ...named, ...chosen])];
}

/** Where a value is one of several objects, each kind's keys; secrets and the like say it themselves. */
function choices(child: Node, key: string): string[] {
  const kinds = variants(child).filter((one) => one !== child && one.description === undefined);
  const shaped = kinds.filter((one) => !isSecret(one));
  return shaped.flatMap((one) => rows(one, `${key}${kindOf(one)}`));
}

function isSecret({ properties = {} }: Node): boolean {
  const names = Object.keys(properties);
  return names.length === 1 && (names[0] === 'env' || names[0] === 'file');
}

/** ` (kafka)` for the variant whose `type` or `mechanism` says so. */
function kindOf(one: Node): string {
  const tag = one.properties?.['type'] ?? one.properties?.['mechanism'];
  const named = tag?.const ?? tag?.enum?.join(', ');
  return named === undefined ? '' : ` (${String(named)})`;
}

function variants(one: Node): Node[] {
  return one.oneOf ?? one.anyOf ?? [one];
}
