// Calls that open buckets, objects, snapshots, images and shares without a policy of their own, or
// take away the guard that keeps policies from opening them.
import type { Severity } from '../../severity.ts';
import { plain } from '../../text.ts';
import type { Finding } from '../finding.ts';
import { judgeResourcePolicy } from '../resource-policy.ts';
import { type Fields, fieldsOf, listOf, textAt, textsOf, valueAt } from '../shape.ts';
import {
  type Asked,
  type Change,
  judged,
  listed,
  named,
  nameIn,
  quietly,
  type Reader,
  type Readers,
} from './change.ts';

function bucketOf(asked: Asked): string {
  return nameIn(asked, 'bucketName', 'bucket', 'name') || (asked.denial?.resource ?? '');
}

function aboutBucket(asked: Asked) {
  const name = bucketOf(asked);
  return name === '' ? {} : { target: { kind: 'bucket', name } };
}

const putBucketPolicy: Reader = (asked) => {
  const document =
    valueAt(asked.request, 'bucketPolicy') ??
    valueAt(asked.request, 'policy') ??
    valueAt(asked.request, 'accessPointPolicy');
  const findings = judged(asked, document, (all) => judgeResourcePolicy(all, asked.ground));
  return {
    verb: ['write', 'wrote'],
    object: `the policy of ${named('bucket', bucketOf(asked))}`,
    subject: 'The policy',
    findings,
    base: 'low',
    ...(findings.length === 0 ? { note: 'It lets nobody in from outside of the account.' } : {}),
    grants: true,
    ...aboutBucket(asked),
  };
};

const cannedLists: Readonly<Record<string, Finding>> = {
  'public-read': { severity: 'high', what: 'lets everybody in the world read' },
  'public-read-write': { severity: 'critical', what: 'lets everybody in the world read and write' },
  'authenticated-read': { severity: 'high', what: 'lets everybody with an AWS account read' },
};

const putAcl: Reader = (asked) => {
  const object = nameIn(asked, 'key');
  const bucket = named('bucket', bucketOf(asked));
  return {
    verb: ['write', 'wrote'],
    object: `the access list of ${object === '' ? bucket : `object ${plain(object)} in ${bucket}`}`,
    subject: 'The access list',
    findings: aclFindings(asked.request),
    base: 'low',
    grants: true,
    ...aboutBucket(asked),
  };
};

function aclFindings(request: Fields): readonly Finding[] {
  const canned = [...textsOf(valueAt(request, 'x-amz-acl')), ...textsOf(valueAt(request, 'acl'))];
  const findings = canned.map((one) => cannedLists[one]).filter((one) => one !== undefined);
  const policy = fieldsOf(valueAt(request, 'AccessControlPolicy'));
  const grants = fieldsOf(valueAt(policy, 'AccessControlList'));
  for (const item of listOf(valueAt(grants, 'Grant'))) {
    const uri = textAt(fieldsOf(valueAt(fieldsOf(item), 'Grantee')), 'URI');
    const right = textAt(fieldsOf(item), 'Permission');
    const finding = groupGrant(uri, right) ?? foreignGrant(fieldsOf(item), policy, right);
    if (finding !== undefined) findings.push(finding);
  }
  for (const [key, value] of Object.entries(request)) {
    const header = /^x-amz-grant-(.+)$/i.exec(key);
    if (header === null) continue;
    for (const text of textsOf(value)) {
      const finding = groupGrant(text, header[1] ?? '');
      if (finding !== undefined) findings.push(finding);
    }
  }
  return findings;
}

// The owner's own grant is in every access list; another canonical user is another account.
function foreignGrant(grant: Fields, policy: Fields, right: string): Finding | undefined {
  const grantee = textAt(fieldsOf(valueAt(grant, 'Grantee')), 'ID');
  const owner = textAt(fieldsOf(valueAt(policy, 'Owner')), 'ID');
  if (grantee === '' || owner === '' || grantee === owner) return undefined;
  const who = `the canonical user ${plain(grantee, 20)}, another account,`;
  const what = `gives ${who} ${plain(right, 20)}`;
  return { severity: 'medium', what };
}

function groupGrant(grantee: string, right: string): Finding | undefined {
  const who = /AllUsers/i.test(grantee)
    ? 'everybody in the world'
    : /AuthenticatedUsers/i.test(grantee) && 'everybody with an AWS account';
  if (who === false) return undefined;
  const isRead = /^read(-acp|_acp)?$/i.test(right);
  const severity: Severity = isRead ? 'high' : 'critical';
  return { severity, what: `gives ${who} ${plain(right, 20) || 'a right'}` };
}

const guards = [
  'BlockPublicAcls',
  'IgnorePublicAcls',
  'BlockPublicPolicy',
  'RestrictPublicBuckets',
];

function putPublicBlock(isAccount: boolean): Reader {
  return (asked) => {
    const block = fieldsOf(valueAt(asked.request, 'PublicAccessBlockConfiguration'));
    const off = guards.filter((one) => String(valueAt(block, one)).toLowerCase() === 'false');
    const severity: Severity = isAccount ? 'high' : 'medium';
    const what = `is switched off for ${off.join(', ')}: what is made public then is public`;
    return blockChange(
      asked,
      isAccount,
      ['set', 'set'],
      off.length > 0 ? [{ severity, what }] : [],
    );
  };
}

function deletePublicBlock(isAccount: boolean): Reader {
  return (asked) =>
    blockChange(
      asked,
      isAccount,
      ['remove', 'removed'],
      [
        {
          severity: isAccount ? 'high' : 'low',
          what: 'no longer keeps anything from being public',
        },
      ],
    );
}

function blockChange(
  asked: Asked,
  isAccount: boolean,
  verb: Change['verb'],
  findings: readonly Finding[],
): Change {
  const where = isAccount ? 'the account' : named('bucket', bucketOf(asked));
  return {
    verb,
    object: `the public access block of ${where}`,
    subject: 'The block',
    findings,
    base: 'low',
    grants: false,
    ...aboutBucket(asked),
  };
}

const putOwnership: Reader = (asked) => {
  const isOpen = /ObjectWriter|BucketOwnerPreferred/.test(
    JSON.stringify(asked.request).slice(0, 4_096),
  );
  return {
    ...quietly('set', 'set'),
    object: `the object ownership of ${named('bucket', bucketOf(asked))}`,
    base: 'low',
    ...(isOpen ? { note: 'Access lists count again, besides the policy.' } : {}),
    ...aboutBucket(asked),
  };
};

const putReplication: Reader = (asked) => {
  const rules = fieldsOf(valueAt(asked.request, 'ReplicationConfiguration'));
  const accounts = listOf(valueAt(rules, 'Rule') ?? valueAt(rules, 'rules'))
    .map((rule) => textAt(fieldsOf(valueAt(fieldsOf(rule), 'Destination')), 'Account'))
    .filter((account) => isOutside(account, asked));
  const what = `copies every new object to account ${listed(accounts)}, which is not known`;
  return {
    verb: ['set', 'set'],
    object: `the replication of ${named('bucket', bucketOf(asked))}`,
    subject: 'The replication',
    findings: accounts.length > 0 ? [{ severity: 'high', what }] : [],
    base: 'low',
    grants: false,
    ...aboutBucket(asked),
  };
};

function isOutside(account: string, asked: Asked): boolean {
  const { ground } = asked;
  return account !== '' && account !== ground.account && !ground.knownAccounts.includes(account);
}

/** EC2: `createVolumePermission.add.items[].{userId|group}` and `launchPermission.add.items[]`. */
function shareItems(kind: string, key: string, list: string): Reader {
  return (asked) => {
    const permission = fieldsOf(valueAt(asked.request, list));
    const added = itemsOf(valueAt(permission, 'add'));
    const removed = itemsOf(valueAt(permission, 'remove'));
    if (added.length === 0 && removed.length === 0 && asked.event.outcome === 'success') {
      const isOther = Object.keys(asked.request).length > 0;
      if (isOther) return 'the call shares nothing';
    }
    const names = added.flatMap((one) => [
      ...textsOf(valueAt(one, 'group')),
      ...textsOf(valueAt(one, 'userId')),
      ...textsOf(valueAt(one, 'organizationArn')),
      ...textsOf(valueAt(one, 'organizationalUnitArn')),
    ]);
    return share(asked, kind, nameIn(asked, key), names, removed.length > 0 && added.length === 0);
  };
}

function itemsOf(value: unknown): readonly Fields[] {
  const items = fieldsOf(value);
  return listOf(valueAt(items, 'items')).map(fieldsOf);
}

function shareValues(key: string): Reader {
  return (asked) => {
    const added = textsOf(valueAt(asked.request, 'valuesToAdd'));
    const attribute = nameIn(asked, 'attributeName');
    if (attribute !== '' && attribute !== 'restore') return 'the call shares nothing';
    const removed = textsOf(valueAt(asked.request, 'valuesToRemove'));
    return share(
      asked,
      'database snapshot',
      nameIn(asked, key),
      added,
      removed.length > 0 && added.length === 0,
    );
  };
}

const shareDocument: Reader = (asked) => {
  const added = textsOf(valueAt(asked.request, 'accountIdsToAdd'));
  const removed = textsOf(valueAt(asked.request, 'accountIdsToRemove'));
  return share(
    asked,
    'SSM document',
    nameIn(asked, 'name'),
    added,
    removed.length > 0 && added.length === 0,
  );
};

function share(
  asked: Asked,
  kind: string,
  name: string,
  added: readonly string[],
  isRemoval: boolean,
): Change {
  const shown = named(kind, name || asked.denial?.resource);
  const whom = added.length === 0 ? '' : ` with ${listed(added)}`;
  const about = { object: `${shown}${whom}`, ...(name === '' ? {} : { target: { kind, name } }) };
  if (isRemoval) return { ...quietly('stop sharing', 'stopped sharing'), ...about, base: 'low' };
  const findings: Finding[] = [];
  if (added.some((one) => one.toLowerCase() === 'all')) {
    findings.push({ severity: 'critical', what: 'is open to every AWS account of the world' });
  }
  const outside = added.filter((one) => one.toLowerCase() !== 'all' && isOutside(one, asked));
  const accounts = outside.filter((one) => !one.startsWith('arn:'));
  if (accounts.length > 0) {
    const what = `can be used by account ${listed(accounts)}, which is not known`;
    findings.push({ severity: 'high', what });
  }
  const base = added.length === 0 ? 'medium' : 'low';
  const note = added.length === 0 ? { note: 'With whom it is shared is not in this event.' } : {};
  const subject = `The ${kind}`;
  return { verb: ['share', 'shared'], subject, findings, base, grants: false, ...note, ...about };
}

const resourceShare: Reader = (asked) => {
  const outside = textsOf(valueAt(asked.request, 'principals')).filter(
    (one) => isOutside(accountOf(one), asked) && !/:organizations:/.test(one),
  );
  const allows = valueAt(asked.request, 'allowExternalPrincipals');
  const isOpen = allows !== false && asked.event.name === 'CreateResourceShare';
  const what = `lets in ${listed(outside)}, which is not known`;
  const name = nameIn(asked, 'name', 'resourceShareArn');
  return {
    verb: asked.event.name === 'CreateResourceShare' ? ['create', 'created'] : ['widen', 'widened'],
    object: named('resource share', name),
    subject: 'The share',
    findings: outside.length > 0 ? [{ severity: 'high', what }] : [],
    base: 'low',
    ...(isOpen ? { note: 'It admits accounts from outside of the organisation.' } : {}),
    grants: false,
    ...(name === '' ? {} : { target: { kind: 'resource share', name } }),
  };
};

function accountOf(text: string): string {
  return text.startsWith('arn:') ? (text.split(':')[4] ?? '') : text;
}

const accessEntry: Reader = (asked) => {
  const who = nameIn(asked, 'principalArn');
  const cluster = nameIn(asked, 'name', 'clusterName');
  const policy = nameIn(asked, 'policyArn');
  const groups = textsOf(valueAt(asked.request, 'kubernetesGroups'));
  const isAdmin = /Cluster(Admin)Policy$/.test(policy) || groups.includes('system:masters');
  const findings: Finding[] = isAdmin
    ? [{ severity: 'high', what: 'is administration of the whole cluster' }]
    : [];
  if (isOutside(accountOf(who), asked)) {
    findings.push({ severity: 'high', what: 'is for a principal of an account that is not known' });
  }
  const role = who === '' ? undefined : { kind: /:user\//.test(who) ? 'user' : 'role', name: who };
  return {
    verb: ['give', 'gave'],
    object: `${named('principal', who)} access to ${named('cluster', cluster)}`,
    subject: 'The access',
    findings,
    base: 'low',
    grants: true,
    ...(role === undefined
      ? {}
      : { target: { ...role, name: who.slice(who.lastIndexOf('/') + 1) } }),
    ...(policy === '' ? {} : { policy }),
  };
};

const lakePermission: Reader = (asked) => {
  const who = textAt(fieldsOf(valueAt(asked.request, 'principal')), 'dataLakePrincipalIdentifier');
  const findings: Finding[] = [];
  if (/^(EVERYONE|\*)$/.test(who)) findings.push({ severity: 'high', what: 'is for everybody' });
  else if (isOutside(accountOf(who), asked) && /^\d{12}$/.test(accountOf(who))) {
    findings.push({ severity: 'high', what: 'is for an account that is not known' });
  }
  return {
    verb: ['grant', 'granted'],
    object: `Lake Formation permissions to ${plain(who) || 'a principal'}`,
    subject: 'The grant',
    findings,
    base: 'low',
    grants: true,
    ...(who === '' ? {} : { target: { kind: 'principal', name: who } }),
  };
};

const removeBucketPolicy: Reader = (asked) => ({
  ...quietly('delete', 'deleted'),
  object: `the policy of ${named('bucket', bucketOf(asked))}`,
  base: 'low',
  note: 'What it allowed is gone, and what it denied as well.',
  ...aboutBucket(asked),
});

/** Calls on buckets, snapshots, images, shares and clusters, by `source:Name`. */
export const storageReaders: Readers = {
  's3.amazonaws.com:PutBucketPolicy': putBucketPolicy,
  's3.amazonaws.com:DeleteBucketPolicy': removeBucketPolicy,
  's3.amazonaws.com:PutAccessPointPolicy': putBucketPolicy,
  's3.amazonaws.com:PutBucketAcl': putAcl,
  's3.amazonaws.com:PutObjectAcl': putAcl,
  's3.amazonaws.com:PutBucketPublicAccessBlock': putPublicBlock(false),
  's3.amazonaws.com:DeleteBucketPublicAccessBlock': deletePublicBlock(false),
  's3.amazonaws.com:PutAccountPublicAccessBlock': putPublicBlock(true),
  's3.amazonaws.com:DeleteAccountPublicAccessBlock': deletePublicBlock(true),
  's3.amazonaws.com:PutBucketOwnershipControls': putOwnership,
  's3.amazonaws.com:PutBucketReplication': putReplication,
  'ec2.amazonaws.com:ModifySnapshotAttribute': shareItems(
    'snapshot',
    'snapshotId',
    'createVolumePermission',
  ),
  'ec2.amazonaws.com:ModifyImageAttribute': shareItems('image', 'imageId', 'launchPermission'),
  'rds.amazonaws.com:ModifyDBSnapshotAttribute': shareValues('dBSnapshotIdentifier'),
  'rds.amazonaws.com:ModifyDBClusterSnapshotAttribute': shareValues('dBClusterSnapshotIdentifier'),
  'ssm.amazonaws.com:ModifyDocumentPermission': shareDocument,
  'ram.amazonaws.com:CreateResourceShare': resourceShare,
  'ram.amazonaws.com:AssociateResourceShare': resourceShare,
  'eks.amazonaws.com:CreateAccessEntry': accessEntry,
  'eks.amazonaws.com:AssociateAccessPolicy': accessEntry,
  'lakeformation.amazonaws.com:GrantPermissions': lakePermission,
};
