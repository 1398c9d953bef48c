// CloudTrail itself was silenced: a trail or an event data store was stopped or deleted.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import { attack, cis } from '../src/core/telling.ts';
import { callsOf, type Watched, watched } from '../src/core/watched.ts';

const meta: DetectorMeta = {
  id: 'trail-stopped-or-deleted',
  title: 'CloudTrail stopped or deleted',
  severity: 'high',
  practice: 'monitoring',
  what: 'Somebody stopped logging on a trail, deleted a trail or its event data store, or ended the delegated administration of CloudTrail.',
  why: 'What follows is not recorded where you look for it. Few administrators ever do this; intruders do it first.',
  innocent: [
    'A trail replaced by an organisation trail: the other one should be logging already.',
    'A test account taken down with everything in it.',
  ],
  firstSteps: [
    'Find out whether another trail still records the account (DescribeTrails, GetTrailStatus) and start logging again (StartLogging).',
    'Read what the same session did before, and what LookupEvents shows since: the event history cannot be switched off.',
    'If nobody answers for it, end the session (deny tokens issued before now) and rotate its keys.',
  ],
  attack: attack({ 'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs' }),
  cis: [...cis('3.0.0', '4.5'), ...cis('5.0.0', '4.5')],
  gaps: [
    'Events of a stopped trail do not arrive: only other trails and the event history show the time since.',
  ],
};

const gap = 'Management events of this account may go unrecorded from now on.';
const table: Readonly<Record<string, Watched>> = {
  StopLogging: {
    did: 'stopped logging on trail',
    todo: 'stop logging on trail',
    names: ['requestParameters.name'],
    severity: 'high',
    why: gap,
  },
  DeleteTrail: {
    did: 'deleted trail',
    todo: 'delete trail',
    names: ['requestParameters.name'],
    severity: 'high',
    why: gap,
  },
  StopEventDataStoreIngestion: {
    did: 'stopped event data store',
    todo: 'stop event data store',
    names: ['requestParameters.eventDataStore'],
    severity: 'high',
    why: 'The event data store takes in nothing more.',
  },
  DeleteEventDataStore: {
    did: 'deleted event data store',
    todo: 'delete event data store',
    names: ['requestParameters.eventDataStore'],
    severity: 'high',
    why: 'It can be restored for seven days, then its history is gone.',
  },
  DeregisterOrganizationDelegatedAdmin: {
    did: 'ended the delegated administration of CloudTrail by account',
    todo: 'end the delegated administration of CloudTrail by account',
    names: ['requestParameters.delegatedAdminAccountId'],
    severity: 'medium',
    why: 'Trails of the organisation may be left without their keeper.',
  },
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: callsOf('cloudtrail.amazonaws.com', table),
  config,
  detect: (event) => watched(event, table),
});
