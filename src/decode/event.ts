// An Event over a parsed JSON object and the bytes it came from.
import type { Event, Origin, Outcome } from '../core/event.ts';
import { type Principal, principalOf } from '../core/principal.ts';
import type { Body } from './body.ts';
import { contentHash } from './content.ts';

const versionSuffix = /\d{8}(v\d+)?$/;
const denials =
  /AccessDenied|UnauthorizedOperation|UnauthorizedAccess|NotAuthorized|AuthorizationError|Forbidden/i;

/** A CloudTrail record whose shape the guard has accepted. Valid until `close`. */
export class DecodedEvent implements Event {
  readonly id: string;
  readonly time: number;
  readonly account: string;
  readonly source: string;
  readonly name: string;
  #body: Body | undefined;
  #bytes: Uint8Array;
  #principal: Principal | undefined;

  /** Takes the parsed record, its bytes (not copied) and its time in milliseconds. */
  constructor(body: Body, bytes: Uint8Array, time: number) {
    this.#body = body;
    this.#bytes = bytes;
    this.time = time;
    this.id = textOf(body['eventID']) || contentHash(body);
    this.account = accountOf(body);
    this.source = textOf(body['eventSource']);
    this.name = plainName(textOf(body['eventName']));
  }

  /** Ends the event's life: every accessor throws from here on. */
  close(): void {
    this.#body = undefined;
  }

  get isCorrection(): boolean {
    return this.#open['addendum'] !== undefined && this.identity !== this.id;
  }
  get identity(): string {
    if (this.#open['addendum'] === undefined) return this.id;
    if (this.text('addendum.reason') !== 'UPDATED_DATA') return this.id;
    return this.text('addendum.originalEventID') ?? this.id;
  }
  get region(): string {
    return textOf(this.#open['awsRegion']);
  }
  get eventType(): string {
    return textOf(this.#open['eventType']);
  }
  get identityType(): string {
    return textOf(this.#identity['type']);
  }
  get principal(): Principal {
    this.#principal ??= principalOf(this.#open['userIdentity'], this.account);
    return this.#principal;
  }
  get accessKeyId(): string {
    return textOf(this.#identity['accessKeyId']);
  }
  get invokedBy(): string {
    return textOf(this.#identity['invokedBy']);
  }
  get origin(): Origin {
    return originOf(textOf(this.#open['sourceIPAddress']));
  }
  get userAgent(): string {
    return textOf(this.#open['userAgent']);
  }
  get readOnly(): boolean | undefined {
    const value = this.#open['readOnly'];
    if (typeof value === 'boolean') return value;
    if (typeof value === 'string') return value.toLowerCase() === 'true';
    return undefined;
  }
  get errorCode(): string | undefined {
    return this.text('errorCode');
  }
  get errorMessage(): string | undefined {
    return this.text('errorMessage');
  }
  get outcome(): Outcome {
    const code = this.errorCode;
    if (code !== undefined) return denials.test(code) ? 'denied' : 'failure';
    // Sign-in failures carry no errorCode; the result stands under the event's own name.
    const result = this.text(`responseElements.${this.name}`);
    return result === 'Failure' ? 'failure' : 'success';
  }

  field(path: string): unknown {
    let value: unknown = this.#open;
    for (const part of path.split('.')) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
        return undefined;
      // An own property of an object that JSON.parse made.
      value = (value as Body)[part];
    }
    return value;
  }

  text(path: string): string | undefined {
    const value = this.field(path);
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  raw(): Uint8Array {
    if (this.#body === undefined) throw closed(this.id);
    // Not `slice`, which does not copy where the bytes are a Buffer.
    return new Uint8Array(this.#bytes);
  }

  get #open(): Body {
    if (this.#body === undefined) throw closed(this.id);
    return this.#body;
  }
  get #identity(): Body {
    const identity = this.#open['userIdentity'];
    // Objects from JSON.parse have string keys.
    return typeof identity === 'object' && identity !== null ? (identity as Body) : {};
  }
}

function closed(id: string): Error {
  return new Error(`event ${id} was used after its step; copy what you keep`);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function accountOf(body: Body): string {
  const recipient = textOf(body['recipientAccountId']);
  if (recipient !== '') return recipient;
  const identity = body['userIdentity'];
  // Objects from JSON.parse have string keys.
  if (typeof identity === 'object' && identity !== null)
    return textOf((identity as Body)['accountId']);
  return '';
}

const plainNames = new Map<string, string>();
const plainNamesMax = 20_000;

function plainName(name: string): string {
  // 60 = '<' follows '9' in ASCII: only names that end in a digit or in v<digit> need the pattern.
  const last = name.charCodeAt(name.length - 1);
  if (last > 57 || last < 48) return name;
  const known = plainNames.get(name);
  if (known !== undefined) return known;
  const plain = name.replace(versionSuffix, '');
  if (plainNames.size < plainNamesMax) plainNames.set(name, plain);
  return plain;
}

const ipv4 = /^\d{1,3}(\.\d{1,3}){3}$/;

function originOf(text: string): Origin {
  if (text === '') return { kind: 'unknown', text: '' };
  if (ipv4.test(text) || (text.includes(':') && /^[0-9a-f:.]+$/i.test(text)))
    return { kind: 'ip', text };
  if (/^aws[ .]internal$/i.test(text)) return { kind: 'internal', text };
  if (/\.amazonaws\.com(\.cn)?$|\.aws\.internal$/.test(text)) return { kind: 'service', text };
  return { kind: 'unknown', text };
}
