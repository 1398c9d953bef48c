// Cases of lambda-code-replaced-by-hand.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  type Call,
  iamUser,
  type RawRecord,
  stranger,
} from '../support/records.ts';

const admin = assumedRole('AWSReservedSSO_Admin_0123456789abcdef', 'bob@example.com');

function code(by: RawRecord, functionName: unknown, more: Partial<Call> = {}): RawRecord {
  const request = { functionName, publish: false, dryRun: false };
  return apiCall({ source: 'lambda', name: 'UpdateFunctionCode20150331v2', by, request, ...more });
}

function layers(by: RawRecord, ...owners: readonly string[]): RawRecord {
  return apiCall({
    source: 'lambda',
    name: 'UpdateFunctionConfiguration20150331v2',
    by,
    request: {
      functionName: `arn:aws:lambda:eu-central-1:${account}:function:pay`,
      layers: owners.map((one) => `arn:aws:lambda:eu-central-1:${one}:layer:ext:1`),
    },
  });
}

const many = ['a', 'b', 'c', 'd', 'e', 'f'];

export const cases: DetectorCases = {
  detector: 'lambda-code-replaced-by-hand',
  cases: [
    {
      name: 'is low for one function, medium for many',
      given: [code(iamUser('bob'), 'pay'), ...many.map((one) => code(admin, one))],
      expect: [
        { severity: 'low', title: /^IAM user bob replaced the code of function pay$/ },
        { severity: 'medium', title: /^Role AWSReservedSSO_Admin.* replaced .* 6 functions$/ },
      ],
    },
    {
      // Modelled on traildiscover-events 381c053c-72ca-47c0-a013-e1e985e31fdf: refused, no request.
      name: 'fires medium when many are refused, quiet when one is',
      given: [
        ...many.map((one) => code(iamUser('eve'), one, { error: ['AccessDenied', 'no'] })),
        code(iamUser('bob'), 'pay', { error: ['AccessDenied', 'no'], request: null }),
      ],
      expect: [{ severity: 'medium', title: /^IAM user eve was refused/ }],
    },
    {
      // Modelled on stratus-detonations-2024, lambda-layer-extension: the name is an ARN.
      name: 'fires medium for a layer of another account, low for one of its own',
      given: [layers(iamUser('bob'), stranger), layers(iamUser('carol'), account)],
      expect: [
        { severity: 'medium', reason: /layer:ext:1 for pay/ },
        { severity: 'low', title: /^IAM user carol gave functions a layer by hand$/ },
      ],
    },
    {
      name: 'is low for a runner with the role of its instance',
      given: many.map((one) => code(assumedRole('runner', 'i-0123456789abcdef0'), one)),
      expect: [{ severity: 'low', reason: /session of an instance/ }],
    },
    {
      name: 'stays quiet on pipelines, on CloudFormation, and on settings without a layer',
      given: [
        code(assumedRole('deploy', 'ci'), 'pay'),
        layers(assumedRole('deploy', 'ci'), stranger),
        code({ ...iamUser('bob'), invokedBy: 'cloudformation.amazonaws.com' }, 'pay'),
        layers(iamUser('bob')),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        code(iamUser('bob'), 7),
        code({}, 'x'),
        apiCall({
          source: 'lambda',
          name: 'UpdateFunctionConfiguration20150331v2',
          request: { layers: [null, 5, 'x'] },
        }),
      ],
      expect: [{ severity: 'low' }, { severity: 'medium' }],
    },
  ],
};
