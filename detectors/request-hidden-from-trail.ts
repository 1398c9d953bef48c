// A request was so large that CloudTrail left it out of its record: a way to hide what was asked for.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { ownWork } from '../src/core/monitoring.ts';
import { actorOf, attack, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'request-hidden-from-trail',
  title: 'Request too large for the trail',
  severity: 'medium',
  practice: 'monitoring',
  what: 'A change of IAM, Organizations, Identity Center or CloudTrail was asked for in a request so large that CloudTrail wrote "omitted" in place of its content.',
  why: 'Blanks between the braces of a policy count for CloudTrail and not for IAM: a small policy padded to 100 kB takes effect, and the record does not show what it allows.',
  innocent: [
    'A tool writes large policies without removing blanks. The same principal then does it often.',
  ],
  firstSteps: [
    'Read what is in force now: for a policy aws iam get-policy-version, get-role-policy or get-user-policy; for a trail aws cloudtrail get-event-selectors.',
    'Compare with what was in force before, from AWS Config or the code the policy comes from.',
    'If it grants what it should not: undo it, revoke the sessions of the caller, and treat it as intended concealment.',
  ],
  attack: attack({
    'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs',
    T1027: 'Obfuscated Files or Information',
  }),
  cis: [],
  gaps: [
    'What was asked for is not in the record and cannot be told.',
    'Calls of other services are not looked at: large requests are ordinary there.',
  ],
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: [
    'iam.amazonaws.com:*',
    'organizations.amazonaws.com:*',
    'sso.amazonaws.com:*',
    'cloudtrail.amazonaws.com:*',
  ],
  config,
  detect(event) {
    if (event.readOnly === true) return 'it only reads';
    const own = ownWork(event);
    if (own !== undefined) return own;
    const hidden = hiddenIn(event);
    if (hidden === undefined) return 'the request is in the record';
    const call = `${plain(event.source.replace('.amazonaws.com', ''))}:${plain(event.name)}`;
    const size = hidden.size === '' ? '' : ` It had ${hidden.size} bytes.`;
    const facts = { call, ...(hidden.size === '' ? {} : { size: hidden.size }) };
    const what = `CloudTrail left ${hidden.what} of ${call} out of the record.`;
    const from = `The call came from ${originOf(event)}.`;
    if (event.outcome !== 'success') {
      return said(event, {
        severity: 'low',
        title: `${actorOf(event)} tried ${call} with a request too large for the trail`,
        reason: `${what}${size} The call failed (${plain(event.errorCode)}). ${from}`,
        facts,
      });
    }
    return said(event, {
      severity: 'medium',
      title: `${actorOf(event)} made ${call} with a request too large for the trail`,
      reason: `${what}${size} It took effect all the same. ${from}`,
      facts,
    });
  },
});

interface Hidden {
  readonly what: string;
  readonly size: string;
}

/** Either all of the request was left out, or single parameters were. */
function hiddenIn(event: Event): Hidden | undefined {
  const request = event.field('requestParameters');
  if (isOmitted(request)) {
    return { what: 'the request', size: plain(event.field('requestParameters.originalSize')) };
  }
  if (request === null || typeof request !== 'object') return undefined;
  const names = Object.entries(request).filter(([, value]) => isOmitted(value));
  if (names.length === 0) return undefined;
  const shown = names.slice(0, 3).map(([name]) => plain(name));
  return { what: shown.join(', '), size: '' };
}

function isOmitted(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false;
  // It is an object, whose keys may be read as unknown.
  const { omitted } = value as Record<string, unknown>;
  return omitted === true || omitted === 'true';
}
