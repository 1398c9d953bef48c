// The metadata service of instances was made weaker: tokens optional, or tokens that travel further.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { instancesIn, isByHand } from '../src/core/instances.ts';
import type { Severity } from '../src/core/severity.ts';
import { listed } from '../src/core/tally.ts';
import { actorOf, attack, isByAws, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'imds-downgraded',
  title: 'The metadata service was weakened',
  severity: 'low',
  practice: 'instance-roles',
  what: 'An instance, or the default of the account, may now give role credentials without a session token (IMDSv1), or to callers more hops away.',
  why: 'Without a token, a web application that fetches any address for its user also fetches the credentials of the instance role. That is how they are stolen most often.',
  innocent: [
    'An old program or image that cannot do IMDSv2.',
    'A hop limit of 2 is what containers on an instance need.',
    'Templates and Terraform code that name "optional" because it once was the default.',
  ],
  firstSteps: [
    'Ask whoever changed it which program needs IMDSv1; read the CloudWatch metric MetadataNoToken of the instance.',
    'Set it back: ec2 modify-instance-metadata-options --http-tokens required; for the account modify-instance-metadata-defaults.',
    'Look for calls of the instance role from strange addresses after the change.',
  ],
  attack: attack({
    'T1552.005': 'Unsecured Credentials: Cloud Instance Metadata API',
    'T1578.005': 'Modify Cloud Compute Infrastructure: Modify Cloud Compute Configurations',
  }),
  cis: [
    { framework: 'CIS AWS Foundations', version: '3.0.0', control: '5.6' },
    { framework: 'CIS AWS Foundations', version: '5.0.0', control: '5.7' },
  ],
  gaps: [
    'What the setting was before is not in the call.',
    'A launch that says nothing takes the defaults of image and account, which are not in the call.',
  ],
};

const config = z.strictObject({
  hopLimit: z.int().min(1).default(2).describe('A higher hop limit than this is a signal.'),
});
type Config = z.infer<typeof config>;

export default stateless<Config>({
  meta,
  on: [
    'ec2.amazonaws.com:ModifyInstanceMetadataOptions',
    'ec2.amazonaws.com:ModifyInstanceMetadataDefaults',
    'ec2.amazonaws.com:RunInstances',
  ],
  config,
  detect(event, { hopLimit }) {
    if (event.outcome !== 'success') return 'the call failed';
    if (isByAws(event) || event.invokedBy !== '') return 'an AWS service made the call';
    const { tokens, hops } = optionsOf(event);
    const isOptional = ['optional', 'no-preference'].includes(tokens);
    const isFar = hops !== undefined && hops > hopLimit;
    if (!isOptional && !isFar) return 'tokens are required, or not touched, and do not go far';
    const isLaunch = event.name === 'RunInstances';
    if (isLaunch && !isOptional) return 'a launch with a high hop limit, and tokens required';
    const where = whereOf(event);
    const what = isOptional
      ? `metadata without a token (IMDSv1) on ${where}`
      : `a metadata hop limit of ${hops} on ${where}`;
    return said(event, {
      severity: severityOf(event, isOptional && tokens === 'optional'),
      title: `${actorOf(event)} allowed ${what}`,
      reason: [
        isOptional
          ? `httpTokens is "${plain(tokens)}": an application that fetches addresses for its user can be made to fetch the role credentials.`
          : '',
        isFar ? `Answers travel ${hops} hops, out of the instance.` : '',
        isLaunch ? 'Set at launch, often by an old template.' : '',
      ]
        .filter((one) => one !== '')
        .join(' '),
      facts: { where, httpTokens: plain(tokens), hopLimit: hops === undefined ? '' : String(hops) },
    });
  },
});

/** EC2 writes the options at the top, under the request's own name, or under `metadataOptions`. */
function optionsOf(event: Event): { tokens: string; hops: number | undefined } {
  const bases = ['', `.${event.name}Request`, '.metadataOptions'].map(
    (one) => `requestParameters${one}`,
  );
  const either = (names: readonly string[]) =>
    bases
      .flatMap((base) => names.map((name) => event.field(`${base}.${name}`)))
      .find((one) => one !== undefined);
  const tokens = either(['httpTokens', 'HttpTokens']);
  const hops = Number(either(['httpPutResponseHopLimit', 'HttpPutResponseHopLimit']) ?? Number.NaN);
  return {
    tokens: typeof tokens === 'string' ? tokens : '',
    hops: Number.isFinite(hops) ? hops : undefined,
  };
}

function whereOf(event: Event): string {
  if (event.name === 'ModifyInstanceMetadataDefaults') {
    return `all new instances of account ${plain(event.account)} in ${plain(event.region)}`;
  }
  if (event.name === 'RunInstances') {
    return listed(instancesIn(event, 'responseElements.instancesSet')) || 'new instances';
  }
  const base = `requestParameters.${event.name}Request`;
  return (
    plain(
      event.text('requestParameters.instanceId') ??
        event.text(`${base}.InstanceId`) ??
        event.text(`${base}.instanceId`),
    ) || 'an instance'
  );
}

function severityOf(event: Event, isOptional: boolean): Severity {
  if (event.name === 'RunInstances') return 'info';
  // A running instance is rarely weakened by hand but to use it; pipelines repeat what is written.
  return isOptional && isByHand(event) ? 'medium' : 'low';
}
