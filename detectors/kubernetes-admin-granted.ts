// Somebody was made an administrator of an EKS cluster.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { isByHand, textsAt } from '../src/core/instances.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, isByAws, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'kubernetes-admin-granted',
  title: 'Administrator of a Kubernetes cluster added',
  severity: 'low',
  practice: 'instance-roles',
  what: 'An access entry or access policy made an IAM principal administrator of an EKS cluster.',
  why: 'An administrator of the cluster reads every secret in it, runs anything on its nodes, and acts with the role of every pod. Nothing of that is in CloudTrail.',
  innocent: [
    'Terraform or eksctl sets up a cluster and the role of its administrators.',
    'An administrator gives a colleague access by hand.',
  ],
  firstSteps: [
    'Ask who added it, and whose the principal is.',
    'If nobody answers for it: eks delete-access-entry for the principal, and read the audit log of the cluster from then on.',
    'Look for roles of pods (IRSA, Pod Identity) that were used from then on.',
  ],
  attack: attack({
    'T1098.006': 'Account Manipulation: Additional Container Cluster Roles',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'The aws-auth map and what is granted inside the cluster are not in CloudTrail.',
    'An access policy that is limited to namespaces is not judged.',
  ],
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: [
    'eks.amazonaws.com:AssociateAccessPolicy',
    'eks.amazonaws.com:CreateAccessEntry',
    'eks.amazonaws.com:UpdateAccessEntry',
  ],
  config,
  detect(event) {
    if (isByAws(event)) return 'an AWS service acted by itself';
    const how = grantOf(event);
    if (how === undefined) return 'it makes nobody administrator of the whole cluster';
    const who = plain(event.text('requestParameters.principalArn')) || 'a principal';
    const cluster =
      plain(event.text('requestParameters.name') ?? event.text('requestParameters.clusterName')) ||
      'a cluster';
    const isOwn = who !== 'a principal' && who === event.principal.arn;
    const owner = who.split(':')[4] ?? '';
    const isForeign = /^\d{12}$/.test(owner) && owner !== event.account;
    const isDone = event.outcome === 'success';
    return said(event, {
      severity: severityOf(event, { isOwn, isForeign, who }),
      title: `${actorOf(event)} ${isDone ? 'made' : 'tried to make'} ${who} administrator of cluster ${cluster}`,
      reason: [
        `${how}.`,
        isOwn ? 'It is the caller itself.' : '',
        isForeign ? `The principal belongs to account ${owner}.` : '',
        isDone ? '' : `The call failed: ${plain(event.errorCode)}.`,
      ]
        .filter((one) => one !== '')
        .join(' '),
      facts: { cluster, principal: who },
    });
  },
});

function grantOf(event: Event): string | undefined {
  if (event.name === 'AssociateAccessPolicy') {
    const policy = event.text('requestParameters.policyArn') ?? '';
    const scope = event.text('requestParameters.accessScope.type');
    if (!/AmazonEKS(Cluster)?AdminPolicy$/.test(policy) || scope === 'namespace') return undefined;
    return `The access policy is ${plain(policy.slice(policy.lastIndexOf('/') + 1))}`;
  }
  const groups = textsAt(event, 'requestParameters.kubernetesGroups');
  return groups.includes('system:masters') ? 'The group is system:masters' : undefined;
}

function severityOf(
  event: Event,
  of: { isOwn: boolean; isForeign: boolean; who: string },
): Severity {
  if (event.outcome !== 'success') return 'low';
  if (of.isForeign) return 'high';
  if (!isByHand(event)) return 'low';
  return of.isOwn || of.who.includes(':user/') ? 'medium' : 'low';
}
