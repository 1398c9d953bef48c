// What detectors need to know about long-term access keys: which key signed a call, whose it is,
// when.

import type { z } from 'zod';
import type { Event } from './event.ts';
import { parseDenial, targetOf } from './iam/denial.ts';
import { isByHand, isPrivate, networkOf } from './instances.ts';
import type { Principal } from './principal.ts';
import type { principalSchema } from './tally.ts';
import { plain } from './text.ts';

/**
 * Takes an event; gives the long-term key of an IAM user that signed it, undefined for all
 * others. Root keys
 * are told by root-account-used.
 */
export function userKeyOf(event: Event): string | undefined {
  if (event.identityType === 'Root') return undefined;
  return isLongTerm(event.accessKeyId) ? event.accessKeyId : undefined;
}

/** Takes text; gives true when it has the shape of a long-term access key id. */
export function isLongTerm(id: string | undefined): id is string {
  return id !== undefined && /^AKIA[A-Z0-9]{8,124}$/.test(id);
}

/** Takes a CreateAccessKey that succeeded; gives the new key's id where it has the shape of one. */
export function newKeyOf(event: Event): string | undefined {
  const id = event.text('responseElements.accessKey.accessKeyId');
  return isLongTerm(id) ? id : undefined;
}

/**
 * Takes a call on a user's credentials; gives the user's name: a request that names nobody is
 * about the caller.
 */
export function ownerIn(event: Event, answer = 'accessKey'): string | undefined {
  const named =
    event.text('requestParameters.userName') ?? event.text(`responseElements.${answer}.userName`);
  if (named !== undefined) return named;
  if (event.outcome === 'denied') {
    // A refused request is left out; the message then is all that names the user.
    const target = targetOf(parseDenial(event.errorMessage)?.resource);
    return target?.kind === 'user' ? target.name : undefined;
  }
  return event.principal.kind === 'user' && event.outcome === 'success'
    ? event.principal.name
    : undefined;
}

/**
 * As `isByHand`, and true for the console of older records, which names the sign-in service as
 * caller.
 */
export function isByPerson(event: Event): boolean {
  return event.invokedBy === 'signin.amazonaws.com' || isByHand(event);
}

/** Takes an event that no person made by hand; gives what made it, as a sentence. */
export function byWhat(event: Event): string {
  if (event.invokedBy !== '') return `It came through ${plain(event.invokedBy)}.`;
  return 'A role session of no person did it, as pipelines do for service users.';
}

/**
 * Takes a call on a user's credentials; gives true when the user itself made it. IAM names have
 * no case.
 */
export function isByOwner(event: Event, owner: string): boolean {
  if (event.principal.account !== event.account) return false;
  const { kind, name } = event.principal;
  return kind === 'user' && name.toLowerCase() === plain(owner).toLowerCase();
}

/**
 * Takes an event; gives the network its caller sits in, undefined for AWS services and private
 * addresses.
 */
export function callerNetworkOf(event: Event): string | undefined {
  if (event.origin.kind !== 'ip' || event.invokedBy !== '') return undefined;
  return networkOfShown(plain(event.origin.text));
}

/**
 * Takes an address as evidence shows it; gives its network, undefined where it is none of the
 * internet.
 */
export function networkOfShown(address: string): string | undefined {
  if (!/^(\d+\.\d+\.\d+\.\d+|[0-9a-f:]*:[0-9a-f:.]*)$/i.test(address)) return undefined;
  return isPrivate(address) ? undefined : networkOf(address);
}

/** Takes a name of an IAM user; gives true when it sounds like one that may do everything. */
export function soundsPowerful(name: string): boolean {
  return /(^|[^a-z])(admin|administrator|root|super|superuser|break-?glass|emergency|owner|god)([^a-z]|$)/i.test(
    name,
  );
}

/**
 * Takes a name of an IAM user; gives true for those that the console makes to hold a Bedrock API
 * key.
 */
export function isBedrockKeyHolder(name: string): boolean {
  return /^BedrockAPIKey-/i.test(name);
}

/** Whose key it is, as state keeps it. */
interface Owned {
  actor?: z.infer<typeof principalSchema> | undefined;
}

/** Takes state and an event; gives true when `noteOwner` would change the state. */
export function isOwnerNews({ actor }: Owned, { principal }: Event): boolean {
  if (actor === undefined) return true;
  return spelt(principal) < spelt(actor);
}

/** Notes who signed with a key: the smallest spelling stands, so that order does not matter. */
export function noteOwner(state: Owned, event: Event): boolean {
  if (!isOwnerNews(state, event)) return false;
  state.actor = { ...event.principal };
  return true;
}

/** Takes state; gives whose key it is. */
export function ownerOf({ actor }: Owned, account: string): Principal {
  const { arn, ...rest } = actor ?? { ...nobody, account };
  return arn === undefined ? rest : { ...rest, arn };
}

const nobody: Principal = { key: 'unknown', kind: 'unknown', account: '', name: 'an unknown user' };

function spelt({ key, name, arn }: z.infer<typeof principalSchema>): string {
  return `${key} ${name} ${arn ?? ''}`;
}
