// GuardDuty was switched off, cut from its administrator, or told to look away.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { attack } from '../src/core/telling.ts';
import { callsOf, type Watched, watched } from '../src/core/watched.ts';

const meta: DetectorMeta = {
  id: 'guardduty-weakened',
  title: 'GuardDuty weakened or blinded',
  severity: 'high',
  practice: 'monitoring',
  what: 'A GuardDuty detector was deleted, suspended or lost features; a member account was cut off; findings are archived by a filter, trusted by an IP list, or no longer exported.',
  why: 'GuardDuty sees what CloudTrail alone does not. Without it, or with a filter that archives, an intrusion goes unreported.',
  innocent: [
    'A region given up, or a move from invitations to the organisation administrator.',
    'A suppression filter for a scanner of your own: its criteria should name that scanner and nothing else.',
  ],
  firstSteps: [
    'Read the state now: ListDetectors, GetDetector, and for filters GetFilter: what does it hide?',
    'Switch it on again (UpdateDetector enable, EnableOrganizationAdminAccount) or delete the filter or list.',
    'Look at what the same session did in the hour before, and at findings archived since.',
  ],
  attack: attack({ 'T1562.001': 'Impair Defenses: Disable or Modify Tools' }),
  cis: [],
  gaps: ['Whether the criteria of a filter are narrow is not judged: read them.'],
};

const detectorName = ['requestParameters.detectorId'];
const unseen = 'GuardDuty no longer reports what happens in this account and region.';
const cut = 'The administrator of the organisation no longer sees its findings.';

const table: Readonly<Record<string, Watched>> = {
  DeleteDetector: {
    did: 'deleted GuardDuty detector',
    todo: 'delete GuardDuty detector',
    names: detectorName,
    severity: 'high',
    why: unseen,
  },
  UpdateDetector: {
    did: 'switched off GuardDuty detector',
    todo: 'switch off GuardDuty detector',
    names: detectorName,
    severity: 'high',
    why: unseen,
    weigh: weighUpdate,
  },
  UpdateOrganizationConfiguration: {
    did: 'stopped GuardDuty for accounts to come, detector',
    todo: 'stop GuardDuty for accounts to come, detector',
    names: detectorName,
    severity: 'medium',
    why: 'New accounts of the organisation will not be watched.',
    weigh: (event) =>
      isOff(event.field('requestParameters.autoEnable')) ||
      event.text('requestParameters.autoEnableOrganizationMembers') === 'NONE'
        ? undefined
        : 'new accounts are still enrolled',
  },
  StopMonitoringMembers: {
    did: 'stopped GuardDuty of member accounts',
    todo: 'stop GuardDuty of member accounts',
    names: ['requestParameters.accountIds'],
    severity: 'high',
    why: unseen,
  },
  DeleteMembers: {
    did: 'removed GuardDuty members',
    todo: 'remove GuardDuty members',
    names: ['requestParameters.accountIds'],
    severity: 'medium',
    why: cut,
  },
  DisassociateMembers: {
    did: 'cut off GuardDuty members',
    todo: 'cut off GuardDuty members',
    names: ['requestParameters.accountIds'],
    severity: 'high',
    why: cut,
  },
  DisassociateFromAdministratorAccount: {
    did: 'left the GuardDuty administrator, detector',
    todo: 'leave the GuardDuty administrator, detector',
    names: detectorName,
    severity: 'high',
    why: cut,
  },
  DisassociateFromMasterAccount: {
    did: 'left the GuardDuty administrator, detector',
    todo: 'leave the GuardDuty administrator, detector',
    names: detectorName,
    severity: 'high',
    why: cut,
  },
  DisableOrganizationAdminAccount: {
    did: 'removed the GuardDuty administrator',
    todo: 'remove the GuardDuty administrator',
    names: ['requestParameters.adminAccountId'],
    severity: 'high',
    why: cut,
  },
  DeletePublishingDestination: {
    did: 'stopped the export of findings, destination',
    todo: 'stop the export of findings, destination',
    names: ['requestParameters.destinationId'],
    severity: 'medium',
    why: 'Findings no longer reach the bucket they were kept in.',
  },
  CreateFilter: {
    did: 'made suppression filter',
    todo: 'make suppression filter',
    names: ['requestParameters.name'],
    severity: 'medium',
    why: 'Findings that match it are archived unseen.',
    weigh: archives,
  },
  UpdateFilter: {
    did: 'changed suppression filter',
    todo: 'change suppression filter',
    names: ['requestParameters.filterName'],
    severity: 'medium',
    why: 'Findings that match it are archived unseen.',
    weigh: archives,
  },
  CreateIPSet: {
    did: 'made trusted IP list',
    todo: 'make trusted IP list',
    names: ['requestParameters.name'],
    severity: 'medium',
    why: 'GuardDuty raises no finding for addresses on it.',
  },
  UpdateIPSet: {
    did: 'changed trusted IP list',
    todo: 'change trusted IP list',
    names: ['requestParameters.name', 'requestParameters.ipSetId'],
    severity: 'medium',
    why: 'GuardDuty raises no finding for addresses on it.',
  },
  DeleteThreatIntelSet: {
    did: 'deleted threat list',
    todo: 'delete threat list',
    names: ['requestParameters.threatIntelSetId'],
    severity: 'medium',
    why: 'Addresses known to be hostile are no longer looked for.',
  },
  ArchiveFindings: {
    did: 'archived findings',
    todo: 'archive findings',
    names: ['requestParameters.findingIds'],
    severity: 'low',
    why: 'An analyst does this every day; whoever hides does it too.',
  },
};

function archives(event: Event): string | undefined {
  const action = event.text('requestParameters.action');
  return action === 'ARCHIVE' ? undefined : 'the filter archives nothing';
}

function weighUpdate(event: Event): ReturnType<NonNullable<Watched['weigh']>> {
  if (isOff(event.field('requestParameters.enable'))) return undefined;
  const features = event.field('requestParameters.features');
  const off = (Array.isArray(features) ? features : []).filter(
    (one) =>
      typeof one === 'object' && one !== null && 'status' in one && one.status === 'DISABLED',
  );
  const sources = JSON.stringify(event.field('requestParameters.dataSources') ?? '');
  if (off.length === 0 && !/"(enable|autoEnable)":false/i.test(sources)) {
    return 'nothing was switched off';
  }
  return { severity: 'medium', why: 'The detector goes on with fewer sources.' };
}

function isOff(flag: unknown): boolean {
  return flag === false || flag === 'false';
}

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: callsOf('guardduty.amazonaws.com', table),
  config,
  detect: (event) => watched(event, table),
});
