// What a console refuses: pages ask many services what the reader's role may not see, at every visit.
import { account, refusal } from '../../support/records.ts';
import { type Caller, type Diary, fromConsole } from './diary.ts';

const asked = [
  ['ce', 'GetCostAndUsage'],
  ['ce', 'GetCostForecast'],
  ['health', 'DescribeEventAggregates'],
  ['securityhub', 'GetFindings'],
  ['compute-optimizer', 'GetEnrollmentStatus'],
  ['support', 'DescribeTrustedAdvisorChecks'],
  ['servicecatalog', 'ListApplications'],
  ['notifications', 'ListNotificationHubs'],
  ['organizations', 'DescribeOrganization'],
  ['kms', 'ListAliases'],
  ['iam', 'ListRoles'],
  ['iam', 'ListInstanceProfiles'],
  ['lambda', 'ListLayers20181031'],
  ['xray', 'GetGroups'],
] as const;

/** A page asks, and is refused, fourteen times. */
export function refusedPage(day: Diary, by: Caller): void {
  const who = String(by.identity['arn']);
  for (const [source, name] of asked) {
    const resource = `arn:aws:${source}::${account}:*`;
    const error = refusal(who, `${source}:${name}`, resource);
    day.call(by, source, name, { error, with: fromConsole });
  }
}
