// Cases of role-session-renewed-itself.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, assumedRole, type RawRecord } from '../support/records.ts';

const sessionKey = (n: number) => `ASIASESSION${n}OFEXAMPLE`;

/** The session of step n assumes a role; what it gets is the session of step n + 1. */
function step(n: number, at: string, role = 'Worker', more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 'sts',
    name: 'AssumeRole',
    at,
    by: { ...assumedRole('Worker', `s${n}`), accessKeyId: sessionKey(n) },
    request: { roleArn: `arn:aws:iam::${account}:role/${role}`, roleSessionName: `s${n + 1}` },
    response: { credentials: { accessKeyId: sessionKey(n + 1) } },
    with: more,
  });
}

const times = ['10:00', '10:50', '11:40', '12:30'].map((at) => `2026-03-04T${at}:00Z`);

export const cases: DetectorCases = {
  detector: 'role-session-renewed-itself',
  cases: [
    {
      name: 'fires medium when a session renews itself over hours',
      given: times.map((at, n) => step(n, at)),
      expect: [
        {
          severity: 'medium',
          title: /^Role Worker renewed its own session 4 times in a row$/,
          reason: /for 2\.5 hours.*From 203\.0\.113\.10/,
        },
      ],
    },
    {
      name: 'stays quiet on an application that narrows its rights for each tenant from one session',
      given: times.map((at, n) =>
        step(n, at, 'Worker', {
          userIdentity: { ...assumedRole('Worker', 'i'), accessKeyId: sessionKey(99) },
        }),
      ),
      expect: [],
    },
    {
      name: 'stays quiet on a row that is over within the hour',
      given: ['00', '10', '20', '30'].map((at, n) => step(n, `2026-03-04T10:${at}:00Z`)),
      expect: [],
    },
    {
      // Modelled on umccr-eventversions: a role session that assumes another role.
      name: 'stays quiet on ordinary chaining and on refusals',
      given: [
        ...times.map((at, n) => step(n, at, 'Other', { eventVersion: '1.08' })),
        ...times.map((at, n) =>
          step(n, at, 'Worker', { errorCode: 'AccessDenied', errorMessage: 'not authorized' }),
        ),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: times.map((at, n) => step(n, at, 'Worker', { responseElements: null })),
      expect: [],
    },
  ],
};
