// Cases of findings-suppressed.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, assumedRole, refusal, serviceLinkedRole } from '../support/records.ts';

function hub(name: string, request: unknown, by = assumedRole('dev')) {
  return apiCall({ source: 'securityhub', name, request, by });
}

export const cases: DetectorCases = {
  detector: 'findings-suppressed',
  cases: [
    {
      name: 'fires when an automation rule of Security Hub suppresses what comes',
      given: [
        hub('CreateAutomationRule', {
          RuleName: 'quiet',
          Criteria: { SeverityLabel: [{ Value: 'CRITICAL', Comparison: 'EQUALS' }] },
          Actions: [
            {
              Type: 'FINDING_FIELDS_UPDATE',
              FindingFieldsUpdate: { Workflow: { Status: 'SUPPRESSED' } },
            },
          ],
        }),
      ],
      expect: [
        { severity: 'medium', title: /^Role dev made a filter that hides findings: quiet$/ },
      ],
    },
    {
      name: 'is low when somebody suppresses by hand, in either case of the names',
      given: [
        hub('BatchUpdateFindings', {
          findingIdentifiers: [{ id: 'a' }, { id: 'b' }],
          workflow: { status: 'SUPPRESSED' },
        }),
      ],
      expect: [{ severity: 'low', title: /suppressed 2 findings in Security Hub$/ }],
    },
    {
      name: 'fires when GuardDuty is told whom to trust, and when a threat list goes out of use',
      given: [
        apiCall({
          source: 'guardduty',
          name: 'CreateTrustedEntitySet',
          request: { detectorId: 'x', name: 'friends', activate: true, location: 's3://b/k' },
        }),
        apiCall({
          source: 'guardduty',
          name: 'UpdateThreatIntelSet',
          request: { detectorId: 'x', threatIntelSetId: 'feed-1', activate: 'false' },
        }),
      ],
      expect: [
        { severity: 'high', title: /let GuardDuty trust friends/ },
        { severity: 'medium', title: /took out of use the threat list feed-1/ },
      ],
    },
    {
      name: 'fires when a filter of Macie archives',
      given: [
        apiCall({
          source: 'macie2',
          name: 'CreateFindingsFilter',
          request: { action: 'ARCHIVE', name: 'all', findingCriteria: {} },
        }),
      ],
      expect: [{ severity: 'medium', title: /hides findings: all$/ }],
    },
    {
      name: 'tells a refused attempt as low',
      given: [
        apiCall({
          source: 'macie2',
          name: 'CreateFindingsFilter',
          request: { action: 'ARCHIVE', name: 'all' },
          error: refusal('alice', 'macie2:CreateFindingsFilter', '*'),
        }),
      ],
      expect: [{ severity: 'low', title: /tried to make a filter/ }],
    },
    {
      // Modelled on aws-docs-examples 81337b11-e5c8-4f91-b141-deb405625bc9.
      name: 'stays quiet on a new threat list, on trust not in use, and on filters that only mark',
      given: [
        apiCall({
          source: 'guardduty',
          name: 'CreateThreatIntelSet',
          by: assumedRole('admin'),
          request: {
            detectorId: '5ab04b1110c865eecf516eee24example',
            name: 'Example',
            format: 'TXT',
            activate: false,
            location: 'https://s3.amazonaws.com/amzn-s3-demo-bucket/file.txt',
          },
          response: { threatIntelSetId: '1ab200428351c99d859bf6199example' },
        }),
        apiCall({
          source: 'guardduty',
          name: 'CreateTrustedEntitySet',
          request: { name: 'friends', activate: false },
        }),
        apiCall({ source: 'inspector2', name: 'CreateFilter', request: { action: 'NONE' } }),
        hub('BatchUpdateFindings', { workflow: { status: 'RESOLVED' } }),
        hub('CreateAutomationRule', {
          RuleName: 'loud',
          Criteria: { WorkflowStatus: [{ Value: 'SUPPRESSED', Comparison: 'EQUALS' }] },
          Actions: [{ FindingFieldsUpdate: { Workflow: { Status: 'NEW' } } }],
        }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when AWS does it, and when fields are missing or odd',
      given: [
        hub(
          'BatchUpdateFindings',
          { workflow: { status: 'SUPPRESSED' } },
          serviceLinkedRole('AWSServiceRoleForSecurityHub', 'securityhub'),
        ),
        hub('BatchUpdateFindings', null),
        hub('CreateAutomationRule', { actions: account }),
        apiCall({ source: 'macie2', name: 'UpdateFindingsFilter', request: 'x' }),
      ],
      expect: [],
    },
  ],
};
