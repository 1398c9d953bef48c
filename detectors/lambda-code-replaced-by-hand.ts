// The code of functions was replaced by a person or an instance, not by a deployment.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  actorIn,
  type Diary,
  diaryOfDay,
  type Entry,
  instanceOf,
  isByHand,
  isWritten,
  nameOf,
  namesIn,
  signalOf,
  textsAt,
  written,
} from '../src/core/instances.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'lambda-code-replaced-by-hand',
  title: 'Code of a function was replaced by hand',
  severity: 'low',
  practice: 'instance-roles',
  what: 'A person (a user, a console session, an Identity Center role) or the role of an instance replaced the code of Lambda functions, or gave them a layer, in one day; or was refused it.',
  why: 'Whoever changes the code of a function acts with its role, and stays in the account with each call of the function. A layer does the same without touching the code.',
  innocent: [
    'A developer tries something in the console of a development account.',
    'A deployment runner with the role of its instance, or a user for deployments.',
    'A layer of a vendor or of AWS, such as monitoring extensions.',
  ],
  firstSteps: [
    'Ask who did it. Compare the code with its repository: lambda get-function, and codeSha256 in the event.',
    'If it is not theirs: put back the last version (lambda update-function-code or the alias), set reserved concurrency to 0 meanwhile, and read what the role of the function did since.',
    'Let only the deployment role change code, by lambda:UpdateFunctionCode.',
  ],
  attack: attack({
    T1648: 'Serverless Execution',
    T1546: 'Event Triggered Execution',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'The code and the environment variables are not in the record.',
    'A deployment role that is misused looks like a deployment.',
    'Functions opened to others, and public URLs, are judged by iam-policy-changed.',
  ],
};

const config = z.strictObject({
  functions: z
    .int()
    .min(2)
    .default(6)
    .describe('Functions changed by one hand in one day (UTC) that make it medium.'),
  refused: z
    .int()
    .min(2)
    .default(5)
    .describe('Functions refused in one day (UTC) that make a signal.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Diary>({
  meta,
  on: [
    'lambda.amazonaws.com:UpdateFunctionCode',
    'lambda.amazonaws.com:UpdateFunctionConfiguration',
  ],
  config,
  state: {
    ...diaryOfDay,
    key(event) {
      if (isByAws(event) || event.invokedBy !== '') return 'an AWS service made the call';
      if (!isByHand(event) && instanceOf(event) === undefined) return 'a role of a pipeline';
      if (entriesOf(event).length === 0) return 'it failed, or gave no layer';
      return { key: event.principal.key };
    },
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets, settings) =>
    buckets.flatMap((bucket) => [...judgeCode(bucket, settings), ...judgeLayers(bucket)]),
});

function entriesOf(event: Event): readonly Entry[] {
  const name = functionOf(event);
  if (event.outcome === 'denied') return [['refused', name]];
  if (event.outcome !== 'success') return [];
  if (event.name === 'UpdateFunctionCode') {
    const isMachine = instanceOf(event) !== undefined;
    return [['code', name], ...(isMachine ? ([['machine', 'yes']] as const) : [])];
  }
  return textsAt(event, 'requestParameters.layers')
    .slice(0, 5)
    .map((layer) => {
      const isOwn = layer.split(':')[4] === event.account;
      return [isOwn ? 'own layers' : 'foreign layers', `${plain(layer, 90)} for ${name}`];
    });
}

/** The name is given as a name, an ARN, or part of one. */
function functionOf(event: Event): string {
  const given = event.text('requestParameters.functionName') ?? `unnamed ${event.identity}`;
  return plain(/function:([^:]+)/.exec(given)?.[1] ?? given, 80);
}

function judgeCode(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const { state } = bucket;
  const [code, refused] = [namesIn(state, 'code'), namesIn(state, 'refused')];
  const isRefused = code.length === 0 && refused.length >= settings.refused;
  if (code.length === 0 && !isRefused) return [];
  const shown = isRefused ? refused : code;
  const isMachine = namesIn(state, 'machine').length > 0;
  const isPerson = !isMachine && actorIn(state).kind !== 'role';
  const isMany = code.length >= settings.functions && !isMachine;
  const what = shown.length === 1 ? `function ${shown[0]}` : `${shown.length} functions`;
  return [
    {
      ...signalOf(bucket, 'code', ['code', ...(isRefused ? ['refused'] : [])]),
      severity: isMany || isRefused ? 'medium' : 'low',
      title: `${nameOf(state)} ${isRefused ? 'was refused to replace' : 'replaced'} the code of ${what}`,
      reason: [
        isMachine
          ? 'The session of an instance did it.'
          : isPerson
            ? 'It was done with the credentials of a user.'
            : 'It was done by hand in the console or with an Identity Center role.',
        `Functions: ${listed(shown)}.`,
        isMany ? 'So many in one day by hand are no repair.' : '',
      ]
        .filter((one) => one !== '')
        .join(' '),
      facts: { functions: listed(shown) },
    },
  ];
}

function judgeLayers(bucket: Bucket<Diary>): JudgedSignal[] {
  const { state } = bucket;
  const foreign = namesIn(state, 'foreign layers');
  const own = namesIn(state, 'own layers');
  if (foreign.length + own.length === 0) return [];
  const isForeign = foreign.length > 0;
  return [
    {
      ...signalOf(bucket, 'layers', ['foreign layers', 'own layers']),
      severity: isForeign ? 'medium' : 'low',
      title:
        `${nameOf(state)} gave functions a layer ${isForeign ? 'of another account' : ''} by hand`.replace(
          '  ',
          ' ',
        ),
      reason: `${listed(isForeign ? foreign : own)}. A layer runs with the role of the function, before its code.${
        isForeign
          ? ' Its owner can be anybody; compare the account with those of your vendors.'
          : ''
      }`,
      facts: { layers: listed([...foreign, ...own]) },
    },
  ];
}
