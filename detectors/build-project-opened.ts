// A build project was opened to everybody, or its role, source or commands were changed or overridden by hand.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { instanceOf, isByHand } from '../src/core/instances.ts';
import { listed } from '../src/core/tally.ts';
import { actorOf, attack, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'build-project-opened',
  title: 'A build project was opened or bent',
  severity: 'low',
  practice: 'instance-roles',
  what: 'A CodeBuild project was made public, or somebody started a build by hand with another role, source or commands than the project has.',
  why: 'Builds run with a role that deploys, so often with great rights. Whoever chooses its commands acts with that role; a public project shows its logs, with what is printed there, to everybody.',
  innocent: [
    'An open-source project whose build logs shall be public.',
    'A developer tries a changed buildspec.',
  ],
  firstSteps: [
    'For a public project: codebuild update-project-visibility to PRIVATE, and look for secrets in its logs; rotate them.',
    'For a build: read its log (codebuild batch-get-builds) and what its role did while it ran; ask who started it.',
    'If nobody answers for it: end the sessions of the principal, and those of the build role by aws:TokenIssueTime.',
  ],
  attack: attack({
    T1567: 'Exfiltration Over Web Service',
    'T1195.002': 'Supply Chain Compromise: Compromise Software Supply Chain',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'A change of the project itself (UpdateProject) is not judged: it names all settings, changed or not.',
    'A change of the buildspec in the repository is not in the trail.',
  ],
};

const config = z.strictObject({});

/** What a build may be given instead of what its project says. */
const overrides = {
  serviceRoleOverride: 'role',
  buildspecOverride: 'buildspec',
  sourceLocationOverride: 'source',
  imageOverride: 'image',
} as const;

export default stateless<z.infer<typeof config>>({
  meta,
  on: [
    'codebuild.amazonaws.com:UpdateProjectVisibility',
    'codebuild.amazonaws.com:StartBuild',
    'codebuild.amazonaws.com:StartBuildBatch',
  ],
  config,
  detect(event) {
    if (event.name === 'UpdateProjectVisibility') return visibility(event);
    if (event.invokedBy !== '') return 'an AWS service started the build';
    if (!isByHand(event) && instanceOf(event) === undefined)
      return 'started by a role of a pipeline';
    const given = Object.entries(overrides).filter(
      ([name]) => event.field(`requestParameters.${name}`) !== undefined,
    );
    if (given.length === 0) return 'the build runs as its project says';
    const parts = given.map(([, part]) => part);
    const isDone = event.outcome === 'success';
    const role = plain(event.text('requestParameters.serviceRoleOverride'));
    const isBent = role !== '' || parts.includes('source');
    return said(event, {
      severity: isDone && isBent ? 'medium' : 'low',
      title: `${actorOf(event)} ${isDone ? 'started' : 'tried to start'} a build of ${projectOf(event)} with another ${listed(parts)}`,
      reason: [
        role === '' ? '' : `The role is ${role} instead of that of the project.`,
        'The build acts with its role, by commands the project does not have.',
        isDone ? '' : `The call failed: ${plain(event.errorCode)}.`,
      ]
        .filter((one) => one !== '')
        .join(' '),
      facts: { project: projectOf(event), overridden: listed(parts) },
    });
  },
});

function visibility(event: Event) {
  const asked = event.text('requestParameters.projectVisibility');
  if (asked !== 'PUBLIC_READ') return 'it does not make the project public';
  const isDone = event.outcome === 'success';
  return said(event, {
    severity: isDone ? 'high' : 'low',
    title: `${actorOf(event)} ${isDone ? 'made' : 'tried to make'} build project ${projectOf(event)} public`,
    reason: `Everybody on the internet ${isDone ? 'can now' : 'could then'} read its build logs and artifacts.`,
    facts: { project: projectOf(event) },
  });
}

function projectOf(event: Event): string {
  const given =
    event.text('requestParameters.projectName') ?? event.text('requestParameters.projectArn') ?? '';
  return plain(given.slice(given.lastIndexOf('/') + 1)) || 'a project';
}
