// One CloudTrail event, as detectors see it. An interface, so that a projecting decoder can take the
// place of JSON.parse without touching a detector.
import type { Principal } from './principal.ts';

/** Where a call came from: an address, an AWS service by name, AWS itself, or not said. */
export interface Origin {
  readonly kind: 'ip' | 'service' | 'internal' | 'unknown';
  readonly text: string;
}

/** `denied` is a refusal of rights; `failure` is any other error. */
export type Outcome = 'success' | 'failure' | 'denied';

/**
 * An event is valid only during its step: afterwards its accessors throw. Copy what you keep.
 * Hot fields are plain values; everything else is reached by `field(path)`.
 */
export interface Event {
  /** `eventID`, or a hash of the bytes where the record has none. */
  readonly id: string;
  /** `originalEventID` for a correction (addendum UPDATED_DATA), else `id`: one identity, one event. */
  readonly identity: string;
  readonly isCorrection: boolean;
  /** Event time in milliseconds, UTC. */
  readonly time: number;
  /** The recipient account, 12 digits; empty where the record names none. */
  readonly account: string;
  /** `iam.amazonaws.com` */
  readonly source: string;
  /** `AttachRolePolicy`; an API date in the name (`CreateFunction20150331`) is stripped. */
  readonly name: string;
  readonly region: string;
  readonly eventType: string;
  /** userIdentity.type; empty where absent. */
  readonly identityType: string;
  readonly principal: Principal;
  /** userIdentity.accessKeyId; empty where absent. */
  readonly accessKeyId: string;
  /** userIdentity.invokedBy; empty where absent. It does not mean that no person is behind the call. */
  readonly invokedBy: string;
  readonly origin: Origin;
  readonly userAgent: string;
  /** Undefined where the record does not say. */
  readonly readOnly: boolean | undefined;
  readonly errorCode: string | undefined;
  readonly errorMessage: string | undefined;
  readonly outcome: Outcome;
  /** Takes a dotted path (`requestParameters.userName`, `tags.0.key`); gives what is there or undefined. */
  field(path: string): unknown;
  /** As `field`, but only a string that is not empty; numbers and booleans are not turned into text. */
  text(path: string): string | undefined;
  /** A copy of the record's bytes (UTF-8 JSON). */
  raw(): Uint8Array;
}
