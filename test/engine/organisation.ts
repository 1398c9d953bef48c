// A generated organisation in which credentials pass through many hands, and the truth about each hand.

import type { Chance } from '../simulation/chance.ts';
import { apiCall, iamUser, idOf, type RawRecord } from '../support/records.ts';

/** One way from a person to a deed, and what of it the trail kept. */
export interface Walk {
  /** Name of who began it, as a chain names them. */
  readonly person: string;
  /** eventIDs that may prove a step. */
  readonly steps: ReadonlySet<string>;
  readonly hops: number;
  /** True when every step can be proven from the records that were kept. */
  readonly isProvable: boolean;
  /** eventID of the deed at the end. */
  readonly deed: string;
}

export interface Organisation {
  readonly records: RawRecord[];
  readonly walks: readonly Walk[];
}

/** What a test chooses. `lost` is the share of records of steps that never arrive. */
export interface Wanted {
  readonly accounts: number;
  readonly walks: number;
  readonly lost: number;
}

const began = Date.parse('2026-03-04T10:00:00Z');
const people = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];

/** Takes chance and wishes; gives records in order of time, and the truth. */
export function organisation(chance: Chance, wanted: Wanted): Organisation {
  const records: RawRecord[] = [];
  const walks: Walk[] = [];
  for (let at = 0; at < wanted.walks; at++) {
    const walk = new Walker(chance, wanted, at);
    walks.push(walk.walk(1 + chance.below(5)));
    records.push(...walk.records);
  }
  records.sort((a, b) => String(a['eventTime']).localeCompare(String(b['eventTime'])));
  return { records, walks };
}

class Walker {
  readonly records: RawRecord[] = [];
  readonly #chance: Chance;
  readonly #wanted: Wanted;
  readonly #number: number;
  readonly #steps = new Set<string>();
  #isProvable = true;
  #hops = 0;
  #time: number;

  constructor(chance: Chance, wanted: Wanted, number: number) {
    this.#chance = chance;
    this.#wanted = wanted;
    this.#number = number;
    // A few walks a minute, so that the ways of many cross within the lateness bound.
    this.#time = began + number * 7_000;
  }

  walk(length: number): Walk {
    let account = this.#account();
    const { person, identity: first } = this.#begin(account);
    let identity = first;
    for (let hop = this.#hops; hop < length; hop++) {
      const target = this.#chance.happens(0.5) ? account : this.#account();
      identity = this.#assume(identity, account, target);
      account = target;
    }
    const deed = this.#deed(identity, account);
    const steps = this.#steps;
    return { person, steps, hops: this.#hops, isProvable: this.#isProvable, deed };
  }

  #account(): string {
    return String(100_000_000_000 + this.#chance.below(this.#wanted.accounts));
  }

  #begin(account: string): { person: string; identity: RawRecord } {
    const name = this.#chance.one(people);
    switch (this.#chance.below(5)) {
      case 0:
        return { person: name, identity: iamUser(name, account) };
      case 1:
        return { person: name, identity: this.#sessionToken(name, account) };
      case 2:
        return { person: name, identity: this.#saml(name, account) };
      case 3:
        return this.#instance(account);
      default:
        return this.#web(account);
    }
  }

  #sessionToken(name: string, account: string): RawRecord {
    const user = iamUser(name, account);
    const key = this.#key();
    // Without this record the identity still says which user it is.
    this.#issue('GetSessionToken', user, account, { credentials: { accessKeyId: key } }, false);
    return {
      ...user,
      accessKeyId: key,
      sessionContext: { attributes: { mfaAuthenticated: 'true' } },
    };
  }

  #saml(name: string, account: string): RawRecord {
    const by = {
      type: 'SAMLUser',
      principalId: `abc=:${name}`,
      userName: name,
      identityProvider: 'abc=',
    };
    return this.#role('AssumeRoleWithSAML', by, account, account, `people-${this.#number}`);
  }

  #web(account: string): { person: string; identity: RawRecord } {
    const by = {
      type: 'WebIdentityUser',
      principalId: 'idp.example.com:aud:repo',
      userName: 'repo',
      identityProvider: 'idp.example.com',
    };
    const identity = this.#role('AssumeRoleWithWebIdentity', by, account, account, 'ci');
    return { person: 'repo', identity };
  }

  #instance(account: string): { person: string; identity: RawRecord } {
    const by = { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' };
    const id = `i-0${idOf('', `${this.#number}`).toLowerCase().slice(0, 16)}`;
    const identity = this.#role('AssumeRole', by, account, account, id);
    return { person: `ec2.amazonaws.com for ${id}`, identity };
  }

  #assume(identity: RawRecord, from: string, to: string): RawRecord {
    // The name is another person's as often as not: whoever believes it is wrong.
    return this.#role('AssumeRole', identity, from, to, this.#chance.one(people));
  }

  #role(call: string, by: RawRecord, from: string, to: string, session: string): RawRecord {
    const role = `role-${this.#chance.below(20)}`;
    const key = this.#key();
    const id = `${idOf('AROA', `${to}/${role}`)}:${session}`;
    const arn = `arn:aws:sts::${to}:assumed-role/${role}/${session}`;
    const response = {
      credentials: { accessKeyId: key, expiration: 'Mar 4, 2026, 11:30:00 PM' },
      assumedRoleUser: { assumedRoleId: id, arn },
    };
    const request = { roleArn: `arn:aws:iam::${to}:role/${role}`, roleSessionName: session };
    if (from === to) this.#issue(call, by, from, response, true, request);
    else this.#issueAcross(call, by, from, to, response, request);
    return {
      type: 'AssumedRole',
      principalId: id,
      arn,
      accountId: to,
      accessKeyId: key,
      sessionContext: {
        sessionIssuer: {
          type: 'Role',
          principalId: id.split(':')[0],
          arn: `arn:aws:iam::${to}:role/${role}`,
          accountId: to,
          userName: role,
        },
        attributes: { creationDate: this.#now(), mfaAuthenticated: 'false' },
      },
    };
  }

  #issue(
    name: string,
    by: RawRecord,
    account: string,
    response: RawRecord,
    isNeeded: boolean,
    request: RawRecord = {},
  ): void {
    this.#hops++;
    const isKept = this.#keep({ name, by, account, response, request });
    if (!isKept && isNeeded) this.#isProvable = false;
  }

  /** Two accounts, two records: the caller's tells who, the owner's tells which key; one id joins them. */
  #issueAcross(
    name: string,
    by: RawRecord,
    from: string,
    to: string,
    response: RawRecord,
    request: RawRecord,
  ): void {
    this.#hops++;
    const shared = `shared-${this.#number}-${this.#hops}`;
    const tellsKey = this.#chance.happens(0.5);
    const own = tellsKey ? response : { assumedRoleUser: response['assumedRoleUser'] };
    const isCaller = this.#keep({ name, by, account: from, response: own, request, shared });
    const stranger = { type: 'AWSAccount', principalId: by['principalId'], accountId: from };
    const isOwner = this.#keep({ name, by: stranger, account: to, response, request, shared });
    if (!isCaller || !(tellsKey || isOwner)) this.#isProvable = false;
  }

  #keep(of: {
    name: string;
    by: RawRecord;
    account: string;
    response: RawRecord;
    request: RawRecord;
    shared?: string;
  }): boolean {
    const id = `step-${this.#number}-${this.#hops}-${of.by['type'] === 'AWSAccount' ? 'owner' : 'own'}`;
    this.#steps.add(id);
    this.#time += 1000 * (1 + this.#chance.below(20));
    if (this.#chance.happens(this.#wanted.lost)) return false;
    this.records.push(
      apiCall({
        source: 'sts',
        name: of.name,
        by: of.by,
        request: of.request,
        response: of.response,
        at: this.#now(),
        id,
        with: {
          recipientAccountId: of.account,
          ...(of.shared === undefined ? {} : { sharedEventID: of.shared }),
        },
      }),
    );
    return true;
  }

  #deed(by: RawRecord, account: string): string {
    const id = `deed-${this.#number}`;
    this.#time += 1000 * (1 + this.#chance.below(120));
    const policyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
    const request = { userName: `made-${this.#number}`, policyArn };
    const call = { source: 'iam', name: 'AttachUserPolicy', by, request, at: this.#now(), id };
    this.records.push(apiCall({ ...call, with: { recipientAccountId: account } }));
    return id;
  }

  #now(): string {
    return new Date(this.#time).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  #key(): string {
    return idOf('ASIA', `${this.#number}/${this.#hops}`);
  }
}
