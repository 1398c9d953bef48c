// What decoding makes of a record: events, things of other kinds, and what had to be rejected.
import type { Event } from './event.ts';
import type { Finding } from './finding.ts';
import type { Position } from './position.ts';

/** Why an item was rejected; a closed list, so that it can be counted. */
export const rejectReasons = [
  'gzip-broken',
  'gzip-bomb',
  'unreadable',
  'json-broken',
  'json-cut-short',
  'too-large',
  'too-deep',
  'not-cloudtrail',
  'no-event-time',
] as const;
export type RejectReason = (typeof rejectReasons)[number];

/** Kinds that are kept and counted, but are no API calls and are not judged as such. */
export type KeptKind = 'finding' | 'insight' | 'aggregated' | 'digest';
/** Kinds that are counted only. */
export type PassedKind = 'control' | 'sample';

interface Placed {
  /** Place of this item; reading on behind it means `item + 1`. */
  readonly position: Position;
  /** The log's arrival stamp in milliseconds, where the source has one. */
  readonly arrival: number | undefined;
}
export interface EventItem extends Placed {
  readonly kind: 'event';
  readonly event: Event;
}
/** A GuardDuty finding; samples are counted apart and carry none. */
export interface FindingItem extends Placed {
  readonly kind: 'finding';
  readonly bytes: Uint8Array;
  readonly finding: Finding;
}
export interface KeptItem extends Placed {
  readonly kind: Exclude<KeptKind, 'finding'>;
  readonly bytes: Uint8Array;
}
export interface PassedItem extends Placed {
  readonly kind: PassedKind;
}
export interface RejectedItem extends Placed {
  readonly kind: 'rejected';
  readonly reason: RejectReason;
  /** One sentence for a person, without content of the record beyond names of fields. */
  readonly detail: string;
  /** The bytes, cut at the dead-letter limit. */
  readonly bytes: Uint8Array;
  /** How many bytes it had before it was cut; what was kept, where no more is known of it. */
  readonly size: number;
  /** Offset of the item in the unpacked record. */
  readonly offset: number;
}
/** Valid only until the next item is drawn from the batch. */
export type Item = EventItem | FindingItem | KeptItem | PassedItem | RejectedItem;
