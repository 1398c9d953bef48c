// A script that a machine or container runs at start holds what attackers write: shells, miners, credential reads.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { textsAt } from '../src/core/instances.ts';
import { listed } from '../src/core/tally.ts';
import { actorOf, attack, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'start-script-runs-attack',
  title: 'A start script or container command looks like an attack',
  severity: 'high',
  practice: 'instance-roles',
  what: 'A SageMaker notebook lifecycle script, or the command of an ECS task definition or task, opens a reverse shell, mines, or reads role credentials from the metadata address.',
  why: 'Such a script runs with the role of the notebook or task. What is written in it is the attack itself.',
  innocent: ['A debugging container that prints the identity it got.', 'A penetration test.'],
  firstSteps: [
    'Read the whole script (sagemaker describe-notebook-instance-lifecycle-config, ecs describe-task-definition) and ask who wrote it.',
    'If nobody answers for it: stop the notebook or task, deregister the definition, and deny older sessions of its role by aws:TokenIssueTime.',
    'Read what the role did since the script ran.',
  ],
  attack: attack({
    'T1059.004': 'Command and Scripting Interpreter: Unix Shell',
    'T1552.005': 'Unsecured Credentials: Cloud Instance Metadata API',
    T1525: 'Implant Internal Image',
    'T1496.001': 'Resource Hijacking: Compute Hijacking',
  }),
  cis: [],
  gaps: [
    'Start-up scripts of EC2 and parameters of commands are hidden by CloudTrail.',
    'A script that loads its work from elsewhere, or hides it, is not recognised.',
  ],
};

const config = z.strictObject({});

const signs: readonly (readonly [string, RegExp])[] = [
  [
    'a reverse shell',
    /\/dev\/tcp\/|\bnc(at)?\b[^\n|;]{0,80}\s-e\s|bash\s+-i\s*(>|&)|socat[^\n]{0,80}exec:/i,
  ],
  ['a miner', /xmrig|stratum\+(tcp|ssl)|minerd|cryptonight|nicehash|kdevtmpfsi/i],
  [
    'role credentials from the container address',
    /169\.254\.170\.2|AWS_CONTAINER_CREDENTIALS_(RELATIVE|FULL)_URI/,
  ],
  ['role credentials from the metadata address', /169\.254\.169\.254\/latest\/meta-data\/iam/],
];

/** How much of a script is read. */
const charactersMax = 65_536;

export default stateless<z.infer<typeof config>>({
  meta,
  on: [
    'sagemaker.amazonaws.com:CreateNotebookInstanceLifecycleConfig',
    'sagemaker.amazonaws.com:UpdateNotebookInstanceLifecycleConfig',
    'ecs.amazonaws.com:RegisterTaskDefinition',
    'ecs.amazonaws.com:RunTask',
    'ecs.amazonaws.com:StartTask',
  ],
  config,
  detect(event) {
    const scripts = event.source.startsWith('sagemaker') ? notebookScripts(event) : commands(event);
    if (scripts.length === 0) return 'the record holds no script or command';
    const text = scripts.join('\n');
    const found = signs.filter(([, pattern]) => pattern.test(text)).map(([name]) => name);
    if (found.length === 0) return 'the script holds nothing that is known from attacks';
    const isDone = event.outcome === 'success';
    const isShell = found.includes('a reverse shell') || found.includes('a miner');
    const name = nameOf(event);
    return said(event, {
      severity: !isDone ? 'medium' : isShell ? 'high' : 'medium',
      title: `${actorOf(event)} ${isDone ? 'wrote' : 'tried to write'} a script for ${name} that holds ${listed(found)}`,
      reason: `The script of ${name} would run with its role. It holds ${listed(found)}.${
        isDone ? '' : ` The call failed: ${plain(event.errorCode)}.`
      }`,
      facts: { name, found: listed(found) },
    });
  },
});

function notebookScripts(event: Event): string[] {
  return ['onStart', 'onCreate'].flatMap((hook) => {
    const list = event.field(`requestParameters.${hook}`);
    if (!Array.isArray(list)) return [];
    return list.slice(0, 5).flatMap((_, at) => {
      const content = event.text(`requestParameters.${hook}.${at}.content`);
      return content === undefined ? [] : [decoded(content)];
    });
  });
}

function decoded(content: string): string {
  return Buffer.from(content.slice(0, charactersMax), 'base64').toString('utf8');
}

function commands(event: Event): string[] {
  const list = [
    'requestParameters.containerDefinitions',
    'requestParameters.overrides.containerOverrides',
  ];
  return list
    .flatMap((path) => {
      const containers = event.field(path);
      if (!Array.isArray(containers)) return [];
      return containers.slice(0, 20).map((_, at) =>
        ['command', 'entryPoint']
          .flatMap((part) => textsAt(event, `${path}.${at}.${part}`))
          .join(' ')
          .slice(0, charactersMax),
      );
    })
    .filter((one) => one !== '');
}

function nameOf(event: Event): string {
  const names = ['notebookInstanceLifecycleConfigName', 'family', 'taskDefinition'];
  const found = names
    .map((one) => event.text(`requestParameters.${one}`))
    .find((one) => one !== undefined);
  return plain(found) || 'a machine';
}
