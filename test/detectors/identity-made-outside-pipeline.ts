// Cases of identity-made-outside-pipeline, with pipelines configured.
import type { DetectorCases } from '../support/cases.ts';
import {
  apiCall,
  assumedRole,
  awsService,
  iamUser,
  type RawRecord,
  serviceLinkedRole,
} from '../support/records.ts';

const role = { roleName: 'app-worker', assumeRolePolicyDocument: '{}' };

function create(by: RawRecord, name = 'CreateRole', request: RawRecord = role): RawRecord {
  return apiCall({ source: 'iam', name, by, request });
}

export const cases: DetectorCases = {
  detector: 'identity-made-outside-pipeline',
  config: { pipelines: ['terraform', 'cdk-*'] },
  cases: [
    {
      // Modelled on stratus-detonations-2024 3346344c-5a3e-429e-8405-420f98f75d6e.
      name: 'fires medium when a user makes a user',
      given: [
        create(iamUser('bob'), 'CreateUser', {
          userName: 'svc-sync',
          tags: [{ key: 'team', value: 'ops' }],
        }),
      ],
      expect: [
        { severity: 'medium', title: /^IAM user bob made user svc-sync outside the pipelines$/ },
      ],
    },
    {
      name: 'fires medium when a role that is not in the list makes a role',
      given: [create(assumedRole('developer'))],
      expect: [{ severity: 'medium', reason: /2 configured roles/ }],
    },
    {
      name: 'is not fooled by a session or a user that bears the name of a pipeline',
      given: [create(assumedRole('developer', 'terraform')), create(iamUser('terraform'))],
      expect: [
        { severity: 'medium', title: /^Role developer/ },
        { severity: 'medium', title: /^IAM user terraform/ },
      ],
    },
    {
      name: 'stays quiet on the pipelines',
      given: [
        create(assumedRole('terraform', 'run-1')),
        create(assumedRole('cdk-hnb659fds-cfn-exec-role', 'AWSCloudFormation')),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on AWS itself, and on what was refused',
      given: [
        create(awsService('ec2')),
        create(serviceLinkedRole('AWSServiceRoleForSSO', 'sso')),
        apiCall({
          source: 'iam',
          name: 'CreateRole',
          by: iamUser('bob'),
          error: ['AccessDenied', 'x'],
        }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'CreatePolicy',
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: null,
        },
      ],
      expect: [{ severity: 'medium', title: /^Somebody made policy without a name/ }],
    },
  ],
};
