// The live sessions of a lane: which event issued which key to whom, and from it the chain to the person.
import type { Basis, Caller, Chain, Hop, Standing } from '../core/chain.ts';
import type { Event } from '../core/event.ts';
import type { BucketRow } from '../core/ports.ts';
import type { Principal } from '../core/principal.ts';
import { issueOf, type Link, timed } from './links.ts';
import { SessionRows } from './session-rows.ts';

/** A chain, and what would make it more certain were it seen: keys and shared ids. */
export interface Resolved {
  readonly chain: Chain;
  readonly needs: readonly string[];
}

interface Step {
  readonly link: Link;
  readonly basis: Basis;
}

/** Clocks of two services differ by seconds. */
const skewMs = 60_000;

/** More hops than anybody makes; a loop of roles that assume each other ends here. */
const hopsMax = 16;

export class Sessions {
  readonly #rows: SessionRows;

  /** Takes the rows of a checkpoint and how many sessions are kept. */
  constructor(rows: Iterable<BucketRow>, sessionsMax: number) {
    this.#rows = new SessionRows(rows, sessionsMax);
  }

  /** How many sessions are held. */
  get size(): number {
    return this.#rows.links.size;
  }

  /** About how many bytes they take. */
  get bytes(): number {
    return this.#rows.bytes;
  }

  /** How often the limit made one go before its time. */
  get limitsReached(): number {
    return this.#rows.limitsReached;
  }

  /** Takes an event; where it hands credentials on, keeps that, and gives the needs it answers. */
  observe(event: Event): readonly string[] {
    const issue = issueOf(event);
    if (issue === undefined) return [];
    const { key, shared, link } = issue;
    const needs: string[] = [];
    if (key !== undefined && this.#rows.keepLink(key, link)) {
      needs.push(`key ${key}`);
      if (link.made !== undefined) needs.push(timed(link.made, link.time));
    }
    if (shared !== undefined && link.by.principal.kind !== 'external') {
      if (this.#rows.keepShared(shared, link)) needs.push(`shared ${shared}`);
    }
    return needs;
  }

  /** Keeps the session of a caller that stands in a signal for longer than it lives. */
  pin(caller: Caller, until: number): void {
    if (caller.key !== '' && caller.key.startsWith('ASIA')) this.#rows.pin(caller.key, until);
  }

  /** Forgets what ended before the watermark and is an ancestor of nothing that lives. */
  expire(watermark: number): void {
    this.#rows.expire(watermark);
  }

  /** Gives what changed since the last call, as rows of the checkpoint. */
  changes(): ReturnType<SessionRows['changes']> {
    return this.#rows.changes();
  }

  /** Takes what an event said of its session; gives the chain behind it as far as it is known now. */
  resolve(first: Caller, time: number): Resolved {
    const needs: string[] = [];
    const hops: Hop[] = [];
    const seen = new Set<string>();
    let at = first;
    let atTime = time;
    while (hops.length < hopsMax) {
      const step = this.#step(at, atTime, needs);
      if (step === undefined || seen.has(step.link.event)) break;
      seen.add(step.link.event);
      const { how, event, by } = step.link;
      atTime = step.link.time;
      const standing: Standing = step.basis === 'session and time' ? 'hinted' : 'proven';
      const hop: Hop = { how, principal: by.principal, event, standing, basis: step.basis };
      // The copy in the caller's account names the same step better: it takes the copy's place.
      if (step.basis === 'shared event') hops.pop();
      hops.push(hop);
      at = step.link.made !== undefined && by.principal.kind === 'service' ? served(step.link) : by;
    }
    const end = endOf(at, first, needs);
    if (end.hop !== undefined) hops.push(end.hop);
    const standing = end.person === undefined ? 'unknown' : weakest(hops);
    const person = end.person === undefined ? {} : { person: end.person };
    const { key: session, principal } = first;
    return { chain: { session, principal: principal.key, ...person, standing, hops }, needs };
  }

  #step(at: Caller, time: number, needs: string[]): Step | undefined {
    if (at.principal.kind === 'external') {
      if (at.shared === undefined) return undefined;
      const link = this.#rows.shared.get(at.shared);
      if (link === undefined) needs.push(`shared ${at.shared}`);
      return link && { link, basis: 'shared event' };
    }
    const own = at.key === '' ? undefined : this.#valid(at.key, time);
    if (own !== undefined) return { link: own, basis: 'access key' };
    if (at.key !== '' && !at.key.startsWith('ASIA')) return undefined;
    if (at.key !== '' && at.principal.kind !== 'service') needs.push(`key ${at.key}`);
    if (at.session === undefined || at.began === undefined) return undefined;
    // A console session signs with keys of its own; it began in the second in which its role was assumed.
    const name = timed(at.session, at.began);
    const key = this.#rows.keyAt(name);
    if (key === undefined) needs.push(name);
    const link = key === undefined ? undefined : this.#valid(key, time);
    return link && { link, basis: 'session and time' };
  }

  /** The link whose credentials lived at that time: a key that is met years later is not the same. */
  #valid(key: string, time: number): Link | undefined {
    const all = this.#rows.links.get(key);
    return all?.find((one) => one.time <= time + skewMs && time <= one.expires + skewMs);
  }
}

/** A service names the sessions it asks for after what they are for: an instance, a function. */
function served(link: Link): Caller {
  const { by, made = '' } = link;
  const name = `${by.principal.name} for ${made.slice(made.indexOf(':') + 1)}`;
  return { ...by, principal: { ...by.principal, name } };
}

interface End {
  readonly person?: Principal;
  readonly hop?: Hop;
}

/** Takes the last identity reached and the first; gives the person it names, proven or hinted. */
function endOf(at: Caller, first: Caller, needs: string[]): End {
  const { principal } = at;
  switch (principal.kind) {
    case 'user':
    case 'service':
    case 'identity-center':
      return { person: principal };
    case 'root':
      return rootEnd(at, needs);
    case 'federated':
      if (at.issuer !== undefined) return identified(at.issuer, 'GetFederationToken');
      return at.isVouched === true ? { person: subjectOf(principal) } : unknown(principal);
    case 'role':
    case 'external':
      return roleEnd(at, first);
    default:
      return unknown(principal);
  }
}

/** A web identity is keyed by its provider, of whose users there is no end; a person is one of them. */
function subjectOf(principal: Principal): Principal {
  const { key, name } = principal;
  return key.endsWith(`/${name}`) ? principal : { ...principal, key: `${key}/${name}` };
}

function rootEnd(at: Caller, needs: string[]): End {
  const { principal, key } = at;
  if (!key.startsWith('ASIA') || at.isConsole) return { person: principal };
  if (!needs.includes(`key ${key}`)) needs.push(`key ${key}`);
  // A temporary key of root may be central root access, which another principal asked for.
  if (at.isAssumedRoot) return unknown(principal);
  return { person: principal, hop: { how: '', principal, standing: 'hinted', basis: 'identity' } };
}

function roleEnd(at: Caller, first: Caller): End {
  const { account } = at.principal;
  if (at.behalf !== undefined) {
    const key = `identity-center/${account}/${at.behalf}`;
    return identified({ key, kind: 'identity-center', account, name: at.behalf }, 'onBehalfOf');
  }
  if (at.workload !== undefined) {
    const key = `service/${account}/${at.workload}`;
    return identified({ key, kind: 'service', account, name: at.workload }, 'workload');
  }
  // Who chose a source identity or a session name could choose any: they are hints, and marked.
  const source = at.source ?? first.source;
  if (source !== undefined) return hinted(account, source, 'source identity');
  const session = at.session?.slice(at.session.indexOf(':') + 1);
  if (session !== undefined && session !== '') return hinted(account, session, 'session name');
  return unknown(at.principal);
}

function identified(person: Principal, how: string): End {
  return { person, hop: { how, principal: person, standing: 'proven', basis: 'identity' } };
}

function hinted(account: string, name: string, basis: Basis): End {
  const person: Principal = { key: `hint/${account}/${name}`, kind: 'unknown', account, name };
  return { person, hop: { how: '', principal: person, standing: 'hinted', basis } };
}

function unknown(principal: Principal): End {
  return { hop: { how: '', principal, standing: 'unknown', basis: 'nothing' } };
}

function weakest(hops: readonly Hop[]): Standing {
  if (hops.some((one) => one.standing === 'unknown')) return 'unknown';
  return hops.some((one) => one.standing === 'hinted') ? 'hinted' : 'proven';
}
