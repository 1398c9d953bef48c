// Who stands behind a session: the steps by which credentials were handed on, each with its proof.
import type { Event } from './event.ts';
import type { Principal } from './principal.ts';
import { plain } from './text.ts';
import { parseTime } from './time.ts';

/** `proven`: the trail shows it. `hinted`: a name that a caller chose says so. `unknown`: neither. */
export type Standing = 'proven' | 'hinted' | 'unknown';

/** What a step rests on, the strongest first. */
export type Basis =
  | 'access key'
  | 'shared event'
  | 'identity'
  | 'session and time'
  | 'source identity'
  | 'session name'
  | 'nothing';

/** One step: `principal` handed credentials on by `how`, seen in `event`. */
export interface Hop {
  /** `AssumeRole`, `AssumeRoleWithSAML`, `GetSessionToken`, …; `` for what the last identity itself says. */
  readonly how: string;
  readonly principal: Principal;
  /** The eventID that proves the step; absent where none does. */
  readonly event?: string;
  readonly standing: Standing;
  readonly basis: Basis;
}

/**
 * The way from a session back to who began it, the nearest step first. `person` is where it ends: a user,
 * root, somebody an identity provider vouched for, or a workload; absent when unknown. `standing` is the
 * weakest step's. `session` is the access key of the session the chain begins with.
 */
export interface Chain {
  readonly session: string;
  /** Key of the principal that the session acts as. */
  readonly principal: string;
  readonly person?: Principal;
  readonly standing: Standing;
  readonly hops: readonly Hop[];
}

/** What an event says of the session that made it: enough to find the chain later. Plain JSON, small. */
export interface Caller {
  readonly principal: Principal;
  /** The access key that signed the call; empty where the record names none. */
  readonly key: string;
  /** Role id and session name, `AROA…:name`. */
  readonly session?: string;
  /** When the session began, milliseconds. */
  readonly began?: number;
  readonly source?: string;
  /** The Identity Center user for whom a service acts. */
  readonly behalf?: string;
  /** The instance or function whose credentials these are, as AWS vouches for. */
  readonly workload?: string;
  /** The IAM user or root whose GetFederationToken made it. */
  readonly issuer?: Principal;
  /** An identity provider vouched for the name: SAML or web identity. */
  readonly isVouched?: true;
  /** Central root access, as the record says itself. */
  readonly isAssumedRoot?: true;
  /** A console session, as the record says itself. */
  readonly isConsole?: true;
  /** sharedEventID, where the event has a copy in another account. */
  readonly shared?: string;
}

const textMax = 200;

/** Takes an event; gives what it says of the session that made it. Never throws. */
export function callerOf(event: Event): Caller {
  const { principal } = event;
  const context = 'userIdentity.sessionContext.';
  const created = event.text(`${context}attributes.creationDate`);
  const began = parseTime(created);
  const source = event.text(`${context}sourceIdentity`);
  const behalf = event.text('userIdentity.onBehalfOf.userId');
  const workload = workloadOf(event);
  const issuer = principal.kind === 'federated' ? issuerOf(event) : undefined;
  const shared = principal.kind === 'external' ? event.text('sharedEventID') : undefined;
  const session = event.text('userIdentity.principalId');
  const root = event.field(`${context}assumedRoot`);
  return {
    principal,
    key: plain(event.accessKeyId, textMax),
    ...(session?.includes(':') === true ? { session: plain(session, textMax) } : {}),
    ...(began === undefined ? {} : { began }),
    ...(source === undefined ? {} : { source: plain(source) }),
    ...(behalf === undefined ? {} : { behalf: plain(behalf) }),
    ...(workload === undefined ? {} : { workload }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(/^(SAML|WebIdentity)User$/.test(event.identityType) ? { isVouched: true } : {}),
    ...(isTrue(root) ? { isAssumedRoot: true } : {}),
    ...(isTrue(event.field('sessionCredentialFromConsole')) ? { isConsole: true } : {}),
    ...(shared === undefined ? {} : { shared: plain(shared) }),
  };
}

/** Such flags are strings in most records. */
function isTrue(flag: unknown): boolean {
  return flag === true || flag === 'true';
}

/** EC2 marks the sessions it delivers, and `inScopeOf` names the function; a name alone proves nothing. */
function workloadOf(event: Event): string | undefined {
  const issuedTo = event.text('userIdentity.inScopeOf.credentialsIssuedTo');
  if (issuedTo !== undefined) return plain(issuedTo, textMax);
  if (event.text('userIdentity.sessionContext.ec2RoleDelivery') === undefined) return undefined;
  const instance = event.text('userIdentity.principalId')?.split(':')[1];
  return instance?.startsWith('i-') === true ? plain(instance) : undefined;
}

function issuerOf(event: Event): Principal | undefined {
  const issuer = 'userIdentity.sessionContext.sessionIssuer.';
  const id = event.text(`${issuer}principalId`);
  if (id === undefined) return undefined;
  const type = event.text(`${issuer}type`);
  const account = plain(event.text(`${issuer}accountId`) ?? event.principal.account);
  const arn = plain(event.text(`${issuer}arn`), textMax);
  if (type === 'Root') return { key: `root/${account}`, kind: 'root', account, name: 'root', arn };
  const name = plain(event.text(`${issuer}userName`) ?? id);
  return { key: plain(`user/${account}/${id}`, textMax), kind: 'user', account, name, arn };
}

/** Takes a chain; gives it as a person reads it: `alice (user of 111122223333), proven`. */
export function personOf(chain: Chain): string {
  const { person, standing } = chain;
  if (person === undefined) return 'unknown';
  const mark = standing === 'hinted' ? ', hinted only' : '';
  if (person.kind === 'unknown') return `${person.name} (hinted only)`;
  return `${person.name} (${person.kind} of ${person.account}${mark})`;
}

/** Takes a standing; gives its rank, the surest highest. */
export function standingRank(standing: Standing): number {
  return standing === 'proven' ? 2 : standing === 'hinted' ? 1 : 0;
}
