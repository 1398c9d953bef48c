// Cases of roles-tried-in-turn.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  awsService,
  iamUser,
  type RawRecord,
  refusal,
} from '../support/records.ts';

const bob = iamUser('bob');

function tried(role: string, of = account, by = bob): RawRecord {
  const arn = `arn:aws:iam::${of}:role/${role}`;
  const error = refusal(`arn:aws:iam::${account}:user/bob`, 'sts:AssumeRole', arn);
  return apiCall({ source: 'sts', name: 'AssumeRole', by, error });
}

const names = ['Admin', 'Deploy', 'ops/Backup', 'ReadOnly', 'Security'];

export const cases: DetectorCases = {
  detector: 'roles-tried-in-turn',
  cases: [
    {
      // Modelled on flaws-cloud-excerpt-2020: a user tries names of roles one after another.
      name: 'fires medium when five names are tried in an hour',
      given: names.map((name) => tried(name)),
      expect: [
        {
          severity: 'medium',
          title: /^IAM user bob tried to assume 5 different roles and was refused$/,
          reason: /Admin, Backup, Deploy, ReadOnly, Security; in account 111122223333\. From 203/,
        },
      ],
    },
    {
      name: 'stays quiet on four, however often',
      given: [...names.slice(1), 'Deploy'].map((name) => tried(name)),
      expect: [],
    },
    {
      name: 'stays quiet on a hub that asks for one role in many accounts',
      given: ['1', '2', '3', '4', '5', '6'].map((n) => tried('Audit', `22223333444${n}`)),
      expect: [],
    },
    {
      name: 'stays quiet on roles that opened, and on AWS itself',
      given: [
        ...names.map((name) => ({
          ...tried(name),
          errorCode: undefined,
          requestParameters: { roleArn: `arn:aws:iam::${account}:role/${name}` },
        })),
        ...names.map((name) => tried(name, account, awsService('config'))),
      ].map((record) => JSON.parse(JSON.stringify(record)) as RawRecord),
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        { ...tried('Admin'), errorMessage: 7, userIdentity: null },
        { ...tried('Admin'), errorMessage: undefined, requestParameters: { roleArn: [] } },
      ],
      expect: [],
    },
  ],
};
