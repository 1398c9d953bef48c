// Somebody opens, probes or uses AI models of Bedrock with credentials that have no business there.
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
  counted,
  groupsOf,
  isInSpree,
  nameOf,
  type Spree,
  spreeAdd,
  spreeSignal,
  spreeState,
  thingsMax,
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'bedrock-models-abused',
  title: 'AI models of Bedrock abused',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'Within an hour one principal requested access to models, was refused many of them, tried many different ones, or used a long-term key both to look around and to invoke.',
  why: 'Stolen keys are sold for the models behind them. The bill can reach tens of thousands a day, and prompts of strangers run in your name.',
  innocent: [
    'A person opens models for a new project: access alone is low.',
    'An evaluation compares many models: it is then a known role; give it an exception.',
  ],
  firstSteps: [
    'Ask the owner of the credentials whether they work with Bedrock at all.',
    'If not: deactivate the key or revoke the sessions, and deny bedrock:InvokeModel* by a service control policy where nobody needs it.',
    'See the cost of Bedrock by region since then, and look at all regions: abuse goes where quota is left.',
    'Check that model invocation logging is still on; look for keys and users made on the way (BedrockAPIKey-*).',
  ],
  attack: attack({
    'T1496.004': 'Resource Hijacking: Cloud Service Hijacking',
    T1526: 'Cloud Service Discovery',
  }),
  cis: [],
  gaps: [
    'How much was generated is not in the trail: only calls are.',
    'Calls with the data events of agents and knowledge bases are not looked at.',
    'Abuse of one model by a role that may use it looks like use.',
  ],
};

const count = z.int().min(1).max(thingsMax);
const config = z.strictObject({
  refused: count.default(3).describe('Different models refused in an hour that make a signal.'),
  models: count.default(8).describe('Different models invoked in an hour that make a signal.'),
});
type Config = z.infer<typeof config>;

type Kind = 'used' | 'refused' | 'opened' | 'looked' | 'key';

const opening =
  /^(PutUseCaseForModelAccess|PutFoundationModelEntitlement|CreateFoundationModelAgreement)$/;
const looking = /^(ListFoundationModels|GetFoundationModelAvailability|GetUseCaseForModelAccess)$/;

export default folding<Config, Spree>({
  meta,
  on: [
    'bedrock.amazonaws.com:InvokeModel',
    'bedrock.amazonaws.com:InvokeModelWithResponseStream',
    'bedrock.amazonaws.com:Converse',
    'bedrock.amazonaws.com:ConverseStream',
    'bedrock.amazonaws.com:ListFoundationModels',
    'bedrock.amazonaws.com:GetFoundationModelAvailability',
    'bedrock.amazonaws.com:GetUseCaseForModelAccess',
    'bedrock.amazonaws.com:PutUseCaseForModelAccess',
    'bedrock.amazonaws.com:PutFoundationModelEntitlement',
    'bedrock.amazonaws.com:CreateFoundationModelAgreement',
  ],
  config,
  state: spreeState((event) => {
    if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS did it';
    return undefined;
  }),
  isKnown(event, state) {
    const things = [modelOf(event)];
    return kindsOf(event).every((kind) => isInSpree(state, kind, things, event));
  },
  fold(event, state) {
    const things = [modelOf(event)];
    return kindsOf(event)
      .map((kind) => spreeAdd(state, kind, things, event))
      .includes(true);
  },
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

function kindsOf(event: Event): readonly Kind[] {
  const kind: Kind = opening.test(event.name)
    ? 'opened'
    : looking.test(event.name)
      ? 'looked'
      : isRefused(event)
        ? 'refused'
        : 'used';
  if (kind === 'opened' && event.outcome !== 'success') return ['refused'];
  return event.accessKeyId.startsWith('AKIA') && kind !== 'refused' ? [kind, 'key'] : [kind];
}

// Thieves ask with values that cannot be valid, to learn whether they may: ValidationException says yes.
function isRefused(event: Event): boolean {
  return event.outcome !== 'success' && event.errorCode !== 'ThrottlingException';
}

function modelOf(event: Event): string {
  const model = event.text('requestParameters.modelId') ?? '';
  return plain(model.slice(model.lastIndexOf('/') + 1)) || event.name;
}

function judgeHour(bucket: Bucket<Spree>, settings: Config): readonly JudgedSignal[] {
  const { state } = bucket;
  const who = nameOf(actorIn(state));
  const group = (...kinds: readonly Kind[]) => groupsOf(state, ...kinds);
  const opened = group('opened');
  const refused = group('refused');
  const used = group('used');
  const looked = group('looked');
  const signals: JudgedSignal[] = [];
  const isProbing = refused.things.length >= settings.refused;
  if (isProbing) {
    const isIn = used.things.length > 0 || opened.things.length > 0;
    signals.push({
      ...spreeSignal(bucket, 'refused', refused),
      severity: isIn ? 'medium' : 'low',
      title: `${who} failed at ${counted(refused, 'different model')} of Bedrock`,
      reason: `Whoever knows the rights of the credentials does not try: ${listed(refused.things)}.${
        isIn ? ' Other calls succeeded in the same hour.' : ''
      }`,
    });
  }
  if (opened.things.length > 0) {
    const isUsed = used.things.length > 0;
    const isOdd = group('key').things.length > 0 || isProbing;
    signals.push({
      ...spreeSignal(bucket, 'opened', isUsed ? group('opened', 'used') : opened),
      severity: isOdd ? (isUsed ? 'high' : 'medium') : 'low',
      title: `${who} requested access to models of Bedrock${isUsed ? ' and invoked one at once' : ''}`,
      reason: `Calls and models: ${listed(opened.things)}.${isOdd ? ' A long-term key or failed attempts go with it.' : ''}`,
    });
  }
  const isByKey = group('key').things.length > 0;
  if (isByKey && looked.things.length > 0 && used.things.length > 0 && opened.things.length === 0) {
    signals.push({
      ...spreeSignal(bucket, 'key', group('used', 'looked')),
      severity: 'medium',
      title: `${who} looked around in Bedrock and invoked models with a long-term key`,
      reason: `An application knows its model and does not list them. Models: ${listed(used.things)}.`,
    });
  }
  if (used.things.length >= settings.models) {
    signals.push({
      ...spreeSignal(bucket, 'many', used),
      severity: isByKey ? 'medium' : 'low',
      title: `${who} invoked ${counted(used, 'different model')} of Bedrock within an hour`,
      reason: `An application uses one or two. Models: ${listed(used.things)}.`,
    });
  }
  return signals;
}
