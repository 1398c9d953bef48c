// Somebody told a security service to say less: suppressed, archived, or trusted what it would report.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  asked,
  type Calls,
  callsOf,
  detecting,
  isFalse,
  isTrue,
  taking,
  textsIn,
} from '../src/core/monitoring.ts';
import { attack, cis } from '../src/core/telling.ts';

const meta: DetectorMeta = {
  id: 'findings-suppressed',
  title: 'Findings of a security service suppressed',
  severity: 'medium',
  practice: 'monitoring',
  what: 'Somebody made Security Hub, Macie, Inspector or Access Analyzer suppress or archive what they report, by a filter for the future or by hand, or gave GuardDuty a list of entities to trust or took its list of threats out of use.',
  why: 'A filter silences a service and leaves it looking healthy. Intruders add themselves to what is trusted; a filter stays when they are gone.',
  innocent: [
    'The security team tunes its tools: it is the same few people or one role, and each filter is narrow.',
    'A ticketing tool marks what was dealt with; give its role an exception.',
  ],
  firstSteps: [
    'Read the filter or list: aws securityhub batch-get-automation-rules, aws macie2 get-findings-filter, aws inspector2 list-filters, aws accessanalyzer list-archive-rules, aws guardduty get-trusted-entity-set.',
    'If it names addresses or principals you do not know, treat them as the intruder: search the trail for them.',
    'Remove it, and open again what it archived since.',
    'Ask the caller, if it is not one of those who tune the tools.',
  ],
  attack: attack({ 'T1562.001': 'Impair Defenses: Disable or Modify Tools' }),
  cis: [...cis('3.0.0', '4.16'), ...cis('5.0.0', '4.16')],
  gaps: [
    'What a filter would have hidden is not known from the call.',
    'The content of a list that lies in a bucket is not in the call.',
    'Filters and lists of addresses of GuardDuty are told by guardduty-weakened, new archive rules of Access Analyzer by recording-or-hub-weakened.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

const stays = 'It works on all that comes, until somebody removes it.';
const byHand = 'What was found is no longer shown as open.';
const made = ['made a filter that hides findings:', 'make a filter that hides findings:'] as const;
const changed = [
  'changed a filter so that it hides findings:',
  'make a filter hide findings:',
] as const;
const trusts = ['let GuardDuty trust', 'let GuardDuty trust'] as const;
const unlisted = ['took out of use the threat list', 'take out of use the threat list'] as const;

const calls: Calls<Config> = {
  'securityhub.amazonaws.com:CreateAutomationRule': taking(
    'medium',
    made,
    ['ruleName'],
    stays,
    onlyHiding,
  ),
  'securityhub.amazonaws.com:CreateAutomationRuleV2': taking(
    'medium',
    made,
    ['ruleName'],
    stays,
    onlyHiding,
  ),
  'securityhub.amazonaws.com:BatchUpdateAutomationRules': taking(
    'medium',
    changed,
    ['updateAutomationRulesRequestItems'],
    stays,
    onlyHiding,
  ),
  'securityhub.amazonaws.com:UpdateFindings': taking(
    'medium',
    ['archived all that matches a filter in Security Hub', 'archive findings in Security Hub'],
    [],
    byHand,
    onlyHiding,
  ),
  'securityhub.amazonaws.com:BatchUpdateFindings': (event) => {
    const count = countOf(asked(event, 'findingIdentifiers'));
    return (
      onlyHiding(event) ?? {
        severity: 'low',
        did: `suppressed ${count} in Security Hub`,
        tried: `suppress ${count} in Security Hub`,
        things: [],
        why: byHand,
      }
    );
  },
  'macie2.amazonaws.com:CreateFindingsFilter': taking('medium', made, ['name'], stays, onlyHiding),
  'macie2.amazonaws.com:UpdateFindingsFilter': taking(
    'medium',
    changed,
    ['name', 'id'],
    stays,
    onlyHiding,
  ),
  'inspector2.amazonaws.com:CreateFilter': taking('low', made, ['name'], stays, onlyHiding),
  'inspector2.amazonaws.com:UpdateFilter': taking('low', changed, ['filterArn'], stays, onlyHiding),
  'access-analyzer.amazonaws.com:UpdateArchiveRule': taking('low', changed, ['ruleName'], stays),
  'access-analyzer.amazonaws.com:ApplyArchiveRule': taking(
    'low',
    ['archived by a rule of Access Analyzer:', 'archive by a rule of Access Analyzer:'],
    ['ruleName'],
    byHand,
  ),
  'access-analyzer.amazonaws.com:UpdateFindings': taking(
    'low',
    ['archived findings in Access Analyzer', 'archive findings in Access Analyzer'],
    [],
    byHand,
    onlyHiding,
  ),
  'guardduty.amazonaws.com:CreateTrustedEntitySet': taking('high', trusts, ['name'], stays, onlyOn),
  'guardduty.amazonaws.com:UpdateTrustedEntitySet': taking(
    'high',
    trusts,
    ['name', 'trustedEntitySetId'],
    stays,
    onlyOn,
  ),
  'guardduty.amazonaws.com:UpdateThreatIntelSet': taking(
    'medium',
    unlisted,
    ['name', 'threatIntelSetId'],
    'GuardDuty no longer compares with it.',
    onlyOff,
  ),
  'guardduty.amazonaws.com:UpdateThreatEntitySet': taking(
    'medium',
    unlisted,
    ['name', 'threatEntitySetId'],
    'GuardDuty no longer compares with it.',
    onlyOff,
  ),
  'guardduty.amazonaws.com:DeleteThreatEntitySet': taking(
    'medium',
    unlisted,
    ['threatEntitySetId'],
    'GuardDuty no longer compares with it.',
  ),
};

export default stateless<Config>({
  meta,
  on: callsOf(calls),
  config,
  detect: detecting(calls),
});

/** Only what is set counts: the same words among the criteria only choose. */
const setters = [
  'workflow.status',
  'actions',
  'updateAutomationRulesRequestItems',
  'recordState',
  'status',
  'action',
];

function onlyHiding(event: Event): string | undefined {
  const texts = setters.flatMap((path) => textsIn(asked(event, path)));
  const isHiding = texts.some((one) => /^(SUPPRESS(ED)?|ARCHIVED?)$/i.test(one));
  return isHiding ? undefined : 'it hides nothing';
}

function onlyOn(event: Event): string | undefined {
  if (event.name.startsWith('Update') && asked(event, 'location') !== undefined) return undefined;
  return isTrue(asked(event, 'activate')) ? undefined : 'the list is not in use';
}

function onlyOff(event: Event): string | undefined {
  return isFalse(asked(event, 'activate')) ? undefined : 'the list stays in use';
}

function countOf(list: unknown): string {
  const count = Array.isArray(list) ? list.length : 0;
  return count === 0 ? 'findings' : `${count} ${count === 1 ? 'finding' : 'findings'}`;
}
