// Writes docs/coverage.md: every labelled scenario of the data sets, and what fired on it.
import { type Severity, severities } from '../../src/core/severity.ts';
import { believer, isCaught, type Outcome } from './outcome.ts';
import type { Reasons } from './reasons.ts';
import type { Kind } from './scenarios.ts';

const attackSets: Readonly<Record<string, string>> = {
  'stratus-detonations-2024':
    'Stratus Red Team: one technique each, recorded while its tool carried it out.',
  'maheribra-attack-chain-2026': 'A role assumed by a stolen key, then objects of a bucket copied.',
  'flaws-cloud-excerpt-2020': 'Strangers with published keys in a training account.',
  'otrf-cloud-breach-s3-2020':
    'Instance credentials taken through a proxy, then a bucket copied; shaped by Logstash.',
  'panther-scenarios': 'Scenarios a vendor wrote; their attackers’ half.',
  'traildiscover-events':
    'One record of each of the API calls that attackers use, most of them everyday calls: a single\n' +
    'record has no past and no company, so what is judged by pattern cannot fire here.',
};

/** Takes what came of every scenario, and the reasons; gives the page. */
export function coverageText(outcomes: readonly Outcome[], reasons: Reasons): string {
  const of = (kind: Kind) => outcomes.filter((one) => one.scenario.kind === kind);
  const parts = [
    head(),
    totals(outcomes),
    ...Object.entries(attackSets).flatMap(([set, about]) => {
      const rows = of('attack').filter((one) => one.scenario.set === set);
      return ['', `## ${set}`, '', about, '', ...attackTable(rows, reasons)];
    }),
    ...ruleTests(of('match'), of('no match'), reasons),
    ...benign(of('benign'), reasons),
    ...fixtures(of('fixture')),
  ];
  return `${parts.join('\n')}\n`;
}

function head(): string {
  return `# Coverage

What the whole catalogue, with its default configuration, says of public trails: each labelled
scenario is judged by itself, from its records to alerts. Written by \`npm run coverage\` from sets
that are not part of this repository (their path is in \`SENTRAIL_TEST_DATA\`); a test fails when it
is stale. Where nothing above info fired, the reason is from \`test/coverage/misses.json\`.

A detector stands with the worst severity it gave; \`alerts\` is how many alerts stand. Signals about
one principal in one day are one alert, so one alert may hold many detectors. \`${believer}\` is left
out except on benign records: these rehearsals name themselves, intruders do not.
`;
}

function totals(outcomes: readonly Outcome[]): string {
  const sets = [...Object.keys(attackSets), 'trailalerts-sigma-tests'];
  const rows = sets.map((set) => {
    const all = outcomes.filter(
      ({ scenario }) => scenario.set === set && /^(attack|match)$/.test(scenario.kind),
    );
    const above = (rank: number) =>
      all.filter((one) => one.alerts.some((of) => severities.indexOf(of) >= rank)).length;
    return row([set, all.length, above(1), above(2), above(3), all.length - above(1)]);
  });
  return [
    ...header(['set', 'scenarios', 'low or worse', 'medium or worse', 'high or worse', 'missed']),
    ...rows,
  ].join('\n');
}

function attackTable(rows: readonly Outcome[], reasons: Reasons): string[] {
  return [
    ...header(['scenario', 'records', 'severity', 'alerts', 'what fired, or why nothing did']),
    ...rows.map((one) =>
      row([
        code(one.scenario.name),
        one.scenario.records.length,
        one.alerts[0] ?? 'none',
        one.alerts.length,
        told(one, reasons),
      ]),
    ),
  ];
}

function told(one: Outcome, reasons: Reasons): string {
  const why = reasons.misses.get(`${one.scenario.set}/${one.scenario.name}`);
  const parts = isCaught(one) ? [firedText(one)] : [firedText(one), why ?? 'no reason given yet'];
  return parts.filter((part) => part !== '').join(' — ');
}

function firedText(one: Outcome): string {
  return one.fired.map(([detector, severity]) => `${code(detector)} (${severity})`).join(', ');
}

// A negative of one rule may be a positive of another, so what fires on one is told, not counted as wrong.
function ruleTests(
  positives: readonly Outcome[],
  negatives: readonly Outcome[],
  reasons: Reasons,
): string[] {
  const set = 'trailalerts-sigma-tests';
  const caught = positives.filter(isCaught).length;
  const loud = negatives.filter(isCaught).length;
  const byRule = new Map(negatives.map((one) => [ruleOf(one), one]));
  return [
    '',
    `## ${set}`,
    '',
    `Made-up records that rules of Sigma should match, and near misses that each rule should not.`,
    `Positives caught: ${caught} of ${positives.length}. Negatives on which something above info`,
    `fired: ${loud} of ${negatives.length}; a near miss of one rule may well be another's business.`,
    '',
    ...header(['rule', 'positive', 'what fired, or why nothing did', 'negative', 'what fired']),
    ...positives.map((one) => {
      const other = byRule.get(ruleOf(one));
      return row([
        code(ruleOf(one)),
        one.alerts[0] ?? 'none',
        told(one, reasons),
        other?.alerts[0] ?? 'none',
        other ? firedText(other) : '',
      ]);
    }),
  ];
}

function ruleOf({ scenario }: Outcome): string {
  return scenario.name.replace(/: (positive|negative)$/, '');
}

function benign(rows: readonly Outcome[], reasons: Reasons): string[] {
  const verdicts = rows.flatMap(({ scenario }) =>
    reasons.verdicts.filter((one) => one.set === scenario.set && one.scenario === scenario.name),
  );
  return [
    '',
    '## Benign records',
    '',
    'Alerts a day, by severity. A day is one (UTC) on which the set has events; a set of single',
    'records from many years is not made quiet by the years between.',
    '',
    ...header(['set', 'part', 'records', 'days', ...severities, 'what fired']),
    ...rows.map((one) => {
      const aDay = (of: Severity) => {
        const n = one.alerts.filter((severity) => severity === of).length / one.days;
        return String(Math.round(n * 100) / 100);
      };
      const { set, name, records } = one.scenario;
      return row([set, name, records.length, one.days, ...severities.map(aDay), firedText(one)]);
    }),
    ...(verdicts.length === 0 ? [] : ['', 'Above low, and looked into:', '']),
    ...verdicts.map(
      (one) => `- ${one.set}, ${one.scenario}, ${code(one.detector)}: ${one.verdict}`,
    ),
  ];
}

function fixtures(rows: readonly Outcome[]): string[] {
  return [
    '',
    '## Records without a label',
    '',
    'Examples of documentation and tests of parsers: no promise stands behind them, so nothing here',
    'is right or wrong.',
    '',
    ...header(['set', 'records', 'alerts', ...severities.toReversed(), 'what fired']),
    ...rows.map((one) =>
      row([
        one.scenario.set,
        one.scenario.records.length,
        one.alerts.length,
        ...severities.toReversed().map((of) => one.alerts.filter((is) => is === of).length),
        firedText(one),
      ]),
    ),
  ];
}

function header(names: readonly string[]): string[] {
  return [row(names), `|${names.map(() => '---|').join('')}`];
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

// Names come from labels of files that others wrote: nothing in them may end a cell.
function code(name: string): string {
  return `\`${name.replace(/[^\w.:,\- ]/g, '?')}\``;
}
