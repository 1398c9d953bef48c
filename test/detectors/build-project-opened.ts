// Cases of build-project-opened.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, assumedRole, type Call, type RawRecord } from '../support/records.ts';

function start(request: unknown, more: Partial<Call> = {}): RawRecord {
  return apiCall({ source: 'codebuild', name: 'StartBuild', request, ...more });
}

function visible(projectVisibility: unknown, more: Partial<Call> = {}): RawRecord {
  const projectArn = `arn:aws:codebuild:eu-central-1:${account}:project/site`;
  const request = { projectArn, projectVisibility };
  return apiCall({ source: 'codebuild', name: 'UpdateProjectVisibility', request, ...more });
}

export const cases: DetectorCases = {
  detector: 'build-project-opened',
  cases: [
    {
      name: 'fires high when a project becomes public',
      given: [visible('PUBLIC_READ')],
      expect: [{ severity: 'high', title: /^IAM user alice made build project site public$/ }],
    },
    {
      name: 'fires medium for a build by hand with another role, low with other commands',
      given: [
        start({ projectName: 'site', serviceRoleOverride: `arn:aws:iam::${account}:role/admin` }),
        start({ projectName: 'site', buildspecOverride: 'version: 0.2' }),
      ],
      expect: [
        { severity: 'medium', title: /with another role$/, reason: /role\/admin/ },
        { severity: 'low', title: /with another buildspec$/ },
      ],
    },
    {
      name: 'stays quiet on plain builds, pipelines and private projects',
      given: [
        start({ projectName: 'site' }),
        start({ projectName: 'site', sourceLocationOverride: 'x' }, { by: assumedRole('ci') }),
        visible('PRIVATE'),
      ],
      expect: [],
    },
    {
      // Refused calls come without a request; no real record of this API is in the sets.
      name: 'does not break on missing or odd fields',
      given: [
        start(null, { error: ['AccessDenied', 'no'] }),
        start({ projectName: 5, sourceLocationOverride: {} }),
        visible(null),
        visible('PUBLIC_READ', { error: ['AccessDenied', 'no'], by: {} }),
      ],
      expect: [
        { severity: 'medium', title: /of a project/ },
        { severity: 'low', title: /tried/ },
      ],
    },
  ],
};
