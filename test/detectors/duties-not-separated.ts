// Cases of duties-not-separated.
import type { DetectorCases } from '../support/cases.ts';
import {
  apiCall,
  assumedRole,
  awsService,
  iamUser,
  type RawRecord,
  rootUser,
} from '../support/records.ts';

interface Done {
  readonly by: RawRecord;
  readonly source: string;
  readonly name: string;
  readonly hour?: string;
  readonly request?: RawRecord;
  readonly error?: readonly [string, string];
}

function done({ hour = '10', ...call }: Done): RawRecord {
  return apiCall({ ...call, at: `2026-03-04T${hour}:00:00Z` });
}

const dev = 'AWSReservedSSO_Developer_0123456789abcdef';
const stop = { source: 'cloudtrail', name: 'StopLogging', request: { name: 'main' } };
const grant = { source: 'iam', name: 'AttachUserPolicy', request: { userName: 'x' }, hour: '15' };
const start = { source: 'codepipeline', name: 'StartPipelineExecution', request: { name: 'shop' } };
const approve = {
  source: 'codepipeline',
  name: 'PutApprovalResult',
  hour: '12',
  request: { pipelineName: 'shop', result: { summary: 'ok', status: 'Approved' } },
};

function person(role: string, name: string): RawRecord {
  const by = assumedRole(role, name);
  return { ...by, sessionContext: { ...(by['sessionContext'] as object), sourceIdentity: name } };
}

export const cases: DetectorCases = {
  detector: 'duties-not-separated',
  cases: [
    {
      // Modelled on stratus-detonations-2024: StopLogging names the trail; then a user is armed.
      name: 'fires medium when a user stops the trail and gives access on one day',
      given: [done({ by: iamUser('bob'), ...stop }), done({ by: iamUser('bob'), ...grant })],
      expect: [
        {
          severity: 'medium',
          title: /^IAM user bob stopped recording and gave access on one day$/,
          reason: /cloudtrail:StopLogging.*iam:AttachUserPolicy/,
        },
      ],
    },
    {
      name: 'keeps a tool that rebuilds a stack low',
      given: [
        done({ by: assumedRole('terraform', 'run'), ...stop }),
        done({ by: assumedRole('terraform', 'run'), ...grant }),
      ],
      expect: [{ severity: 'low', title: /^Role terraform \(session run\)/ }],
    },
    {
      name: 'fires low when a person starts a change and approves it',
      given: [
        done({ by: assumedRole(dev, 'ann@example.com'), ...start }),
        done({ by: assumedRole(dev, 'ann@example.com'), ...approve }),
      ],
      expect: [{ severity: 'low', title: /started a change and approved a change on one day/ }],
    },
    {
      name: 'joins two roles of a person by the source identity',
      given: [
        done({ by: person('release', 'ann'), ...start }),
        done({ by: person('approver', 'ann'), ...approve }),
      ],
      expect: [{ severity: 'low', reason: /Two people should do these/ }],
    },
    {
      name: 'stays quiet when two people of one role share the work',
      given: [
        done({ by: assumedRole(dev, 'ann@example.com'), ...start }),
        done({ by: assumedRole(dev, 'ben@example.com'), ...approve }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when the change was rejected, or one half failed',
      given: [
        done({ by: iamUser('bob'), ...start }),
        done({ by: iamUser('bob'), ...approve, request: { result: { status: 'Rejected' } } }),
        done({ by: iamUser('bob'), ...stop, error: ['AccessDenied', 'no'] }),
        done({ by: iamUser('bob'), ...grant }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on writing and attaching a policy: that pair is not among the defaults',
      given: [
        done({ by: iamUser('bob'), source: 'iam', name: 'CreatePolicy' }),
        done({ by: iamUser('bob'), ...grant }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on AWS itself, and leaves root to its own detector',
      given: [awsService('cloudformation'), rootUser()].flatMap((by) => [
        done({ by, ...stop }),
        done({ by, ...grant }),
      ]),
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: ['StopLogging', 'DeleteTrail'].map((eventName) => ({
        eventSource: 'cloudtrail.amazonaws.com',
        eventName,
        eventTime: '2026-03-04T10:00:00Z',
        requestParameters: null,
        userIdentity: { type: 'AssumedRole' },
      })),
      expect: [],
    },
  ],
};
