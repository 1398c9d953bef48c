// Cases of stored-policy-took-effect.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  allow,
  apiCall,
  assumedRole,
  document,
  iamUser,
  type RawRecord,
} from '../support/records.ts';

const arn = `arn:aws:iam::${account}:policy/team/deploy`;
const admin = document(allow('*'));
const narrow = document(allow('s3:GetObject', 'arn:aws:s3:::docs-example-bucket/*'));

function create(
  policyDocument: string,
  at: string,
  more: Partial<Parameters<typeof apiCall>[0]> = {},
): RawRecord {
  return apiCall({
    source: 'iam',
    name: 'CreatePolicy',
    at,
    id: `create-${at}`,
    request: { policyName: 'deploy', path: '/team/', policyDocument },
    response: {
      policy: {
        policyName: 'deploy',
        policyId: 'ANPAEXAMPLEEXAMPLE001',
        arn,
        defaultVersionId: 'v1',
        path: '/team/',
        attachmentCount: 0,
      },
    },
    ...more,
  });
}

function writeVersion(
  policyDocument: string,
  version: string,
  at: string,
  setAsDefault = false,
): RawRecord {
  return apiCall({
    source: 'iam',
    name: 'CreatePolicyVersion',
    at,
    id: `version-${at}`,
    request: { policyArn: arn, policyDocument, setAsDefault },
    response: {
      policyVersion: {
        versionId: version,
        isDefaultVersion: setAsDefault,
        createDate: 'Mar 4, 2026 10:00:00 AM',
      },
    },
  });
}

function attach(at: string, by = iamUser('bob'), user = 'carol'): RawRecord {
  return apiCall({
    source: 'iam',
    name: 'AttachUserPolicy',
    at,
    id: `attach-${at}`,
    by,
    request: { userName: user, policyArn: arn },
  });
}

function detach(at: string): RawRecord {
  return apiCall({
    source: 'iam',
    name: 'DetachUserPolicy',
    at,
    id: `detach-${at}`,
    request: { userName: 'carol', policyArn: arn },
  });
}

function switchTo(versionId: string, at: string): RawRecord {
  // Modelled on the record of the SetDefaultPolicyVersion method of Rhino Security Labs' list.
  return apiCall({
    source: 'iam',
    name: 'SetDefaultPolicyVersion',
    at,
    id: `switch-${at}`,
    request: { policyArn: arn, versionId },
  });
}

const ten = '2026-03-04T10:00:00Z';
const eleven = '2026-03-04T11:00:00Z';
const noon = '2026-03-04T12:00:00Z';
const weekLater = '2026-03-11T09:00:00Z';

export const cases: DetectorCases = {
  detector: 'stored-policy-took-effect',
  cases: [
    {
      name: 'says what an attached policy allows that was created as administrator',
      given: [create(admin, ten), attach(eleven)],
      expect: [
        {
          severity: 'critical',
          title: /bob attached the powerful policy team\/deploy to user carol/,
          reason: /every action on every resource.*alice wrote its content as v1/,
          events: [`create-${ten}`, `attach-${eleven}`],
        },
      ],
    },
    {
      name: 'signals an older administrator version that is switched on (fixture 17)',
      given: [
        writeVersion(admin, 'v2', ten),
        writeVersion(narrow, 'v3', eleven, true),
        switchTo('v2', weekLater),
      ],
      expect: [
        {
          severity: 'critical',
          title: /powerful version v2 of policy team\/deploy into force/,
          reason: /no attachment was seen/,
          events: [`version-${ten}`, `switch-${weekLater}`],
        },
      ],
    },
    {
      name: 'signals a new default version of a policy that is attached',
      given: [create(narrow, ten), attach(eleven), writeVersion(admin, 'v2', noon, true)],
      expect: [
        { severity: 'critical', reason: /took effect for user carol/, events: [`version-${noon}`] },
      ],
    },
    {
      name: 'stays quiet on a new default version after the last detachment',
      given: [
        create(narrow, ten),
        attach(eleven),
        detach('2026-03-04T11:30:00Z'),
        writeVersion(admin, 'v2', noon, true),
      ],
      expect: [],
    },
    {
      name: 'signals each attachment, days after the policy was written',
      given: [create(admin, ten), attach(eleven), attach(weekLater, iamUser('bob'), 'dave')],
      expect: [
        { severity: 'critical', events: [`create-${ten}`, `attach-${eleven}`] },
        {
          severity: 'critical',
          title: /user dave/,
          events: [`create-${ten}`, `attach-${weekLater}`],
        },
      ],
    },
    {
      name: 'raises a high policy that a user attaches to itself',
      given: [
        create(document(allow('iam:CreateAccessKey')), ten),
        attach(eleven, iamUser('carol')),
      ],
      expect: [{ severity: 'critical', reason: /iam-002.*That is the caller itself/ }],
    },
    {
      name: 'knows the policy without a response, from its name and path',
      given: [create(admin, ten, { response: null }), attach(eleven, assumedRole('deployer'))],
      expect: [{ severity: 'critical', title: /deployer attached/ }],
    },
    {
      name: 'stays quiet when a narrow policy is attached',
      given: [create(narrow, ten), attach(eleven)],
      expect: [],
    },
    {
      name: 'stays quiet when the powerful version was not in force at the attachment',
      given: [create(narrow, ten), writeVersion(admin, 'v2', eleven), attach(noon)],
      expect: [],
    },
    {
      name: 'stays quiet when the powerful version was taken out of force before the attachment',
      given: [create(admin, ten), writeVersion(narrow, 'v2', eleven, true), attach(noon)],
      expect: [],
    },
    {
      name: 'stays quiet on a policy that nobody attached, and on content it never saw',
      given: [create(admin, ten), switchTo('v7', eleven)],
      expect: [],
    },
    {
      name: 'stays quiet when the attachment was refused',
      given: [
        create(admin, ten),
        { ...attach(eleven), errorCode: 'AccessDenied', errorMessage: 'not authorized' },
      ],
      expect: [],
    },
    {
      name: 'stays quiet on AWS-managed policies and on a switch without a version',
      given: [
        apiCall({
          source: 'iam',
          name: 'AttachUserPolicy',
          request: { userName: 'carol', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
        }),
        create(admin, ten),
        apiCall({
          source: 'iam',
          name: 'SetDefaultPolicyVersion',
          at: eleven,
          request: { policyArn: arn },
        }),
      ],
      expect: [],
    },
    {
      name: 'judges a corrected document in place of the one it corrects',
      given: [
        create(admin, ten),
        create(narrow, ten, {
          id: 'correction',
          with: {
            addendum: {
              reason: 'UPDATED_DATA',
              updatedFields: 'requestParameters',
              originalEventID: `create-${ten}`,
            },
          },
        }),
        attach(eleven),
      ],
      expect: [],
    },
  ],
};
