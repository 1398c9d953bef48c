// Reads AWS's authorisation error messages: on a denied call they often are all that names the
// target.

/** What a refusal says; each part is absent where the message does not have it. */
export interface Denial {
  readonly arn?: string;
  readonly action?: string;
  readonly resource?: string;
  /**
   * What refused: "no identity-based policy allows", "explicit deny in a service control policy".
   */
  readonly why?: string;
}

/** A thing an IAM call works on, as far as it could be named. */
export interface Target {
  readonly kind: string;
  readonly name: string;
}

// Messages are at most about 1 KB; a longer one was not written by AWS.
const messageCharactersMax = 4_096;
const form =
  /^User: (\S+) is not authorized to perform: ([a-z0-9-]+:\*?\w+)(?: on resource: (.*))?$/i;
const short = /not authorized to perform:?\s+([a-z0-9-]+:\*?\w+)/i;
const reason = /\s+(?:because|with an explicit deny)\b(.*)$/i;

/**
 * Takes an error message, or anything; gives what it says of the refusal, undefined for no refusal.
 */
export function parseDenial(message: unknown): Denial | undefined {
  if (typeof message !== 'string') return undefined;
  const line = message.slice(0, messageCharactersMax).replace(/\s+/g, ' ').trim();
  const because = reason.exec(line);
  const why = because === null ? undefined : wordsOf(because[0]);
  const rest = because === null ? line : line.slice(0, because.index);
  const match = form.exec(rest);
  if (match === null) {
    const action = short.exec(rest)?.[1];
    return action === undefined ? undefined : { action, ...(why ? { why } : {}) };
  }
  const [, arn, action, resource] = match;
  return {
    ...(arn ? { arn } : {}),
    ...(action ? { action } : {}),
    ...(resource ? { resource: resource.trim() } : {}),
    ...(why ? { why } : {}),
  };
}

/**
 * Takes the resource of a refusal: an ARN, or `user alice` as IAM writes it for some calls. Gives
 * what it names, undefined for `*` and anything else.
 */
export function targetOf(resource: string | undefined): Target | undefined {
  if (resource === undefined) return undefined;
  const words = /^(user|role|group|policy|instance profile|saml-provider)\s+(\S+)$/i.exec(resource);
  if (words !== null) {
    const kind = words[1]!.toLowerCase();
    const name = words[2]!;
    return { kind, name: kind === 'policy' ? name : name.slice(name.lastIndexOf('/') + 1) };
  }
  const arn = /^arn:[^:]*:([^:]*):[^:]*:[^:]*:([\w-]+)[/:](.+)$/.exec(resource);
  if (arn === null) return bucketOf(resource);
  const [, service, kind, name] = arn;
  if (service !== 'iam') return { kind: kind!, name: name! };
  // A managed policy is known by its ARN; the others by the last part of their path.
  if (kind === 'policy') return { kind, name: resource };
  return { kind: kind!, name: name!.slice(name!.lastIndexOf('/') + 1) };
}

function bucketOf(resource: string): Target | undefined {
  const match = /^arn:[^:]*:([^:]+):[^:]*:[^:]*:([^/*]+)/.exec(resource);
  if (match === null) return undefined;
  return { kind: match[1] === 's3' ? 'bucket' : match[1]!, name: match[2]! };
}

function wordsOf(because: string): string {
  return because
    .trim()
    .replace(/^because\s+/i, '')
    .replace(/^with an explicit deny/i, 'explicit deny')
    .replace(/\s+the [a-z0-9-]+:\w+ action\b.*$/i, '');
}
