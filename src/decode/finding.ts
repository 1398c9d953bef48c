// GuardDuty's findings: told from everything else, and brought from their four shapes into one.
import {
  type AsffFinding,
  asffFinding,
  type GuarddutyAction,
  guarddutyAction,
  guarddutyFinding,
} from '../../schemas/guardduty.ts';
import type { Finding } from '../core/finding.ts';
import { parseTime } from '../core/time.ts';
import { type Body, isObject } from './body.ts';
import { contentHash } from './content.ts';

/** `arn:aws:guardduty:REGION:ACCOUNT:detector/ID/finding/ID`; one guide prints `arn:aws::`. */
const findingArn = /^arn:([^:]*)::?guardduty:([^:]*):([^:]*):detector\/([^/]+)\/finding\/(.+)$/;
const asffProduct = /:product\/aws\/guardduty$/i;

/** Takes an object; gives whether it is a finding of GuardDuty, in whichever shape. */
export function isFinding(body: Body): boolean {
  return isGuarddutyAsff(body) || isOwnShape(body);
}

/** Takes an object; gives whether it is a finding in Security Hub's format, of any product. */
export function isAsff(body: Body): boolean {
  return typeof body['ProductArn'] === 'string' && typeof body['AwsAccountId'] === 'string';
}

/** Takes a finding; gives whether it was made by CreateSampleFindings. */
export function isSample(body: Body): boolean {
  const title = body['title'] ?? body['Title'];
  if (typeof title === 'string' && title.startsWith('[SAMPLE]')) return true;
  if (isAsff(body)) {
    const fields = body['ProductFields'];
    const told = isObject(fields) ? fields['aws/guardduty/service/additionalInfo/sample'] : '';
    return body['Sample'] === true || told === 'true';
  }
  const service = body['service'] ?? body['Service'];
  if (!isObject(service)) return false;
  const more = service['additionalInfo'] ?? service['AdditionalInfo'];
  if (!isObject(more)) return false;
  if (more['sample'] === true || more['Sample'] === true) return true;
  // Newer findings carry the same as a JSON text beside it.
  const text = more['value'] ?? more['Value'];
  return typeof text === 'string' && /"sample"\s*:\s*true/.test(text);
}

/**
 * Takes what `isFinding` accepted and its bytes, which are not copied; gives the finding. What is
 * missing or of an odd type is empty; never throws. It must not nest without bound: see `isDeeper`.
 */
export function findingOf(body: Body, bytes: Uint8Array): Finding {
  return isGuarddutyAsff(body) ? fromAsff(body, bytes) : fromGuardduty(body, bytes);
}

/** camelCase from EventBridge and S3, PascalCase from the API. */
function isOwnShape(body: Body): boolean {
  const arn = body['arn'] ?? body['Arn'];
  if (typeof arn === 'string' && findingArn.test(arn)) return true;
  const service = body['service'] ?? body['Service'];
  if (!isObject(service)) return false;
  if ((service['serviceName'] ?? service['ServiceName']) === 'guardduty') return true;
  const hasVersion = (body['schemaVersion'] ?? body['SchemaVersion']) !== undefined;
  return hasVersion && (service['detectorId'] ?? service['DetectorId']) !== undefined;
}

function isGuarddutyAsff(body: Body): boolean {
  if (!isAsff(body)) return false;
  if (asffProduct.test(String(body['ProductArn']))) return true;
  const fields = body['ProductFields'];
  return isObject(fields) && fields['aws/securityhub/ProductName'] === 'GuardDuty';
}

function fromGuardduty(body: Body, bytes: Uint8Array): Finding {
  const found = guarddutyFinding.parse(camelCased(body));
  const { service, resource } = found;
  const { accessKeyDetails: key, instanceDetails: instance } = resource;
  const named = namedBy(found.arn);
  const action = actionOf(service?.action ?? {});
  return {
    id: found.id || named.id || contentHash(body),
    arn: found.arn,
    account: found.accountId || named.account,
    region: found.region || named.region,
    partition: found.partition || named.partition,
    type: found.type,
    severity: found.severity,
    title: found.title,
    description: found.description,
    createdAt: parseTime(found.createdAt),
    updatedAt: parseTime(found.updatedAt),
    firstSeen: parseTime(service?.eventFirstSeen),
    lastSeen: parseTime(service?.eventLastSeen),
    count: service?.count ?? 1,
    isArchived: service?.archived === true,
    isSample: isSample(body),
    detectorId: service?.detectorId || named.detector,
    resourceType: resource.resourceType,
    accessKeyId: key?.accessKeyId ?? '',
    principalId: key?.principalId ?? '',
    userName: key?.userName ?? '',
    userType: key?.userType ?? '',
    instanceId: instance?.instanceId ?? '',
    instanceProfile: instance?.iamInstanceProfile.arn ?? '',
    api: action?.api ?? '',
    apiService: action?.serviceName ?? '',
    remoteIp: action === undefined ? '' : addressOf(action),
    bytes,
  };
}

/** The action's details, whatever its kind: `awsApiCallAction`, `networkConnectionAction`, … */
function actionOf(actions: Body): GuarddutyAction | undefined {
  const details = Object.entries(actions).find(
    ([name, value]) => name.endsWith('Action') && isObject(value),
  )?.[1];
  return details === undefined ? undefined : guarddutyAction.parse(details);
}

function addressOf(action: GuarddutyAction): string {
  const sides = [action, ...action.portProbeDetails].map((one) => one.remoteIpDetails);
  return sides.map((one) => one.ipAddressV4 || one.ipAddressV6).find((one) => one !== '') ?? '';
}

/** The API and EventBridge differ only in the first letter of every key. */
function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name.charAt(0).toLowerCase() + name.slice(1),
      camelCased(one),
    ]),
  );
}

/** What the ARN tells where the fields do not. */
function namedBy(arn: string) {
  const [, partition = '', region = '', account = '', detector = '', id = ''] =
    findingArn.exec(arn) ?? [];
  return { partition, region, account, detector, id };
}

function fromAsff(body: Body, bytes: Uint8Array): Finding {
  const found = asffFinding.parse(body);
  const named = namedBy(found.Id);
  const field = fieldsOf(found);
  const key = resourceOf(found, 'AwsIamAccessKey');
  const instance = resourceOf(found, 'AwsEc2Instance');
  const api = 'action/awsApiCallAction/';
  return {
    id: named.id || found.Id || contentHash(body),
    arn: found.Id,
    account: found.AwsAccountId || named.account,
    region: found.Region || named.region,
    partition: named.partition,
    type: typeOf(found.Types),
    severity: severityOf(found.Severity),
    title: found.Title,
    description: found.Description,
    createdAt: parseTime(found.CreatedAt),
    updatedAt: parseTime(found.UpdatedAt),
    firstSeen: parseTime(found.FirstObservedAt) ?? parseTime(field('eventFirstSeen')),
    lastSeen: parseTime(found.LastObservedAt) ?? parseTime(field('eventLastSeen')),
    count: Math.max(1, Math.trunc(Number(field('count'))) || 1),
    isArchived: field('archived') === 'true' || found.RecordState === 'ARCHIVED',
    isSample: isSample(body),
    detectorId: field('detectorId') || named.detector,
    resourceType: resourceTypeOf(found.Resources[0]?.Type ?? ''),
    accessKeyId: /(?:AKIA|ASIA)\w+$/.exec(key.Id)?.[0] ?? textOf(key.details, 'AccessKeyId'),
    principalId: textOf(key.details, 'PrincipalId'),
    userName: textOf(key.details, 'PrincipalName') || textOf(key.details, 'UserName'),
    userType: textOf(key.details, 'PrincipalType'),
    instanceId: /(?:^|\/)(i-\w+)$/.exec(instance.Id)?.[1] ?? '',
    instanceProfile: textOf(instance.details, 'IamInstanceProfileArn'),
    api: field(`${api}api`),
    apiService: field(`${api}serviceName`),
    remoteIp: remoteIpIn(found.ProductFields),
    bytes,
  };
}

/** Fields of `service`, flattened: `aws/guardduty/service/count`, in older findings `count`. */
function fieldsOf({ ProductFields: fields }: AsffFinding): (name: string) => string {
  return (name) => fields[`aws/guardduty/service/${name}`] ?? fields[name] ?? '';
}

function resourceOf(found: AsffFinding, type: string): { Id: string; details: Body } {
  const resource = found.Resources.find((one) => one.Type === type);
  return { Id: resource?.Id ?? '', details: resource?.Details[type] ?? {} };
}

function textOf(details: Body, name: string): string {
  const value = details[name];
  return typeof value === 'string' ? value : '';
}

/** `TTPs/Discovery/Recon:IAMUser-UserPermissions` was `Recon:IAMUser/UserPermissions`. */
function typeOf(types: readonly string[]): string {
  const own = types.find((one) => one.includes(':')) ?? types[0] ?? '';
  return own.slice(own.lastIndexOf('/') + 1).replace(/^([^:]*:[^-]*)-/, '$1/');
}

function severityOf({ Product, Original, Normalized }: AsffFinding['Severity']): number {
  if (Product !== undefined) return Product;
  // GuardDuty's number as a text; other products put a word here.
  const original = Number.parseFloat(String(Original));
  return Number.isNaN(original) ? (Normalized ?? 0) / 10 : original;
}

const resourceTypes: ReadonlyMap<string, string> = new Map([
  ['AwsIamAccessKey', 'AccessKey'],
  ['AwsEc2Instance', 'Instance'],
  ['AwsS3Bucket', 'S3Bucket'],
  ['AwsEksCluster', 'EKSCluster'],
  ['AwsEcsCluster', 'ECSCluster'],
  ['AwsLambdaFunction', 'Lambda'],
  ['AwsRdsDbInstance', 'RDSDBInstance'],
]);

function resourceTypeOf(type: string): string {
  return resourceTypes.get(type) ?? type;
}

const addressField = /remoteIpDetails\/ipAddressV[46]$/;

function remoteIpIn(fields: Readonly<Record<string, string>>): string {
  const names = Object.keys(fields).filter((name) => addressField.test(name));
  return names.sort().map((name) => fields[name] ?? '')[0] ?? '';
}
