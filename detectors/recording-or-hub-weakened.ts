// Config, Security Hub, Access Analyzer, Macie, Inspector or Detective stopped watching.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import { attack, cis } from '../src/core/telling.ts';
import { callsOf, type Watched, watched } from '../src/core/watched.ts';

const meta: DetectorMeta = {
  id: 'recording-or-hub-weakened',
  title: 'Config, Security Hub or another watcher weakened',
  severity: 'medium',
  practice: 'monitoring',
  what: 'AWS Config stopped recording, Security Hub, Macie, Inspector or Detective was switched off, an access analyzer was deleted, or one of them was cut off from its administrator.',
  why: 'These services show what changed and what is open. Whoever plans to change things unseen removes them.',
  innocent: [
    'A region given up, or a service left on purpose to save money: there is a decision on paper.',
    'A stack of a landing zone that replaces the recorder.',
  ],
  firstSteps: [
    'Ask the owner of the account; switch the service on again (StartConfigurationRecorder, EnableSecurityHub, CreateAnalyzer).',
    'Compare the configuration before and after the gap, above all IAM, trails and buckets.',
  ],
  attack: attack({ 'T1562.001': 'Impair Defenses: Disable or Modify Tools' }),
  cis: [...cis('3.0.0', '4.9', '4.16'), ...cis('5.0.0', '4.9', '4.16')],
  gaps: [
    'A recorder narrowed to fewer resource types is told at low: which types matter is yours to say.',
  ],
};

const unseenChange = 'Changes of resources are no longer recorded.';
const hub = 'Findings of all products are no longer gathered here.';

const recorder: Readonly<Record<string, Watched>> = {
  StopConfigurationRecorder: {
    did: 'stopped Config recorder',
    todo: 'stop Config recorder',
    names: ['requestParameters.configurationRecorderName'],
    severity: 'high',
    why: unseenChange,
  },
  DeleteConfigurationRecorder: {
    did: 'deleted Config recorder',
    todo: 'delete Config recorder',
    names: ['requestParameters.configurationRecorderName'],
    severity: 'high',
    why: unseenChange,
  },
  DeleteDeliveryChannel: {
    did: 'deleted Config delivery channel',
    todo: 'delete Config delivery channel',
    names: ['requestParameters.deliveryChannelName'],
    severity: 'medium',
    why: 'What Config records no longer reaches its bucket.',
  },
  DeleteConfigurationAggregator: {
    did: 'deleted Config aggregator',
    todo: 'delete Config aggregator',
    names: ['requestParameters.configurationAggregatorName'],
    severity: 'low',
    why: 'The view over accounts is gone; the records are not.',
  },
  DeleteRetentionConfiguration: {
    did: 'deleted Config retention',
    todo: 'delete Config retention',
    names: ['requestParameters.retentionConfigurationName'],
    severity: 'low',
    why: 'History falls back to the default of seven years.',
  },
};

const securityHub: Readonly<Record<string, Watched>> = {
  DisableSecurityHub: {
    did: 'switched off Security Hub',
    todo: 'switch off Security Hub',
    names: [],
    severity: 'high',
    why: hub,
  },
  BatchDisableStandards: {
    did: 'switched off Security Hub standards',
    todo: 'switch off Security Hub standards',
    names: ['requestParameters.standardsSubscriptionArns'],
    severity: 'medium',
    why: 'The checks of these standards no longer run.',
  },
  DisassociateFromAdministratorAccount: {
    did: 'left the Security Hub administrator',
    todo: 'leave the Security Hub administrator',
    names: [],
    severity: 'high',
    why: 'The administrator of the organisation no longer sees its findings.',
  },
  DisableImportFindingsForProduct: {
    did: 'cut a product off from Security Hub,',
    todo: 'cut a product off from Security Hub,',
    names: ['requestParameters.productSubscriptionArn'],
    severity: 'medium',
    why: 'Its findings no longer arrive.',
  },
};

const analyzer: Readonly<Record<string, Watched>> = {
  DeleteAnalyzer: {
    did: 'deleted access analyzer',
    todo: 'delete access analyzer',
    names: ['requestParameters.analyzerName'],
    severity: 'medium',
    why: 'Access from outside is no longer reported.',
  },
  CreateArchiveRule: {
    did: 'made archive rule',
    todo: 'make archive rule',
    names: ['requestParameters.ruleName'],
    severity: 'low',
    why: 'Access that matches it is archived unseen.',
  },
};

const others: Readonly<Record<string, Readonly<Record<string, Watched>>>> = {
  'macie2.amazonaws.com': { DisableMacie: off('Macie', 'Sensitive data is no longer looked for.') },
  'inspector2.amazonaws.com': { Disable: off('Inspector', 'Weaknesses are no longer looked for.') },
  'detective.amazonaws.com': {
    DeleteGraph: off('Detective', 'Its graph of behaviour, a year deep, is gone.'),
  },
};

function off(service: string, why: string): Watched {
  const text = `switched off ${service}`;
  return { did: text, todo: `switch off ${service}`, names: [], severity: 'medium', why };
}

const tables: Readonly<Record<string, Readonly<Record<string, Watched>>>> = {
  'config.amazonaws.com': recorder,
  'securityhub.amazonaws.com': securityHub,
  'access-analyzer.amazonaws.com': analyzer,
  ...others,
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: Object.entries(tables).flatMap(([source, table]) => callsOf(source, table)),
  config,
  detect: (event) => watched(event, tables[event.source] ?? {}),
});
