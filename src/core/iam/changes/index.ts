// Every call that alters permissions, and who reads it.
import type { CallPattern } from '../../detector.ts';
import type { Event } from '../../event.ts';
import { type Asked, askedBy, type Change, type Reader, type Readers } from './change.ts';
import { federationReaders, rolesAnywhereReaders } from './federation.ts';
import { identityReaders } from './identities.ts';
import { identityCenterReaders, membershipReaders, organisationReaders } from './organisation.ts';
import { policyReaders } from './policies.ts';
import { sharingReaders } from './sharing.ts';
import { storageReaders } from './storage.ts';

const readers: ReadonlyMap<string, Reader> = new Map([
  ...of('iam', identityReaders),
  ...of('iam', policyReaders),
  ...of('iam', federationReaders),
  ...of('rolesanywhere', rolesAnywhereReaders),
  ...of('organizations', organisationReaders),
  ...of('sso', identityCenterReaders),
  ...of('identitystore', membershipReaders),
  ...of('sso-directory', membershipReaders),
  ...Object.entries(sharingReaders),
  ...Object.entries(storageReaders),
]);

function of(service: string, named: Readers): readonly (readonly [string, Reader])[] {
  return Object.entries(named).map(([name, reader]) => [
    `${service}.amazonaws.com:${name}`,
    reader,
  ]);
}

/** The calls that `changeOf` understands. */
// Every key is a source, a colon and a name: the tables and `of` write them so.
export const changingCalls = [...readers.keys()] as readonly CallPattern[];

/** Takes an event and accounts of the same owner; gives its change, or why there is none. */
export function changeOf(
  event: Event,
  knownAccounts: readonly string[],
): { readonly change: Change; readonly asked: Asked } | string {
  const reader = readers.get(`${event.source}:${event.name}`);
  if (reader === undefined) return 'the call alters no permissions';
  const asked = askedBy(event, knownAccounts);
  const change = reader(asked);
  return typeof change === 'string' ? change : { change, asked };
}
