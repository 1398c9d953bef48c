// A long-term access key that had been switched off was set to active again.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { instanceOf } from '../src/core/instances.ts';
import { isByOwner, isByPerson, ownerIn, userKeyOf } from '../src/core/keys.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'access-key-reactivated',
  title: 'Access key switched on again',
  severity: 'medium',
  practice: 'access-keys',
  what: 'Somebody set the status of a long-term access key to active. A new key is active from the start, so such a call wakes one that had been switched off.',
  why: 'Keys are switched off because they are old, replaced or leaked. Whoever holds the secret can use it again from this moment, and no new key appears in any list.',
  innocent: [
    'A rotation broke something, and the old key was switched on again until it is mended.',
    'The answer to an incident, taken back when the alarm proved false.',
  ],
  firstSteps: [
    'Ask the caller why the key was needed again, and find out why it had been switched off (UpdateAccessKey with status Inactive).',
    'Look for calls signed with the key since, and compare their address with those before.',
    'If nobody answers for it: switch the key off (aws iam update-access-key --status Inactive), delete it, and disable the key or revoke the sessions of the caller.',
  ],
  attack: attack({
    'T1098.001': 'Account Manipulation: Additional Cloud Credentials',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'A call that sets an active key to active changes nothing and looks the same.',
    'Why a key had been switched off is not in the trail.',
    'Keys of root are told by root-account-used; of a quarantined user by quarantined-key-still-used too.',
  ],
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: ['iam.amazonaws.com:UpdateAccessKey'],
  config,
  detect(event) {
    if (isByAws(event)) return 'AWS made the call';
    const owner = ownerIn(event);
    if (event.outcome !== 'success') return 'the call did not succeed and changed nothing';
    if (event.identityType === 'Root' && event.text('requestParameters.userName') === undefined) {
      return 'root changed its own key, which root-account-used tells';
    }
    const status = event.text('requestParameters.status');
    if (status?.toLowerCase() !== 'active')
      return `the key was set to ${plain(status) || 'nothing'}`;
    const key = plain(event.text('requestParameters.accessKeyId')) || 'an access key';
    const isOwn = owner !== undefined && isByOwner(event, owner);
    const whose = isOwn ? 'its own' : `of IAM user ${plain(owner) || 'unknown'}`;
    return said(event, {
      severity: isOwn ? 'low' : severityOf(event),
      title: `${actorOf(event)} switched access key ${key} (${whose}) on again`,
      reason: `The key can sign calls from now on. The call came from ${originOf(event)}${withKey(event)}.`,
      facts: { accessKey: key, target: plain(owner) },
    });
  },
});

function severityOf(event: Event): Severity {
  if (instanceOf(event) !== undefined) return 'high';
  if (event.invokedBy === '' && userKeyOf(event) !== undefined) return 'medium';
  return isByPerson(event) ? 'medium' : 'low';
}

function withKey(event: Event): string {
  const key = userKeyOf(event);
  return key === undefined ? '' : ` and was signed with the long-term key ${plain(key)}`;
}
