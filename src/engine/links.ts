// Which events hand credentials on: the key they issue, to whom, and until when.
import { type Caller, callerOf } from '../core/chain.ts';
import type { Event } from '../core/event.ts';
import { plain } from '../core/text.ts';
import { hourMs, parseTime } from '../core/time.ts';

/** That `by` was given the credentials of `key`. Plain JSON. */
export interface Link {
  readonly how: string;
  /** The eventID that shows it. */
  readonly event: string;
  readonly time: number;
  /** When the credentials end, milliseconds. */
  readonly expires: number;
  readonly by: Caller;
  /** `AROA…:name` of the session that was made. */
  readonly made?: string;
}

/** What one event says of credentials: the key it issued, the id that its copy elsewhere shares. */
export interface Issue {
  readonly key?: string;
  readonly shared?: string;
  readonly link: Link;
}

const issuing: ReadonlySet<string> = new Set([
  'AssumeRole',
  'AssumeRoleWithSAML',
  'AssumeRoleWithWebIdentity',
  'AssumeRoot',
  'GetFederationToken',
  'GetSessionToken',
]);

/** Where a record says nothing of the end: the longest role session, and the longest token of a user. */
const roleHours = 12;
const userHours = 36;

/** Takes an event; gives what it says of credentials handed on, undefined for nearly all events. */
export function issueOf(event: Event): Issue | undefined {
  if (event.source !== 'sts.amazonaws.com' || !issuing.has(event.name)) return undefined;
  if (event.outcome !== 'success') return undefined;
  const key = event.text('responseElements.credentials.accessKeyId');
  const shared = event.text('sharedEventID');
  if (key === undefined && shared === undefined) return undefined;
  const made = event.text('responseElements.assumedRoleUser.assumedRoleId');
  const link: Link = {
    how: event.name,
    event: plain(event.id),
    time: event.time,
    expires: expiryOf(event),
    by: callerOf(event),
    ...(made === undefined ? {} : { made: plain(made, 200) }),
  };
  return {
    link,
    ...(key === undefined ? {} : { key: plain(key) }),
    ...(shared === undefined ? {} : { shared: plain(shared) }),
  };
}

/** Three ways of writing it were seen: ISO 8601, `Jun 1, 2017 10:15:21 PM` and `Oct 2, 2019, 11:12:29 PM`. */
function expiryOf(event: Event): number {
  const text = event.text('responseElements.credentials.expiration') ?? '';
  const parsed = parseTime(text) ?? Date.parse(`${text} UTC`);
  const hours = event.name.startsWith('Get') ? userHours : roleHours;
  const longest = event.time + hours * hourMs;
  return Number.isFinite(parsed) && parsed > event.time ? Math.min(parsed, longest) : longest;
}

/** Takes a session's full name and its begin; gives the name under which it is found again. */
export function timed(session: string, beganMs: number): string {
  return `session ${session} ${Math.floor(beganMs / 1000)}`;
}
