// An account was taken out of its organisation or closed, or the organisation lost a hold on its
// accounts.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, cis, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'account-left-organization',
  title: 'Account left the organisation',
  severity: 'high',
  practice: 'separation-of-duties',
  what: 'An account left its organisation, was removed from it or closed; the organisation was deleted; an account was invited or joined by invitation; or the trusted access of a security service was ended. Attempts that failed are told as low.',
  why: 'An account outside has no service control policies, no organisation trail and no central GuardDuty: whoever administers it answers to nobody. One that joins a stranger gives its administration away.',
  innocent: [
    'An account is sold, merged or wound up: planned weeks ahead, with a ticket.',
    'A landing zone that closes sandbox accounts by itself.',
    'A company bought another one and invites its accounts.',
  ],
  firstSteps: [
    'Ask the owner of the organisation whether the move was planned.',
    'If not: from the management account invite the account back (or reopen it through support within 90 days), and block organizations:LeaveOrganization by a service control policy.',
    'Revoke the sessions of the caller; in the account, look for what the policies forbade before: trails stopped, regions used, identities made.',
    'Where trusted access was ended: enable it again and check that the service still has its members.',
  ],
  attack: attack({
    T1666: 'Modify Cloud Resource Hierarchy',
    'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs',
    'T1484.002': 'Domain or Tenant Policy Modification: Trust Modification',
  }),
  cis: [...cis('3.0.0', '4.15'), ...cis('5.0.0', '4.15')],
  gaps: [
    'Service control policies, delegated administrators and moves between units are told by iam-policy-changed.',
    'Calls of the management account are seen only where its trail is read.',
    'Closing an account in the console of root is an action of the account service.',
  ],
};

const config = z.strictObject({});

interface Story {
  readonly severity: Severity;
  /** Follows the actor: what it did, and what it tried. */
  readonly did: string;
  readonly tried: string;
  readonly why: string;
}

// Services whose hold on all accounts is a defence.
const watchers =
  /^(cloudtrail|guardduty|malware-protection\.guardduty|config|config-multiaccountsetup|securityhub|access-analyzer|inspector2|detective|macie|sso|iam|fms|member\.org\.stacksets\.cloudformation|stacksets\.cloudformation|controltower|security-lake|securitylake)\.amazonaws\.com$/;

export default stateless<z.infer<typeof config>>({
  meta,
  on: [
    'organizations.amazonaws.com:LeaveOrganization',
    'organizations.amazonaws.com:RemoveAccountFromOrganization',
    'organizations.amazonaws.com:CloseAccount',
    'account.amazonaws.com:CloseAccount',
    'organizations.amazonaws.com:DeleteOrganization',
    'organizations.amazonaws.com:InviteAccountToOrganization',
    'organizations.amazonaws.com:AcceptHandshake',
    'organizations.amazonaws.com:DisableAWSServiceAccess',
  ],
  config,
  detect(event) {
    if (isByAws(event)) return 'AWS itself carries the change out';
    const told = storyOf(event);
    if (typeof told === 'string') return told;
    const who = actorOf(event);
    if (event.outcome !== 'success') {
      const code = plain(event.errorCode) || 'an error';
      return said(event, {
        severity: told.severity === 'low' ? 'info' : 'low',
        title: `${who} tried to ${told.tried} and failed`,
        reason: `The call from ${originOf(event)} failed with ${code} and changed nothing. Few have a reason to try.`,
      });
    }
    return said(event, {
      severity: told.severity,
      title: `${who} ${told.did}`,
      reason: `${told.why} The call came from ${originOf(event)}.`,
    });
  },
});

function storyOf(event: Event): Story | string {
  const own = `account ${plain(event.account)}`;
  const named = plain(event.text('requestParameters.accountId'));
  const other = named === '' ? 'an account' : `account ${named}`;
  switch (event.name) {
    case 'LeaveOrganization':
      return {
        severity: 'high',
        did: `took ${own} out of its organisation`,
        tried: `take ${own} out of its organisation`,
        why: 'Its policies, organisation trail and central security services no longer reach the account.',
      };
    case 'RemoveAccountFromOrganization':
      return {
        severity: 'high',
        did: `removed ${other} from the organisation`,
        tried: `remove ${other} from the organisation`,
        why: 'Its policies, organisation trail and central security services no longer reach the account.',
      };
    case 'CloseAccount':
      return {
        severity: 'medium',
        did: `closed ${named === '' ? own : other}`,
        tried: `close ${named === '' ? own : other}`,
        why: 'All that runs in it stops; it can be reopened for 90 days.',
      };
    case 'DeleteOrganization':
      return {
        severity: 'high',
        did: 'deleted the organisation',
        tried: 'delete the organisation',
        why: 'All its policies, trusted access and delegations are gone.',
      };
    case 'InviteAccountToOrganization':
      return invitation(event);
    case 'AcceptHandshake':
      return joining(event, own);
    default:
      return endedAccess(event);
  }
}

function invitation(event: Event): Story {
  const id = plain(event.text('requestParameters.target.id'));
  const whom = /^\d{12}$/.test(id) ? `account ${id}` : 'an account';
  return {
    severity: 'low',
    did: `invited ${whom} to the organisation`,
    tried: `invite ${whom} to the organisation`,
    why: 'It joins only when its owner accepts.',
  };
}

function joining(event: Event, own: string): Story | string {
  const action = event.text('responseElements.handshake.action');
  if (event.outcome === 'success' && action !== undefined && action !== 'INVITE') {
    return `the handshake is about ${plain(action)}, not about joining`;
  }
  return {
    severity: 'medium',
    did: `let ${own} join an organisation by invitation`,
    tried: `let ${own} join an organisation by invitation`,
    why: 'The management account of that organisation can limit it, and through roles and root access administer it.',
  };
}

function endedAccess(event: Event): Story {
  const service = plain(event.text('requestParameters.servicePrincipal'));
  const shown = service === '' ? 'a service' : service;
  const isWatcher = watchers.test(service);
  return {
    severity: isWatcher ? 'high' : 'low',
    did: `ended the trusted access of ${shown} to the organisation`,
    tried: `end the trusted access of ${shown} to the organisation`,
    why: isWatcher
      ? 'The service no longer watches over or governs the accounts of the organisation together.'
      : 'The service no longer works across the accounts of the organisation.',
  };
}
