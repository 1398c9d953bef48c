// A long-term access key was made: for the maker's own user, or for another's.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { instanceOf } from '../src/core/instances.ts';
import {
  byWhat,
  isBedrockKeyHolder,
  isByOwner,
  isByPerson,
  newKeyOf,
  ownerIn,
  soundsPowerful,
  userKeyOf,
} from '../src/core/keys.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'access-key-made',
  title: 'Access key made',
  severity: 'medium',
  practice: 'access-keys',
  what: 'Somebody made a long-term access key, or tried to: for their own user, or for the user of another.',
  why: 'An access key does not expire and asks for no second factor. A key made for another user gives the maker the rights of that user, under its name, long after the session that made it is closed.',
  innocent: [
    'An administrator sets up a service user by hand: there is a ticket.',
    'A pipeline makes or rotates the keys of service users with a role of its own: shown as low.',
    'A user makes a first key, or rotates the old one: shown as info.',
  ],
  firstSteps: [
    'Ask the maker for the ticket and the owner of the target user whether they asked for a key, over a channel outside of AWS.',
    'Look for calls signed with the new key, and compare their address with that of the maker (aws iam get-access-key-last-used).',
    'If nobody asked: deactivate the new key (aws iam update-access-key --status Inactive), then disable the key or revoke the sessions of the maker.',
    'If it was meant: ask whether a role could do the same, and note who rotates the key.',
  ],
  attack: attack({
    'T1098.001': 'Account Manipulation: Additional Cloud Credentials',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'What the target user may do is not in the call: its name is all that hints at it.',
    'A pipeline is known by its role session. One that signs with the key of an IAM user looks like a person with a key.',
    'Keys of root are told by root-account-used, keys that an instance made by instance-role-wrote-iam; keys of a user made minutes before also by identity-created-and-armed.',
  ],
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: ['iam.amazonaws.com:CreateAccessKey'],
  config,
  detect(event) {
    if (isByAws(event)) return 'AWS made the call';
    if (event.outcome === 'failure') return 'the call failed and made no key';
    if (instanceOf(event) !== undefined) {
      return 'an instance did it, which instance-role-wrote-iam tells';
    }
    const owner = ownerIn(event);
    if (event.outcome === 'denied') return refused(event, owner);
    if (event.identityType === 'Root' && event.text('requestParameters.userName') === undefined) {
      return 'root made a key for itself, which root-account-used tells';
    }
    if (owner === undefined) return unnamed(event);
    return isByOwner(event, owner) ? own(event, owner) : anothers(event, owner);
  },
});

function refused(event: Event, owner: string | undefined) {
  const whose = owner === undefined ? 'a user' : `IAM user ${plain(owner)}`;
  return said(event, {
    severity: 'low',
    title: `${actorOf(event)} tried to make an access key for ${whose} and was refused`,
    reason: `The call from ${originOf(event)} lacked the right. Making keys is a common way to stay, and to more rights.`,
    facts: owner === undefined ? {} : { target: plain(owner) },
  });
}

function unnamed(event: Event) {
  return said(event, {
    severity: 'low',
    title: `${actorOf(event)} made an access key for a user the record does not name`,
    reason: `Neither request nor answer says whose key it is. From ${originOf(event)}.`,
  });
}

function own(event: Event, owner: string) {
  const byKey = userKeyOf(event);
  return said(event, {
    severity: 'info',
    title: `${actorOf(event)} made an access key for itself`,
    reason: `The call from ${originOf(event)} was signed with ${byKey === undefined ? 'a session' : `the long-term key ${plain(byKey)}`}. The key does not expire.`,
    facts: factsOf(event, owner),
  });
}

function anothers(event: Event, owner: string) {
  const { severity, because } = judged(event, owner);
  return said(event, {
    severity,
    title: `${actorOf(event)} made an access key for IAM user ${plain(owner)}`,
    reason: `${because} From ${originOf(event)}. Whoever made the key has seen its secret.`,
    facts: factsOf(event, owner),
  });
}

function judged(event: Event, owner: string): { severity: Severity; because: string } {
  if (isBedrockKeyHolder(owner)) {
    const because =
      'The user exists to hold a Bedrock API key and has no use for an access key: it widens that key to all the user may do.';
    return { severity: 'high', because };
  }
  const byKey = userKeyOf(event);
  if (byKey !== undefined && event.invokedBy === '') {
    const because = `The call was signed with the long-term key ${plain(byKey)}: so one leaked key becomes two.`;
    return { severity: 'high', because };
  }
  const isPowerful = soundsPowerful(owner);
  const hint = isPowerful ? ' The name of the target speaks of wide rights.' : '';
  if (isByPerson(event)) {
    const because = `A person made it by hand.${hint}`;
    return { severity: isPowerful ? 'high' : 'medium', because };
  }
  const because = `${byWhat(event)}${hint}`;
  return { severity: isPowerful ? 'medium' : 'low', because };
}

function factsOf(event: Event, owner: string): Record<string, string> {
  const made = newKeyOf(event);
  return { target: plain(owner), ...(made === undefined ? {} : { newKey: plain(made) }) };
}
