// A security service was narrowed, lost members or its administrator, or was given up: those beside the
// trail, GuardDuty and the recorder of Config, which have detectors of their own.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  asked,
  type Calls,
  callsOf,
  type Deed,
  detecting,
  isFalse,
  type Read,
  taking,
  textsIn,
} from '../src/core/monitoring.ts';
import type { Severity } from '../src/core/severity.ts';
import { attack, cis } from '../src/core/telling.ts';

const meta: DetectorMeta = {
  id: 'security-service-left',
  title: 'Security service narrowed or left',
  severity: 'medium',
  practice: 'monitoring',
  what: 'Somebody narrowed Security Hub, Macie, Inspector, Detective, Config, Shield, Security Lake, Firewall Manager or Audit Manager: members or the administrator detached, checks switched off, sources or the service itself given up; or switched off the DNS query log of a zone, the logs of a network firewall or the audit log of a Redshift cluster.',
  why: 'What a detached account or a switched-off check would have found is found by nobody, and the central view still looks complete.',
  innocent: [
    'An account leaves the organisation, announced and by the people who close accounts.',
    'The security team gives up a service that another one replaces.',
    'A deployment tool removes checks of Config or protections of Shield with what they were for; this is told as low.',
  ],
  firstSteps: [
    'Ask the security team whether they know; few others have a reason.',
    'Attach the member again from the administrator account, or switch the service or check on again.',
    'If nobody answers for it: revoke the sessions of the caller, and look at what it did since in the account concerned.',
    'Deny these calls in member accounts by a service control policy.',
  ],
  attack: attack({
    'T1562.001': 'Impair Defenses: Disable or Modify Tools',
    'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs',
  }),
  cis: [...cis('3.0.0', '4.9', '4.16'), ...cis('5.0.0', '4.9', '4.16')],
  gaps: [
    'Whether another service looks at the same things is not known.',
    'A Config recorder that was narrow before is not told from one that was narrowed.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

const unseen = 'The administrator no longer sees what is found there.';
const unchecked = 'What it checks is no longer checked.';
const unrecorded = 'What passes there is no longer recorded.';

/** A row whose verb does for both tenses: `deleted` and `delete`, with what follows both. */
function row(
  severity: Severity,
  [did, tried, rest]: readonly [string, string, string],
  paths: readonly string[],
  why: string,
  applies?: (event: Event) => string | undefined,
): Read<Config> {
  return taking(severity, [`${did} ${rest}`, `${tried} ${rest}`], paths, why, applies);
}

function detached(service: string): Record<string, Read<Config>> {
  const members = ['detached', 'detach', `members from ${service}:`] as const;
  const member = ['detached', 'detach', `a member from ${service}:`] as const;
  const left = ['left', 'leave', `the administrator of ${service}`] as const;
  return {
    DisassociateMembers: row('medium', members, ['accountIds'], unseen),
    DeleteMembers: row('medium', members, ['accountIds'], unseen),
    DisassociateMember: row('medium', member, ['accountId', 'id'], unseen),
    DeleteMember: row('medium', member, ['accountId', 'id'], unseen),
    DisassociateMembership: row('medium', left, [], unseen),
    DisassociateFromAdministratorAccount: row('medium', left, [], unseen),
    DisassociateFromMasterAccount: row('medium', left, [], unseen),
    DisableOrganizationAdminAccount: ended(service, ['adminAccountId', 'adminAccount']),
    DisableDelegatedAdminAccount: ended(service, ['delegatedAdminAccountId']),
    UpdateOrganizationConfiguration: row(
      'medium',
      ['stopped', 'stop', `watching new accounts of the organisation with ${service}`],
      [],
      'Accounts made from now on are not watched.',
      (event) => {
        const isOff = textsIn(asked(event, 'autoEnable'), /^none$/i).length > 0;
        return isOff || isFalse(asked(event, 'autoEnable'))
          ? undefined
          : 'new accounts are watched';
      },
    ),
  };
}

function ended(service: string, paths: readonly string[]): Read<Config> {
  return row('medium', ['ended', 'end', `the administration of ${service} by`], paths, unseen);
}

const calls: Readonly<Record<string, Readonly<Record<string, Read<Config>>>>> = {
  securityhub: {
    ...omit(detached('Security Hub'), 'DisassociateFromAdministratorAccount'),
    DisableSecurityHubV2: row('high', ['switched', 'switch', 'off Security Hub'], [], unchecked),
    DeleteFindingAggregator: row(
      'medium',
      ['deleted', 'delete', 'the view of all regions'],
      [],
      unseen,
    ),
    BatchUpdateStandardsControlAssociations: row(
      'low',
      ['switched', 'switch', 'off Security Hub controls:'],
      ['standardsControlAssociationUpdates'],
      unchecked,
      onlyDisabled,
    ),
    UpdateStandardsControl: row(
      'low',
      ['switched', 'switch', 'off the Security Hub control'],
      ['standardsControlArn'],
      unchecked,
      onlyDisabled,
    ),
  },
  macie2: {
    ...detached('Macie'),
    UpdateMacieSession: row('medium', ['paused', 'pause', 'Macie'], [], unchecked, onlyPaused),
    UpdateMemberSession: row(
      'medium',
      ['paused', 'pause', 'Macie of'],
      ['id'],
      unchecked,
      onlyPaused,
    ),
  },
  inspector2: detached('Inspector'),
  detective: detached('Detective'),
  config: {
    DeleteConfigRule: row(
      'low',
      ['deleted', 'delete', 'the Config rule'],
      ['configRuleName'],
      unchecked,
    ),
    DeleteOrganizationConfigRule: row(
      'medium',
      ['deleted', 'delete', 'the organisation Config rule'],
      ['organizationConfigRuleName'],
      unchecked,
    ),
    DeleteConformancePack: row(
      'low',
      ['deleted', 'delete', 'the conformance pack'],
      ['conformancePackName'],
      unchecked,
    ),
    DeleteOrganizationConformancePack: row(
      'medium',
      ['deleted', 'delete', 'the organisation conformance pack'],
      ['organizationConformancePackName'],
      unchecked,
    ),
    DeleteRemediationConfiguration: row(
      'low',
      ['deleted', 'delete', 'the remediation of the Config rule'],
      ['configRuleName'],
      'What is wrong is no longer put right by itself.',
    ),
    PutConfigurationRecorder: recorder,
  },
  shield: {
    DeleteSubscription: row('medium', ['ended', 'end', 'Shield Advanced'], [], unchecked),
    DisassociateDRTRole: row('low', ['shut', 'shut', 'the Shield response team out'], [], unseen),
    DisableProactiveEngagement: row(
      'low',
      ['ended', 'end', 'proactive help of Shield'],
      [],
      unseen,
    ),
    DeleteProtection: row(
      'low',
      ['deleted', 'delete', 'the Shield protection'],
      ['protectionId'],
      unchecked,
    ),
  },
  securitylake: {
    DeleteDataLake: row('high', ['deleted', 'delete', 'Security Lake in'], ['regions'], unrecorded),
    DeleteAwsLogSource: row(
      'high',
      ['took', 'take', 'sources from Security Lake:'],
      ['sources'],
      unrecorded,
    ),
    DeleteSubscriber: row(
      'low',
      ['deleted', 'delete', 'the Security Lake subscriber'],
      ['subscriberId'],
      unseen,
    ),
    DeregisterDataLakeDelegatedAdministrator: ended('Security Lake', []),
  },
  fms: {
    DisassociateAdminAccount: ended('Firewall Manager', []),
    DeletePolicy: row(
      'medium',
      ['deleted', 'delete', 'the Firewall Manager policy'],
      ['policyId'],
      unchecked,
    ),
  },
  auditmanager: {
    DeregisterAccount: row('medium', ['ended', 'end', 'Audit Manager'], [], unchecked),
  },
  route53: {
    DeleteQueryLoggingConfig: row(
      'medium',
      ['deleted', 'delete', 'the DNS query log'],
      ['id'],
      unrecorded,
    ),
  },
  'network-firewall': {
    UpdateLoggingConfiguration: row(
      'medium',
      ['switched', 'switch', 'off the logs of the network firewall'],
      ['firewallName', 'firewallArn'],
      unrecorded,
      (event) => {
        const to = asked(event, 'loggingConfiguration.logDestinationConfigs');
        return Array.isArray(to) && to.length === 0 ? undefined : 'logs still have a destination';
      },
    ),
  },
  redshift: {
    DisableLogging: row(
      'medium',
      ['switched', 'switch', 'off the audit log of the cluster'],
      ['clusterIdentifier'],
      unrecorded,
    ),
  },
};

const table: Calls<Config> = Object.fromEntries(
  Object.entries(calls).flatMap(([source, rows]) =>
    Object.entries(rows).map(([name, read]) => [`${source}.amazonaws.com:${name}`, read]),
  ),
);

export default stateless<Config>({
  meta,
  on: callsOf(table),
  config,
  detect: detecting(table),
});

function omit(rows: Record<string, Read<Config>>, name: string): Record<string, Read<Config>> {
  return Object.fromEntries(Object.entries(rows).filter(([key]) => key !== name));
}

function onlyDisabled(event: Event): string | undefined {
  const texts = textsIn(event.field('requestParameters'), /^DISABLED$/i);
  return texts.length > 0 ? undefined : 'nothing is switched off';
}

function onlyPaused(event: Event): string | undefined {
  const status = textsIn(asked(event, 'status'), /^PAUSED$/i);
  return status.length > 0 ? undefined : 'it is not paused';
}

function recorder(event: Event): Deed | string {
  const group = 'configurationRecorder.recordingGroup';
  if (!isFalse(asked(event, `${group}.allSupported`))) return 'it records all';
  return {
    severity: 'low',
    did: 'set Config to record only a part of the resources, recorder',
    tried: 'set Config to record only a part of the resources, recorder',
    things: textsIn(asked(event, 'configurationRecorder.name')),
    why: 'What is left out can change without a trace in Config.',
  };
}
