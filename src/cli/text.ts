// Alerts as a person reads them at three in the morning, and the summary of a run.
import colors from 'picocolors';
import { detectors } from '../../detectors/index.ts';
import type { AlertJson, SignalInAlertJson } from '../../schemas/alert.ts';
import type { Replayed } from '../app.ts';
import type { Counters } from '../core/ports.ts';
import { type Severity, severities, severityRank } from '../core/severity.ts';
import { plain } from '../core/text.ts';

const width = 96;
/** What a card shows of long lists; `alerts show ID` shows all. */
const signalsShown = 4;
const eventsShown = 6;
const quietShown = 12;

const paint: Readonly<Record<Severity, (text: string) => string>> = {
  critical: (text) => colors.bold(colors.red(text)),
  high: (text) => colors.red(text),
  medium: (text) => colors.yellow(text),
  low: (text) => colors.cyan(text),
  info: (text) => colors.dim(text),
};

/** Takes alerts; gives a card for each from medium on, the worst last (next to the prompt), and lines for the rest. */
export function alertCards(alerts: readonly AlertJson[]): string {
  const sorted = [...alerts].sort(
    (a, b) => severityRank(a.severity) - severityRank(b.severity) || (a.from < b.from ? -1 : 1),
  );
  const quiet = sorted.filter((one) => severityRank(one.severity) < severityRank('medium'));
  const loud = sorted.filter((one) => !quiet.includes(one));
  const cards = loud.map((one) => card(one, false));
  return [quietLines(quiet), ...cards].filter((one) => one !== '').join('\n');
}

function quietLines(alerts: readonly AlertJson[]): string {
  if (alerts.length === 0) return '';
  const lines = alerts.slice(-quietShown).map((one) => `  ${line(one)}`);
  const rest = alerts.length - lines.length;
  const more = rest > 0 ? [`  … and ${rest} more: sentrail alerts list`] : [];
  return `${colors.bold('Low and info')}\n${[...lines, ...more].join('\n')}\n`;
}

/** Takes an alert; gives one line: severity, day, id, title, principal. */
export function line(alert: AlertJson): string {
  const severity = paint[alert.severity](alert.severity.padEnd(8));
  const status = alert.status === 'open' ? '' : ` [${alert.status}]`;
  const who = `${plain(alert.principal.name)} in ${plain(alert.account)}`;
  return `${severity} ${alert.from.slice(0, 16).replace('T', ' ')}  ${alert.id}  ${plain(alert.title, 200)} — ${who}${status}`;
}

/** Takes an alert and whether to show all of it; gives the card. */
export function card(alert: AlertJson, isWhole: boolean): string {
  const { severity } = alert;
  const head = `${paint[severity](severity.toUpperCase())}  ${colors.bold(plain(alert.title, 300))}`;
  return [
    head,
    ...facts(alert),
    '',
    ...chainLines(alert, isWhole),
    ...signalLines(alert, isWhole),
    '',
    ...timelineLines(alert, isWhole),
    '',
    ...advice(alert),
    '',
  ].join('\n');
}

function facts(alert: AlertJson): string[] {
  const { principal } = alert;
  const arn = principal.arn === undefined ? '' : `  ${plain(principal.arn, 200)}`;
  const rows: [string, string][] = [
    ['who', `${plain(principal.name)} (${principal.kind})${arn}`],
    ...personRows(alert),
    ['account', plain(alert.account)],
    ['when', `${clock(alert.from)} to ${clock(alert.to)} UTC`],
    ['alert', `${alert.id}, revision ${alert.revision}, ${alert.status}`],
  ];
  if (alert.related.length > 0) rows.push(['related', alert.related.join(', ')]);
  for (const one of alert.exceptions) {
    rows.push([
      'hidden',
      `${one.hidden} by exception ${one.id} (${plain(one.owner)}: ${plain(one.reason)})`,
    ]);
  }
  return rows.map(([name, value]) => `  ${colors.dim(name.padEnd(8))} ${value}`);
}

/** Who stands behind the principal, where it is somebody else; and that nobody knows, where so. */
function personRows(alert: AlertJson): [string, string][] {
  const others = alert.persons.filter((one) => one.principal.key !== alert.principal.key);
  const rows = others.map(({ principal, standing }): [string, string] => {
    const mark =
      standing === 'proven' ? 'proven' : colors.yellow('a hint only: a name somebody chose');
    return ['person', `${named(principal)}, ${mark}`];
  });
  const isOpen = alert.signals.some((one) =>
    one.chains.some((chain) => chain.person === undefined),
  );
  if (isOpen) rows.push(['person', colors.yellow('unknown: the trail does not show who began it')]);
  return rows;
}

/** A hint has a name and nothing that says of whom or what it is the name. */
function named({ name, kind, account }: AlertJson['principal']): string {
  return kind === 'unknown' ? plain(name) : `${plain(name)} (${kind} in ${plain(account)})`;
}

/** The steps by which credentials were handed on, from the session that acted back to the person. */
function chainLines(alert: AlertJson, isWhole: boolean): string[] {
  const chains = new Map(
    alert.signals.flatMap((one) => one.chains).map((chain) => [chain.session, chain] as const),
  );
  const told = [...chains.values()].filter((one) => one.hops.length > 0);
  if (told.length === 0) return [];
  const shown = isWhole ? told : told.slice(0, 2);
  const lines = shown.flatMap((chain) =>
    chain.hops.map((hop, at) => {
      const start = at === 0 ? plain(chain.session || 'session').padEnd(21) : ' '.repeat(21);
      const how = hop.how === '' ? `by ${hop.basis}` : `by ${plain(hop.how)} of`;
      const who = named(hop.principal);
      const proof = hop.event === undefined ? '' : colors.dim(`  ${plain(hop.event)}`);
      return `    ${start} ${how} ${who}, ${hop.standing}${proof}`;
    }),
  );
  const rest = told.length - shown.length;
  if (rest > 0) lines.push(`    … and ${rest} more sessions: sentrail alerts show ${alert.id}`);
  return [colors.dim('  Where the session came from'), ...lines, ''];
}

function signalLines(alert: AlertJson, isWhole: boolean): string[] {
  const sorted = [...alert.signals].sort(
    (a, b) => severityRank(b.severity) - severityRank(a.severity),
  );
  const shown = isWhole ? sorted : sorted.slice(0, signalsShown);
  const lines = shown.flatMap((one) => signalText(one, alert));
  const rest = sorted.length - shown.length + alert.signalsOverLimit;
  if (rest > 0) lines.push(`    … and ${rest} more: sentrail alerts show ${alert.id}`);
  return [colors.dim('  What happened'), ...lines];
}

function signalText(signal: SignalInAlertJson, alert: AlertJson): string[] {
  const marks = [signal.late ? 'late' : '', signal.limited ? 'cut by a limit' : ''].filter(Boolean);
  const note = marks.length > 0 ? ` [${marks.join(', ')}]` : '';
  const severity = paint[signal.severity](signal.severity.padEnd(8));
  const title =
    signal.title === alert.title && alert.signals.length === 1 ? '' : plain(signal.title, 300);
  const text = wrap(plain(signal.reason, 1_000), 15);
  const first = title === '' ? text.shift()?.trimStart() : title;
  return [
    `    ${severity} ${first ?? ''}${note}`,
    ...text,
    colors.dim(`               ${signal.detector}`),
  ];
}

function timelineLines(alert: AlertJson, isWhole: boolean): string[] {
  const { timeline } = alert;
  const shown = isWhole ? timeline : timeline.slice(0, eventsShown);
  const lines = shown.map((one) => {
    const outcome = one.outcome === 'success' ? '' : colors.yellow(` ${one.outcome}`);
    const where = `from ${one.from || '?'} in ${one.region}`;
    return `    ${clock(one.time)}  ${one.what.padEnd(28)} ${one.who}  ${where}${outcome}  ${colors.dim(one.event)}`;
  });
  const rest = timeline.length - shown.length;
  if (rest > 0) lines.push(`    … and ${rest} more events: sentrail alerts show ${alert.id}`);
  return [colors.dim('  Timeline (sentrail explain EVENTID prints the record)'), ...lines];
}

/** Why it matters, how it may be innocent, what to do first: from the detector that speaks for the alert. */
function advice(alert: AlertJson): string[] {
  const lead = [...alert.signals].sort(
    (a, b) => severityRank(b.severity) - severityRank(a.severity),
  )[0];
  const meta = detectors.find((one) => one.meta.id === lead?.detector)?.meta;
  if (meta === undefined) return [];
  const list = (all: readonly string[], mark: (at: number) => string) =>
    all.flatMap((one, at) => hanging(`${mark(at)} `, one));
  return [
    colors.dim('  Why it matters'),
    ...wrap(meta.why, 4),
    colors.dim('  It may be innocent when'),
    ...list(meta.innocent, () => '-'),
    colors.dim('  Do first'),
    ...list(meta.firstSteps, (at) => `${at + 1}.`),
  ];
}

function hanging(mark: string, text: string): string[] {
  const [first = '', ...rest] = wrap(text, 4 + mark.length);
  return [`    ${mark}${first.trimStart()}`, ...rest];
}

/** Takes text and an indent; gives lines of at most the width. */
export function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    if (current !== '' && current.length + word.length + 1 > width - indent) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current].map((one) => `${' '.repeat(indent)}${one}`);
}

function clock(time: string): string {
  return time.replace('T', ' ').replace('Z', '');
}

/** Takes what a run did; gives the summary for standard error. */
export function summary(
  done: Replayed,
  bySeverity: ReadonlyMap<string, number>,
  seconds: number,
  isForgotten: boolean,
): string {
  const { counters, before } = done;
  const fresh = counters.items - before.items;
  const lines = [
    `${count(fresh)} items in ${seconds.toFixed(1)} s (${count(Math.round(fresh / Math.max(seconds, 0.001)))} a second)${
      before.items > 0 ? `; ${count(before.items)} more were judged before` : ''
    }`,
    ...accounting(counters),
    `alerts that stand: ${alertCounts(bySeverity)}`,
  ];
  if (done.wasStopped) lines.push('stopped before the end; the same command goes on from here');
  else if (fresh === 0 && before.items > 0) lines.push('nothing new since the last run');
  if (!isForgotten)
    lines.push(`kept in ${done.storePath}: sentrail alerts list --store ${done.storePath}`);
  return `${lines.map((one) => `  ${one}`).join('\n')}\n`;
}

function accounting(counters: Readonly<Counters>): string[] {
  const parts: [string, number][] = [
    ['events', counters.events],
    ['duplicates', counters.duplicates],
    ['late', counters.late],
    ['outside the range', counters.outsideRange],
    ['findings', counters.findings],
    ['insights', counters.insights],
    ['aggregated', counters.aggregated],
    ['digests', counters.digests],
    ['control', counters.control],
    ['samples', counters.samples],
  ];
  const main = parts.filter(([name, n]) => n > 0 || name === 'events' || name === 'duplicates');
  const lines = [main.map(([name, n]) => `${count(n)} ${name}`).join(', ')];
  const listed = (all: Readonly<Record<string, number>>) =>
    Object.entries(all)
      .map(([name, n]) => `${name} ${count(n)}`)
      .join(', ');
  const more: [string, Readonly<Record<string, number>>][] = [
    ['rejected', counters.rejected],
    ['hidden by exceptions', counters.hidden],
    ['detectors that failed (coverage lost)', counters.detectorErrors],
    ['limits reached', counters.limits],
  ];
  for (const [name, all] of more)
    if (Object.keys(all).length > 0) lines.push(`${name}: ${listed(all)}`);
  return lines;
}

function alertCounts(bySeverity: ReadonlyMap<string, number>): string {
  const all = [...severities].reverse().filter((one) => bySeverity.has(one));
  if (all.length === 0) return 'none';
  return all.map((one) => `${bySeverity.get(one)} ${paint[one](one)}`).join(', ');
}

function count(n: number): string {
  return n.toLocaleString('en');
}
