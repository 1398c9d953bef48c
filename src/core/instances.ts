// What detectors need to know about machines: whose session it is, from which network, and small order-free
// sets of firsts for their state.
import { z } from 'zod';
import { type Bucket, evidenceOf, type JudgedSignal } from './detector.ts';
import type { Event } from './event.ts';
import type { Principal } from './principal.ts';
import type { Evidence } from './signal.ts';
import { evidenceSchema, principalSchema } from './tally.ts';
import { plain } from './text.ts';
import { dayMs } from './time.ts';

/** Takes an event; gives the id of the instance whose role session made it, undefined for all others. */
export function instanceOf(event: Event): string | undefined {
  if (event.identityType !== 'AssumedRole') return undefined;
  const session = event.text('userIdentity.principalId')?.split(':')[1] ?? '';
  return /^i-[0-9a-f]{8,17}$/i.test(session) ? session : undefined;
}

/** Takes an event; gives true when a person's own credentials or console session made it, not a pipeline. */
export function isByHand(event: Event): boolean {
  // Console records of old carry the sign-in service as what invoked them.
  const isForwarded = event.invokedBy !== '' && event.invokedBy !== 'signin.amazonaws.com';
  if (isForwarded || event.origin.kind === 'service') return false;
  const { kind, name } = event.principal;
  if (kind === 'user' || kind === 'root' || kind === 'identity-center') return true;
  const fromConsole = event.field('sessionCredentialFromConsole');
  return fromConsole === true || fromConsole === 'true' || name.startsWith('AWSReservedSSO_');
}

/** Takes an event; gives its address when it is a public one, else undefined. */
export function publicAddressOf(event: Event): string | undefined {
  if (event.origin.kind !== 'ip' || event.invokedBy !== '') return undefined;
  const address = plain(event.origin.text);
  return isPrivate(address) ? undefined : address;
}

/** Takes an address; gives true for those that only mean something inside a network. */
export function isPrivate(address: string): boolean {
  if (address.includes(':')) return /^(f[cd]|fe[89ab]|::1?$)/i.test(address);
  const [a = 0, b = 0] = address.split('.').map(Number);
  if (a === 10 || a === 127 || a === 0 || (a === 192 && b === 168)) return true;
  if (a === 169 && b === 254) return true;
  return (a === 172 && b >= 16 && b <= 31) || (a === 100 && b >= 64 && b <= 127);
}

/** Takes a public address; gives the /16 it is in, or the /32 of an IPv6 address. */
export function networkOf(address: string): string {
  if (address.includes(':'))
    return `${address.toLowerCase().split(':').slice(0, 2).join(':')}::/32`;
  return `${address.split('.').slice(0, 2).join('.')}.0.0/16`;
}

/** Takes an event and the name of an EC2 set; gives the instance ids of `<set>.items[].instanceId`. */
export function instancesIn(event: Event, set = 'requestParameters.instancesSet'): string[] {
  const items = event.field(`${set}.items`);
  if (!Array.isArray(items)) return [];
  return items.flatMap((_, at) => event.text(`${set}.items.${at}.instanceId`) ?? []);
}

/** Takes an event and a path; gives the texts of a list that is there. */
export function textsAt(event: Event, path: string): string[] {
  const list = event.field(path);
  return Array.isArray(list) ? list.filter((one): one is string => typeof one === 'string') : [];
}

/** The shape of firsts: by name, the first event that showed it. */
export const firstsSchema = z.record(z.string(), evidenceSchema);
export type Firsts = Record<string, Evidence>;

/**
 * Takes firsts, a name and an event; notes the event where it is the first of that name, keeping the `max`
 * smallest names. Gives true when something changed.
 */
export function noted(firsts: Firsts, name: string, event: Event, max: number): boolean {
  const key = safe(name);
  const old = firsts[key];
  if (old !== undefined && !isBefore(event, old)) return false;
  if (old === undefined && isFullFor(firsts, key, max)) return false;
  firsts[key] = evidenceOf(event);
  const names = Object.keys(firsts).sort();
  for (const extra of names.slice(max)) delete firsts[extra];
  return true;
}

/** As `noted`, but changes nothing: true when noting the event would change something. */
export function isNews(firsts: Firsts, name: string, event: Event, max: number): boolean {
  const key = safe(name);
  const old = firsts[key];
  return old === undefined ? !isFullFor(firsts, key, max) : isBefore(event, old);
}

/** Takes several firsts; gives the events that prove them, first to last, each once. */
export function proofsOf(...all: readonly Firsts[]): Evidence[] {
  const byId = new Map(all.flatMap((one) => Object.values(one)).map((one) => [one.id, one]));
  return [...byId.values()].sort(inOrder).slice(0, proofsMax);
}

/** Proofs that a signal carries: what a person would read. */
const proofsMax = 20;

export function inOrder(a: Evidence, b: Evidence): number {
  return a.time - b.time || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

// A name that an object keeps for itself would not be a name.
function safe(name: string): string {
  const shown = plain(name);
  return shown === '__proto__' ? '_proto_' : shown;
}

function isBefore(event: Event, old: Evidence): boolean {
  return event.time < old.time || (event.time === old.time && plain(event.id) < old.id);
}

function isFullFor(firsts: Firsts, key: string, max: number): boolean {
  const names = Object.keys(firsts);
  return names.length >= max && names.every((one) => one < key);
}

/** The shape of a diary: what one principal did in one bucket, as firsts by section. */
export const diarySchema = z.object({
  account: z.string(),
  actor: principalSchema.optional(),
  sections: z.record(z.string(), firstsSchema),
});
export type Diary = z.infer<typeof diarySchema>;

/** The parts of a detector's state that keeps one diary a principal, account and UTC day. */
export const diaryOfDay = {
  version: 1,
  schema: diarySchema,
  scope: 'account',
  bucketMs: dayMs,
  lifetimeMs: 8 * dayMs,
  reachMs: 0,
  empty: emptyDiary,
} as const;

/** One line of a diary: the section, and the name under which the event is noted there. */
export type Entry = readonly [section: string, name: string];

export function emptyDiary(): Diary {
  return { account: '', sections: {} };
}

/** Takes a diary, an event and its entries; writes them, `max` names a section. True when it changed. */
export function written(diary: Diary, event: Event, entries: readonly Entry[], max = 60): boolean {
  const isOlder = isActorNews(diary, event);
  if (isOlder) diary.actor = { ...event.principal };
  if (isOlder && diary.account === '') diary.account = plain(event.account);
  const changes = entries.map(([section, name]) => {
    const firsts = diary.sections[section] ?? {};
    diary.sections[section] = firsts;
    return noted(firsts, name, event, max);
  });
  return isOlder || changes.includes(true);
}

/** Takes the same as `written`; gives true when writing would change nothing. */
export function isWritten(
  diary: Diary,
  event: Event,
  entries: readonly Entry[],
  max = 60,
): boolean {
  if (isActorNews(diary, event)) return false;
  return !entries.some(([section, name]) =>
    isNews(diary.sections[section] ?? {}, name, event, max),
  );
}

/** Takes a diary and a section; gives its names, sorted. */
export function namesIn(diary: Diary, section: string): string[] {
  return Object.keys(diary.sections[section] ?? {}).sort();
}

/** Takes a bucket, a key and sections; gives the parts of a signal that say whose it is and what proves it. */
export function signalOf(
  { start, state }: Bucket<Diary>,
  key: string,
  sections: readonly string[],
): Omit<JudgedSignal, 'severity' | 'title' | 'reason'> {
  const firsts = sections.map((one) => state.sections[one] ?? {});
  const evidence = proofsOf(...firsts);
  const principal = actorIn(state);
  return {
    key: `${key} ${principal.key} ${start}`,
    time: evidence[0]?.time ?? start,
    account: state.account,
    principal,
    evidence,
    count: evidence.length,
    limited: firsts.some((one) => Object.keys(one).length >= 60),
  };
}

/** Takes a diary; gives its principal as a sentence names it: `Role deploy`, `IAM user bob`. */
export function nameOf(diary: Diary): string {
  const { kind, name, account } = actorIn(diary);
  if (kind === 'root') return `Root of account ${account}`;
  const words = { user: 'IAM user ', role: 'Role ', federated: 'Federated user ' };
  return kind in words ? `${words[kind as keyof typeof words]}${name}` : name;
}

/** Takes a diary; gives its principal. */
export function actorIn({ actor, account }: Diary): Principal {
  if (actor === undefined) return { key: 'unknown', kind: 'unknown', account, name: 'Somebody' };
  const { arn, ...rest } = actor;
  return arn === undefined ? rest : { ...rest, arn };
}

// The smallest stands where one key was seen under several names, so that order does not matter.
function isActorNews({ actor }: Diary, { principal }: Event): boolean {
  if (actor === undefined) return true;
  return `${principal.name} ${principal.arn ?? ''}` < `${actor.name} ${actor.arn ?? ''}`;
}
