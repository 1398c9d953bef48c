// Cases of bedrock-models-abused.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

const bob = iamUser('bob');
const lab = assumedRole('research');
const claude = 'anthropic.claude-3-sonnet-20240229-v1:0';

function call(name: string, by: RawRecord, modelId?: string, more: RawRecord = {}): RawRecord {
  const request = modelId === undefined ? null : { modelId };
  return apiCall({ source: 'bedrock', name, by, request, with: { readOnly: true, ...more } });
}

const denied = { errorCode: 'AccessDenied', errorMessage: 'not authorized' };

export const cases: DetectorCases = {
  detector: 'bedrock-models-abused',
  cases: [
    {
      name: 'fires when a long-term key lists models and invokes one',
      given: [call('ListFoundationModels', bob), call('InvokeModel', bob, claude)],
      expect: [{ severity: 'medium', title: /^IAM user bob looked around .* long-term key/ }],
    },
    {
      name: 'fires high when a long-term key opens a model and uses it at once',
      given: [
        call('PutUseCaseForModelAccess', bob),
        call('CreateFoundationModelAgreement', bob, claude),
        call('InvokeModel', bob, claude),
      ],
      expect: [{ severity: 'high', title: /requested access .* invoked one at once/ }],
    },
    {
      // Modelled on stratus-detonations-2024 51d580ea-04f5-421c-b733-b5e4ec485a6e and its neighbours.
      name: 'is low when a role opens a model and uses it',
      given: [
        call('GetFoundationModelAvailability', lab, claude),
        call('PutUseCaseForModelAccess', lab),
        call('PutFoundationModelEntitlement', lab, claude),
        call('InvokeModel', lab, claude),
      ],
      expect: [{ severity: 'low', title: /Role research requested access/ }],
    },
    {
      name: 'fires when many models are refused and another works',
      given: [
        ...['a', 'b', 'c'].map((one) => call('InvokeModel', lab, `vendor.${one}`, denied)),
        call('Converse', lab, claude),
      ],
      expect: [{ severity: 'medium', title: /failed at 3 different models/ }],
    },
    {
      name: 'takes ARN and id of a model for one, and is low when all was refused',
      given: [
        ...['a', 'b', 'c'].map((one) => call('InvokeModel', lab, `vendor.${one}`, denied)),
        call('InvokeModel', lab, 'arn:aws:bedrock:eu-central-1::foundation-model/vendor.a', denied),
      ],
      expect: [{ severity: 'low', title: /failed at 3 different models/ }],
    },
    {
      name: 'stays quiet when an application uses its model and is throttled',
      given: [
        call('InvokeModel', lab, claude),
        ...['a', 'b', 'c', 'd'].map((one) =>
          call('InvokeModel', lab, `vendor.${one}`, { errorCode: 'ThrottlingException' }),
        ),
        call('ListFoundationModels', iamUser('carol')),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when fields are missing',
      given: [
        call('InvokeModel', lab),
        call('Converse', lab, undefined, { requestParameters: [] }),
      ],
      expect: [],
    },
  ],
};
