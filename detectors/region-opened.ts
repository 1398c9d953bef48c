// An opt-in region was opened or closed for an account.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { askedText, type Calls, callsOf, type Deed, detecting } from '../src/core/monitoring.ts';
import { attack } from '../src/core/telling.ts';

const meta: DetectorMeta = {
  id: 'region-opened',
  title: 'Region opened',
  severity: 'medium',
  practice: 'monitoring',
  what: 'Somebody enabled an opt-in region for an account, or disabled one.',
  why: 'GuardDuty, Config and guard rails are set up region by region. A region opened behind their back is a place to work unseen, often for mining.',
  innocent: [
    'The business opens a region: the platform team does it, once, with a ticket.',
    'A landing zone enables the regions it governs in a new account.',
  ],
  firstSteps: [
    'Ask the caller for the ticket. If nobody answers for it: aws account disable-region --region-name <region>; what runs there goes on and costs, so look first.',
    'Look what was made in the region since: the trail of all regions, and the bill.',
    'Deny account:EnableRegion by a service control policy for all but the platform team.',
  ],
  attack: attack({ T1535: 'Unused/Unsupported Cloud Regions' }),
  cis: [],
  gaps: [
    'Regions that are open from the start cannot be closed; their first use is not told here.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

const calls: Calls<Config> = {
  'account.amazonaws.com:EnableRegion': (event) => ({
    severity: 'medium',
    did: 'enabled the region',
    tried: 'enable the region',
    things: regionIn(event),
    why: 'Guards that are set up region by region are not there yet.',
  }),
  'account.amazonaws.com:DisableRegion': (event) => ({
    severity: 'low',
    did: 'disabled the region',
    tried: 'disable the region',
    things: regionIn(event),
    why: 'What is there goes on running and cannot be reached, nor can its logs.',
  }),
};

function regionIn(event: Event): Deed['things'] {
  const name = askedText(event, 'regionName');
  const member = askedText(event, 'accountId');
  return name === '' ? [] : [member === '' ? name : `${name} for account ${member}`];
}

export default stateless<Config>({
  meta,
  on: callsOf(calls),
  config,
  detect: detecting(calls),
});
