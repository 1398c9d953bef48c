// Whom AWS writes to about an account was changed: contacts, or the e-mail address of root.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { instanceOf } from '../src/core/instances.ts';
import { isByPerson, userKeyOf } from '../src/core/keys.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, cis, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'account-contact-changed',
  title: 'Account contact or root e-mail changed',
  severity: 'medium',
  practice: 'access-keys',
  what: 'Somebody changed or removed a contact of an account (primary, billing, operations, security), or began or finished a change of the e-mail address of root.',
  why: 'AWS writes to these addresses when a key leaks or an account is abused, and the e-mail address of root can reset its password. Who changes them keeps the owner in the dark, or takes the account.',
  innocent: [
    'The organisation sets the same contacts for all accounts, often by Terraform: shown as low.',
    'A colleague left, or a mailbox was renamed.',
  ],
  firstSteps: [
    'Ask the caller for the ticket, over a channel outside of AWS, and look at the contacts in the account settings (aws account get-alternate-contact).',
    'For an e-mail address of root: check that the new mailbox is yours; if not, change it back from the management account and call AWS support.',
    'If nobody answers for it: set the contacts back, disable the key or revoke the sessions of the caller, and look for mail from AWS that was missed.',
  ],
  attack: attack({
    T1098: 'Account Manipulation',
    'T1562.001': 'Impair Defenses: Disable or Modify Tools',
  }),
  cis: [...cis('3.0.0', '1.1', '1.2'), ...cis('5.0.0', '1.1', '1.2')],
  gaps: [
    'CloudTrail hides the new addresses: the change itself is all there is.',
    'What root changes of its own account is told by root-account-used.',
    'Contacts changed on pages of the billing console are recorded only in part.',
  ],
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: [
    'account.amazonaws.com:PutAlternateContact',
    'account.amazonaws.com:DeleteAlternateContact',
    'account.amazonaws.com:PutContactInformation',
    'account.amazonaws.com:StartPrimaryEmailUpdate',
    'account.amazonaws.com:AcceptPrimaryEmailUpdate',
  ],
  config,
  detect(event) {
    if (isByAws(event)) return 'AWS made the call';
    const member = event.text('requestParameters.accountId') ?? event.account;
    const isOwn = member === event.account;
    if (event.identityType === 'Root' && isOwn) return 'root did it, which root-account-used tells';
    if (event.outcome === 'failure') return 'the call failed and changed nothing';
    const [attempt, deed] = verbs[event.name] ?? ['change', 'changed'];
    const what = `${objectOf(event)} of account ${plain(member)}`;
    const facts = { target: plain(member) };
    if (event.outcome === 'denied') {
      return said(event, {
        severity: 'low',
        title: `${actorOf(event)} tried to ${attempt} ${what} and was refused`,
        reason: `The call from ${originOf(event)} lacked the right, and changed nothing.`,
        facts,
      });
    }
    return said(event, {
      severity: severityOf(event),
      title: `${actorOf(event)} ${deed} ${what}`,
      reason: `${why(event)} From ${originOf(event)}.`,
      facts,
    });
  },
});

const verbs: Readonly<Record<string, readonly [attempt: string, deed: string]>> = {
  PutAlternateContact: ['set', 'set'],
  DeleteAlternateContact: ['remove', 'removed'],
  StartPrimaryEmailUpdate: ['begin to change', 'began to change'],
};

function objectOf(event: Event): string {
  if (event.name.endsWith('PrimaryEmailUpdate')) return 'the root e-mail address';
  if (event.name === 'PutContactInformation') return 'the primary contact';
  const type = plain(event.text('requestParameters.alternateContactType')).toLowerCase();
  return `the ${type || 'alternate'} contact`;
}

function why(event: Event): string {
  if (event.name.endsWith('PrimaryEmailUpdate')) {
    return 'Mail to this address resets the password of root.';
  }
  return event.name.startsWith('Delete')
    ? 'AWS has one address less to warn the owner at.'
    : 'AWS writes there from now on; the record does not show the new address.';
}

function severityOf(event: Event): Severity {
  if (event.name === 'AcceptPrimaryEmailUpdate') return 'high';
  if (event.name === 'StartPrimaryEmailUpdate') return 'medium';
  const isByKey = userKeyOf(event) !== undefined || instanceOf(event) !== undefined;
  const type = event.text('requestParameters.alternateContactType')?.toUpperCase();
  const isSecurity = type === 'SECURITY';
  if (event.name === 'DeleteAlternateContact') {
    return isSecurity && (isByKey || isByPerson(event)) ? 'medium' : 'low';
  }
  return isByKey && (isSecurity || event.name === 'PutContactInformation') ? 'medium' : 'low';
}
