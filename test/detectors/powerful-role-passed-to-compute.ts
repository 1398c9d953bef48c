// Cases of powerful-role-passed-to-compute.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  iamUser,
  type RawRecord,
  serviceLinkedRole,
} from '../support/records.ts';

const bob = iamUser('bob');
const profile = (name: string) => ({
  iamInstanceProfile: { arn: `arn:aws:iam::${account}:instance-profile/${name}` },
});

function run(by: RawRecord, name: string): RawRecord {
  const request = { instanceType: 't3.micro', ...profile(name) };
  return apiCall({ source: 'ec2', name: 'RunInstances', by, request });
}

function refused(role: string, minute: number): RawRecord {
  const message = `You are not authorized to perform this operation. User: arn:aws:iam::${account}:user/bob is not authorized to perform: iam:PassRole on resource: arn:aws:iam::${account}:role/${role} because no identity-based policy allows the iam:PassRole action.`;
  return apiCall({
    source: 'ec2',
    name: 'RunInstances',
    by: bob,
    at: `2026-03-04T10:0${minute}:00Z`,
    error: ['Client.UnauthorizedOperation', message],
  });
}

const tried = [refused('ops', 1), refused('build', 2), refused('backup', 3)];

export const cases: DetectorCases = {
  detector: 'powerful-role-passed-to-compute',
  cases: [
    {
      // Modelled on umccr-eventversions: RunInstances names the profile by name.
      name: 'fires medium when a user runs an instance as administrator',
      given: [
        apiCall({
          source: 'ec2',
          name: 'RunInstances',
          by: bob,
          request: {
            instancesSet: { items: [{ imageId: 'ami-0abc', minCount: 1, maxCount: 1 }] },
            instanceType: 't3.micro',
            iamInstanceProfile: { name: 'AdminRole' },
          },
        }),
      ],
      expect: [
        {
          severity: 'medium',
          title: /^IAM user bob passed role AdminRole to compute$/,
          reason: /AdminRole by ec2:RunInstances \(path ec2-001\).*A person or a long-term key/,
        },
      ],
    },
    {
      name: 'fires medium when instance credentials make a function that is administrator',
      given: [
        apiCall({
          source: 'lambda',
          name: 'CreateFunction20150331',
          by: assumedRole('app', 'i-0123456789abcdef0'),
          request: { functionName: 'x', role: `arn:aws:iam::${account}:role/power-user` },
        }),
      ],
      expect: [{ severity: 'medium', title: /power-user/, reason: /lambda-001.*i-0123456789/ }],
    },
    {
      name: 'keeps a deployment role low',
      given: [run(assumedRole('deploy'), 'jenkins-admin')],
      expect: [{ severity: 'low', title: /^Role deploy passed role jenkins-admin/ }],
    },
    {
      name: 'stays quiet on roles with plain names, and on calls without one',
      given: [
        run(bob, 'web-frontend'),
        apiCall({ source: 'ec2', name: 'RunInstances', by: bob, request: {} }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when autoscaling starts an instance',
      given: [
        run(serviceLinkedRole('AWSServiceRoleForAutoScaling', 'autoscaling'), 'jenkins-admin'),
      ],
      expect: [],
    },
    {
      name: 'is low when role after role is refused',
      given: tried,
      expect: [
        {
          severity: 'low',
          title: /refused to pass 3 different roles/,
          reason: /backup, build, ops\. None got through/,
        },
      ],
    },
    {
      name: 'fires medium when one gets through after the refusals',
      given: [...tried, run(bob, 'reports')],
      expect: [{ severity: 'medium', reason: /passed reports by ec2:RunInstances/ }],
    },
    {
      name: 'stays quiet on two refused roles',
      given: tried.slice(1),
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'glue.amazonaws.com',
          eventName: 'CreateDevEndpoint',
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: null,
          userIdentity: { type: 'IAMUser', userName: 'bob' },
        },
        {
          eventSource: 'ec2.amazonaws.com',
          eventName: 'RunInstances',
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: { iamInstanceProfile: 'admin' },
          errorCode: 'Client.UnauthorizedOperation',
          userIdentity: { type: 'IAMUser', userName: 'bob' },
        },
      ],
      expect: [],
    },
  ],
};
