// Somebody used or touched a resource that was put there only to be found.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { textsAt } from '../src/core/instances.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, isByAws, isServiceLinked, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'decoy-touched',
  title: 'Decoy touched',
  severity: 'critical',
  practice: 'temporary-credentials',
  what: 'A call used a decoy (an access key, user, role, bucket, secret, parameter, table or key that is listed as such), read its content, or changed it. It is off until decoys are listed.',
  why: 'Nobody has a reason to use a decoy. Whoever does holds credentials and is looking for more.',
  innocent: [
    'A scanner or backup that reads everything: give it an exception.',
    'The team that keeps the decoys.',
  ],
  firstSteps: [
    'Take it for an intrusion: find the person or key behind the session in the chain of this alert, and what the same address did.',
    'Deactivate the access key, or put a deny on older tokens of the role (aws:TokenIssueTime).',
    'A decoy key shows where it was stolen from: look at the place where it was laid.',
    'Leave the decoy in place while you look; the intruder should not notice.',
  ],
  attack: attack({
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    T1530: 'Data from Cloud Storage',
    'T1555.006': 'Credentials from Password Stores: Cloud Secrets Management Stores',
  }),
  cis: [],
  gaps: [
    'Reading objects of a bucket and items of a table is in the trail only where data events are on.',
    'Looking at a decoy from outside (its policy, its tags) is low: scanners do it all day.',
  ],
};

const config = z.strictObject({
  decoys: z
    .array(z.string().regex(/^(arn:[^:]+:[^:]+:[^:]*:\d{0,12}:.+|(AKIA|ASIA)[A-Z0-9]{12,124})$/))
    .max(1000)
    .default([])
    .describe('ARNs and access key ids of decoys.'),
});
type Config = z.infer<typeof config>;

export default stateless<Config>({
  meta,
  on: [
    'key:long-term',
    'outcome:denied',
    'sts.amazonaws.com:*',
    'iam.amazonaws.com:*',
    's3.amazonaws.com:*',
    'secretsmanager.amazonaws.com:*',
    'ssm.amazonaws.com:*',
    'dynamodb.amazonaws.com:*',
    'kms.amazonaws.com:*',
    'signin.amazonaws.com:ConsoleLogin',
  ],
  config,
  detect(event, { decoys }) {
    if (decoys.length === 0) return 'no decoys are listed';
    if (isByAws(event) || isServiceLinked(event)) return 'AWS itself';
    const asDecoy = decoys.find((decoy) => isActor(event, decoy));
    if (asDecoy !== undefined) return told(event, asDecoy, 'acted as');
    const texts = textsOf(event);
    const touched = decoys.find((decoy) => isTarget(event, decoy, texts));
    return touched === undefined ? 'no decoy' : told(event, touched, touchOf(event));
  },
});

function isActor(event: Event, decoy: string): boolean {
  if (!decoy.startsWith('arn:')) return event.accessKeyId === decoy;
  return event.principal.arn === decoy;
}

/** Where requests name what they touch. */
const named =
  'roleArn roleName userName secretId name bucketName tableName keyId parameterName'.split(' ');
const listsOfNames = ['names', 'secretIdList'];

function textsOf(event: Event): ReadonlySet<string> {
  const request = 'requestParameters.';
  const resources = event.field('resources');
  const count = Array.isArray(resources) ? Math.min(resources.length, 20) : 0;
  const arns = Array.from({ length: count }, (_, at) => event.text(`resources.${at}.ARN`));
  return new Set(
    [
      ...named.map((one) => event.text(`${request}${one}`)),
      ...listsOfNames.flatMap((one) => textsAt(event, `${request}${one}`)),
      ...arns,
      event.text(`${request}accessKeyId`),
    ].filter((one) => one !== undefined),
  );
}

function isTarget(event: Event, decoy: string, texts: ReadonlySet<string>): boolean {
  if (texts.has(decoy)) return true;
  const [, , service = '', , account = '', ...rest] = decoy.split(':');
  const resource = rest.join(':');
  if (service === '' || (account !== '' && account !== event.account)) return false;
  if (event.source !== `${service}.amazonaws.com`) return false;
  return namesOf(service, resource).some((one) => texts.has(one));
}

/** How requests shorten an ARN: without its kind, its path, or the six letters Secrets Manager adds. */
function namesOf(service: string, resource: string): string[] {
  if (service === 's3') return [resource.split('/')[0] ?? ''];
  if (service === 'secretsmanager') {
    const name = resource.replace(/^secret:/, '');
    return [name, name.replace(/-[A-Za-z0-9]{6}$/, '')];
  }
  const name = resource.slice(resource.indexOf('/') + 1);
  if (service === 'iam') return [name.slice(name.lastIndexOf('/') + 1)];
  return [name, `/${name}`];
}

type Touch = 'acted as' | 'used' | 'changed' | 'looked at';

const uses =
  /^(AssumeRole.*|(Batch)?GetSecretValue|GetParameters?(ByPath|History)?|(Get|Put|Delete|Copy|Head|Restore)Objects?.*|ListObjects.*|(Batch)?(Get|Put|Update|Delete|Write)Item|Query|Scan|ExecuteStatement|Decrypt|GenerateDataKey.*|ReEncrypt.*|CreateGrant|CreateAccessKey|CreateLoginProfile|UpdateLoginProfile)$/;

function touchOf(event: Event): Touch {
  if (uses.test(event.name)) return 'used';
  return /^(Get|List|Describe|Head|Simulate|Generate)/.test(event.name) ? 'looked at' : 'changed';
}

const severities: Readonly<Record<Touch, Severity>> = {
  'acted as': 'critical',
  used: 'critical',
  changed: 'medium',
  'looked at': 'low',
};

function told(event: Event, decoy: string, touch: Touch): ReturnType<typeof said> {
  const call = `${plain(event.source.replace('.amazonaws.com', ''))}:${plain(event.name)}`;
  const end = event.outcome === 'success' ? 'It succeeded.' : `It did not succeed, but was tried.`;
  const whose = touch === 'acted as' ? 'With the credentials of the decoy,' : 'Nobody needs it:';
  const who = touch === 'acted as' ? 'Somebody' : actorOf(event);
  return said(event, {
    severity: severities[touch],
    title: `${who} ${touch} the decoy ${plain(decoy, 200)}`,
    reason: `${whose} ${call} was called from ${originOf(event)}. ${end}`,
    facts: { decoy: plain(decoy, 200), userAgent: plain(event.userAgent) },
  });
}
