// Cases of outside-machine-enrolled.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, awsService, type Call, type RawRecord } from '../support/records.ts';

function activation(request: unknown, more: Partial<Call> = {}): RawRecord {
  return apiCall({ source: 'ssm', name: 'CreateActivation', request, ...more });
}

const asked = { iamRole: 'SSMServiceRole', registrationLimit: 50 };

export const cases: DetectorCases = {
  detector: 'outside-machine-enrolled',
  cases: [
    {
      // No real record is in the sets; the shape is that of the API.
      name: 'fires medium when it is made by hand, or by an instance',
      given: [
        activation(asked),
        activation(asked, { by: assumedRole('web', 'i-0123456789abcdef0') }),
      ],
      expect: [
        { severity: 'medium', title: /^IAM user alice made .* role SSMServiceRole$/ },
        { severity: 'medium', reason: /Up to 50 machines .* instance i-0123456789abcdef0 did it/ },
      ],
    },
    {
      name: 'is low for a pipeline, and where it was refused',
      given: [
        activation(asked, { by: assumedRole('deploy', 'ci') }),
        activation(null, { error: ['AccessDenied', 'no'] }),
      ],
      expect: [{ severity: 'low' }, { severity: 'low', title: /tried to make/ }],
    },
    {
      name: 'stays quiet when AWS did it',
      given: [activation(asked, { by: awsService('ssm') })],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [activation({ iamRole: {}, registrationLimit: [] })],
      expect: [{ severity: 'medium', title: /the default role$/, reason: /Up to 1 machines/ }],
    },
  ],
};
