// A web application firewall was taken off what it protected, emptied or deleted.
import { z } from 'zod';
import { type DetectorMeta, folding } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  asked,
  askedText,
  type Calls,
  type Context,
  callsOf,
  type Deed,
} from '../src/core/monitoring.ts';
import {
  byActor,
  foldingSteps,
  judgeRemovals,
  type Steps,
  stepsState,
} from '../src/core/removals.ts';
import { attack } from '../src/core/telling.ts';
import { hourMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'web-firewall-removed',
  title: 'Web firewall removed',
  severity: 'medium',
  practice: 'monitoring',
  what: 'Somebody took a web ACL of AWS WAF off a load balancer, an API or a user pool, took all its rules away, or deleted a web ACL or a group of rules. What is put back, or torn down together with what it protected, within about an hour counts as info.',
  why: 'The application stands open to attacks from the web that were stopped so far, and the log of the firewall ends.',
  innocent: [
    'A fault is being looked for: the firewall is off for minutes, and somebody on duty knows.',
    'The application moves to another web ACL; the new one is attached by the same principal.',
  ],
  firstSteps: [
    'See whether anything protects it now: aws wafv2 get-web-acl-for-resource --resource-arn <arn>.',
    'Attach it again: aws wafv2 associate-web-acl --web-acl-arn <acl> --resource-arn <arn>.',
    'Ask the caller. If nobody answers for it: revoke its sessions and read the access logs of the application since.',
  ],
  attack: attack({ 'T1562.007': 'Impair Defenses: Disable or Modify Cloud Firewall' }),
  cis: [],
  gaps: [
    'CloudFront takes its web ACL with the whole of its settings, so that one taken off is not told from one that never was.',
    'Single rules that are loosened are not judged.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

const open = 'Requests reach the application without the firewall.';
const took = ['took the web firewall off', 'take the web firewall off'] as const;

function off(event: Event): Deed {
  const things = named(event, 'resourceArn');
  return { severity: 'medium', did: took[0], tried: took[1], things, why: open };
}

function deleted(what: string): (event: Event) => Deed {
  return (event) => ({
    severity: 'low',
    did: `deleted the ${what}`,
    tried: `delete the ${what}`,
    things: named(event, 'name', 'webACLId', 'ruleGroupId'),
    why: 'AWS deletes only what is attached to nothing.',
  });
}

function emptied(event: Event): Deed | string {
  const rules = asked(event, 'rules');
  const isEmpty = Array.isArray(rules) && rules.length === 0;
  const isOpen = asked(event, 'defaultAction.block') === undefined;
  if (!isEmpty || !isOpen) return 'the web ACL still stops something';
  return {
    severity: 'medium',
    did: 'took all rules from the web ACL',
    tried: 'take all rules from the web ACL',
    things: named(event, 'name'),
    why: open,
  };
}

function on(event: Event): Context {
  return { kind: 'made', things: named(event, 'resourceArn') };
}

function torn(): Context {
  return { kind: 'torn', things: [] };
}

function named(event: Event, ...paths: readonly string[]): readonly string[] {
  return paths.map((path) => askedText(event, path)).filter((name) => name !== '');
}

const calls: Calls<Config, Deed | Context> = {
  'wafv2.amazonaws.com:DisassociateWebACL': off,
  'waf-regional.amazonaws.com:DisassociateWebACL': off,
  'wafv2.amazonaws.com:UpdateWebACL': emptied,
  'wafv2.amazonaws.com:DeleteWebACL': deleted('web ACL'),
  'waf-regional.amazonaws.com:DeleteWebACL': deleted('web ACL'),
  'waf.amazonaws.com:DeleteWebACL': deleted('web ACL'),
  'wafv2.amazonaws.com:DeleteRuleGroup': deleted('group of rules'),
  'wafv2.amazonaws.com:AssociateWebACL': on,
  'waf-regional.amazonaws.com:AssociateWebACL': on,
  'elasticloadbalancing.amazonaws.com:DeleteLoadBalancer': torn,
  'apigateway.amazonaws.com:DeleteRestApi': torn,
  'apigateway.amazonaws.com:DeleteStage': torn,
  'appsync.amazonaws.com:DeleteGraphqlApi': torn,
  'cognito-idp.amazonaws.com:DeleteUserPool': torn,
};

export default folding<Config, Steps>({
  meta,
  on: callsOf(calls),
  config,
  state: stepsState(hourMs, byActor),
  fold: foldingSteps(calls),
  judge: (buckets) => judgeRemovals(buckets, 'web firewalls'),
});
