// Calls that write a policy on a resource, service by service: they differ in where the document
// stands and in what the resource is called.
import type { Finding } from '../finding.ts';
import { judgeResourcePolicy } from '../resource-policy.ts';
import { fieldsOf, listOf, textAt, textsOf, valueAt } from '../shape.ts';
import {
  type Asked,
  type Change,
  judged,
  named,
  nameIn,
  quietly,
  type Reader,
  type Readers,
} from './change.ts';

interface Place {
  /** What the resource is called: "bucket". */
  readonly kind: string;
  /** Where its name may stand. */
  readonly keys: readonly string[];
  /** Where the document may stand. */
  readonly documents: readonly string[];
  /** True where a call without a document is about something else. */
  readonly isOptional?: boolean;
}

/** Takes where a service keeps name and document; gives the reader of the call that writes it. */
function writes(place: Place): Reader {
  return (asked) => {
    const key = place.documents.find((one) => valueAt(asked.request, one) !== undefined);
    if (key === undefined && place.isOptional === true) return 'the call sets no policy';
    return resourcePolicy(
      asked,
      place,
      key === undefined ? undefined : valueAt(asked.request, key),
    );
  };
}

function resourcePolicy(asked: Asked, place: Place, document: unknown): Change {
  const name = resourceName(asked, place.keys);
  const findings = judged(asked, document, (all) => judgeResourcePolicy(all, asked.ground));
  const isQuiet = findings.length === 0 && asked.event.outcome === 'success';
  return {
    verb: ['write', 'wrote'],
    object: `the policy of ${named(place.kind, name)}`,
    subject: 'The policy',
    findings,
    base: 'low',
    ...(isQuiet ? { note: 'It lets nobody in from outside of the account.' } : {}),
    grants: true,
    ...aboutResource(place.kind, name),
  };
}

function removes(kind: string, keys: readonly string[]): Reader {
  return (asked) => {
    const name = resourceName(asked, keys);
    return {
      ...quietly('delete', 'deleted'),
      object: `the policy of ${named(kind, name)}`,
      base: 'low',
      note: 'What it allowed is gone, and what it denied as well.',
      ...aboutResource(kind, name),
    };
  };
}

function resourceName(asked: Asked, keys: readonly string[]): string {
  const name = nameIn(asked, ...keys) || asked.denial?.resource || '';
  return name === '*' ? '' : name;
}

function aboutResource(kind: string, name: string) {
  return name === '' ? {} : { target: { kind, name } };
}

/** A statement that a service takes in parts: who, and which action. */
function permission(kind: string, keys: readonly string[]): Reader {
  return (asked) => {
    const name = resourceName(asked, keys);
    return {
      verb: ['add', 'added'],
      object: `a permission to the policy of ${named(kind, name)}`,
      subject: 'The permission',
      findings: permissionFindings(asked),
      base: 'low',
      grants: true,
      ...aboutResource(kind, name),
    };
  };
}

function permissionFindings(asked: Asked): readonly Finding[] {
  const { request } = asked;
  const who = [...textsOf(valueAt(request, 'principal')), ...accountsIn(asked)];
  if (who.length === 0) return [];
  const bound: Record<string, Record<string, string>> = { StringEquals: {}, ArnLike: {} };
  const account = nameIn(asked, 'sourceAccount');
  const arn = nameIn(asked, 'sourceArn');
  const organisation = nameIn(asked, 'principalOrgID', 'organizationId');
  if (account !== '') bound['StringEquals']!['aws:SourceAccount'] = account;
  if (arn !== '') bound['ArnLike']!['aws:SourceArn'] = arn;
  if (organisation !== '') bound['StringEquals']!['aws:PrincipalOrgID'] = organisation;
  const condition = fieldsOf(valueAt(request, 'condition'));
  const key = textAt(condition, 'key');
  if (key !== '') bound['StringEquals']![key] = textAt(condition, 'value');
  const action = textsOf(valueAt(request, 'actions') ?? valueAt(request, 'action'));
  // A service such as `s3.amazonaws.com` stands where an account could.
  const aws = who.filter((one) => !/\.amazonaws\.com(\.cn)?$/.test(one));
  const statement = { Effect: 'Allow', Principal: { AWS: aws }, Action: action, Condition: bound };
  return judged(asked, { Statement: statement }, (all) => judgeResourcePolicy(all, asked.ground));
}

function accountsIn(asked: Asked): readonly string[] {
  const ids = valueAt(asked.request, 'aWSAccountIds') ?? valueAt(asked.request, 'accountIds');
  return textsOf(ids);
}

/** SQS: `attributes.Policy`; the call with other attributes is no change of permissions. */
const setQueueAttributes: Reader = (asked) => {
  const attributes = fieldsOf(valueAt(asked.request, 'attributes'));
  const policy = valueAt(attributes, 'Policy') ?? listedPolicy(asked);
  if (policy === undefined) return 'the call sets no policy';
  return resourcePolicy(
    asked,
    { kind: 'queue', keys: ['queueUrl', 'queueName'], documents: [] },
    policy,
  );
};

// Older records list attributes as `[{name, value}]`.
function listedPolicy(asked: Asked): unknown {
  for (const one of listOf(valueAt(asked.request, 'attributes'))) {
    if (textAt(fieldsOf(one), 'name') === 'Policy') return valueAt(fieldsOf(one), 'value');
  }
  return nameIn(asked, 'attributeName') === 'Policy' ? asked.request['attributeValue'] : undefined;
}

const setTopicAttributes: Reader = (asked) => {
  const attributes = fieldsOf(valueAt(asked.request, 'attributes'));
  const policy = valueAt(attributes, 'Policy') ?? listedPolicy(asked);
  if (policy === undefined) return 'the call sets no policy';
  return resourcePolicy(
    asked,
    { kind: 'topic', keys: ['topicArn', 'name'], documents: [] },
    policy,
  );
};

const createKey: Reader = (asked) => {
  const policy = valueAt(asked.request, 'policy');
  if (policy === undefined) return 'the key is made with the default policy';
  const name = asked.event.text('responseElements.keyMetadata.keyId') ?? '';
  return {
    ...resourcePolicy(asked, { kind: 'KMS key', keys: [], documents: [] }, policy),
    verb: ['create', 'created'],
    object: `${named('KMS key', name)} with a policy`,
  };
};

const createGrant: Reader = (asked) => {
  const grantee = nameIn(asked, 'granteePrincipal');
  const operations = textsOf(valueAt(asked.request, 'operations'));
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: grantee },
    Action: operations.map((one) => `kms:${one}`),
  };
  const isService = grantee === '' || /amazonaws\.com|\.internal$/.test(grantee);
  const findings = isService
    ? []
    : judged(asked, { Statement: statement }, (all) => judgeResourcePolicy(all, asked.ground));
  // Services make grants with every volume and database: only one for an outsider is news.
  if (findings.length === 0) return 'the grant stays within the account';
  const key = resourceName(asked, ['keyId']);
  return {
    verb: ['make', 'made'],
    object: `a grant on ${named('KMS key', key)}`,
    subject: 'The grant',
    findings,
    base: 'low',
    grants: true,
    ...aboutResource('KMS key', key),
  };
};

const createUrl: Reader = (asked) => {
  const name = resourceName(asked, ['functionName']);
  const isOpen = nameIn(asked, 'authType').toUpperCase() === 'NONE';
  const what =
    'asks no caller who he is: everybody can call the function once its policy lets them';
  return {
    verb: ['write', 'wrote'],
    object: `the URL of ${named('function', name)}`,
    subject: 'The URL',
    findings: isOpen ? [{ severity: 'high', what }] : [],
    base: 'low',
    grants: true,
    ...aboutResource('function', name),
  };
};

const subscribeLogs: Reader = (asked) => {
  const destination = nameIn(asked, 'destinationArn');
  const account = destination.split(':')[4] ?? '';
  const { ground } = asked;
  const isInside = account === ground.account || ground.knownAccounts.includes(account);
  if (!/^\d{12}$/.test(account) || isInside) return 'the log stays within the account';
  const group = nameIn(asked, 'logGroupName');
  return {
    verb: ['send', 'sent'],
    object: `${named('log group', group)} to another account`,
    subject: 'The subscription',
    findings: [
      { severity: 'medium', what: `copies the log to account ${account}, which is not known` },
    ],
    base: 'medium',
    grants: false,
    ...aboutResource('log group', group),
  };
};

const functionKeys = ['functionName'];
const layerKeys = ['layerName'];
const queueKeys = ['queueUrl', 'queueName'];
const placeOf = (
  kind: string,
  keys: readonly string[],
  ...documents: readonly string[]
): Place => ({
  kind,
  keys,
  documents,
});

/** Calls that write resource policies, by `source:Name`. */
export const sharingReaders: Readers = {
  'kms.amazonaws.com:PutKeyPolicy': writes(placeOf('KMS key', ['keyId'], 'policy')),
  'kms.amazonaws.com:CreateKey': createKey,
  'kms.amazonaws.com:CreateGrant': createGrant,
  'lambda.amazonaws.com:AddPermission': permission('function', functionKeys),
  'lambda.amazonaws.com:RemovePermission': removes('function', functionKeys),
  'lambda.amazonaws.com:AddLayerVersionPermission': permission('layer', layerKeys),
  'lambda.amazonaws.com:RemoveLayerVersionPermission': removes('layer', layerKeys),
  'lambda.amazonaws.com:CreateFunctionUrlConfig': createUrl,
  'lambda.amazonaws.com:UpdateFunctionUrlConfig': createUrl,
  'sqs.amazonaws.com:SetQueueAttributes': setQueueAttributes,
  'sqs.amazonaws.com:CreateQueue': setQueueAttributes,
  'sqs.amazonaws.com:AddPermission': permission('queue', queueKeys),
  'sqs.amazonaws.com:RemovePermission': removes('queue', queueKeys),
  'sns.amazonaws.com:SetTopicAttributes': setTopicAttributes,
  'sns.amazonaws.com:CreateTopic': setTopicAttributes,
  'sns.amazonaws.com:AddPermission': permission('topic', ['topicArn']),
  'sns.amazonaws.com:RemovePermission': removes('topic', ['topicArn']),
  'events.amazonaws.com:PutPermission': (asked) =>
    valueAt(asked.request, 'policy') === undefined
      ? permission('event bus', ['eventBusName'])(asked)
      : writes(placeOf('event bus', ['eventBusName'], 'policy'))(asked),
  'events.amazonaws.com:RemovePermission': removes('event bus', ['eventBusName']),
  'secretsmanager.amazonaws.com:PutResourcePolicy': writes(
    placeOf('secret', ['secretId', 'arn'], 'resourcePolicy'),
  ),
  'secretsmanager.amazonaws.com:DeleteResourcePolicy': removes('secret', ['secretId', 'arn']),
  'ecr.amazonaws.com:SetRepositoryPolicy': writes(
    placeOf('repository', ['repositoryName'], 'policyText'),
  ),
  'ecr.amazonaws.com:DeleteRepositoryPolicy': removes('repository', ['repositoryName']),
  'ecr.amazonaws.com:PutRegistryPolicy': writes(placeOf('registry', [], 'policyText')),
  'glue.amazonaws.com:PutResourcePolicy': writes(
    placeOf('Glue catalogue', ['resourceArn'], 'policyInJson'),
  ),
  'glue.amazonaws.com:DeleteResourcePolicy': removes('Glue catalogue', ['resourceArn']),
  'backup.amazonaws.com:PutBackupVaultAccessPolicy': writes(
    placeOf('backup vault', ['backupVaultName'], 'policy'),
  ),
  'backup.amazonaws.com:DeleteBackupVaultAccessPolicy': removes('backup vault', [
    'backupVaultName',
  ]),
  'es.amazonaws.com:UpdateDomainConfig': writes({
    ...placeOf('OpenSearch domain', ['domainName'], 'accessPolicies'),
    isOptional: true,
  }),
  'es.amazonaws.com:UpdateElasticsearchDomainConfig': writes({
    ...placeOf('OpenSearch domain', ['domainName'], 'accessPolicies'),
    isOptional: true,
  }),
  'logs.amazonaws.com:PutResourcePolicy': writes(
    placeOf('log groups', ['policyName'], 'policyDocument'),
  ),
  'logs.amazonaws.com:PutDestinationPolicy': writes(
    placeOf('log destination', ['destinationName'], 'accessPolicy'),
  ),
  'logs.amazonaws.com:PutSubscriptionFilter': subscribeLogs,
  'elasticfilesystem.amazonaws.com:PutFileSystemPolicy': writes(
    placeOf('file system', ['fileSystemId'], 'policy'),
  ),
  'elasticfilesystem.amazonaws.com:DeleteFileSystemPolicy': removes('file system', [
    'fileSystemId',
  ]),
  'dynamodb.amazonaws.com:PutResourcePolicy': writes(placeOf('table', ['resourceArn'], 'policy')),
  'dynamodb.amazonaws.com:DeleteResourcePolicy': removes('table', ['resourceArn']),
  'kinesis.amazonaws.com:PutResourcePolicy': writes(placeOf('stream', ['resourceARN'], 'policy')),
  'kinesis.amazonaws.com:DeleteResourcePolicy': removes('stream', ['resourceARN']),
  'glacier.amazonaws.com:SetVaultAccessPolicy': (asked) => {
    const inner = fieldsOf(valueAt(asked.request, 'policy'));
    const document = valueAt(inner, 'policy') ?? valueAt(asked.request, 'policy');
    return resourcePolicy(asked, placeOf('vault', ['vaultName']), document);
  },
};
