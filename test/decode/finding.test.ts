import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/core/finding.ts';
import type { SourceRecord } from '../../src/core/ports.ts';
import { createDecoder, defaultDecodeLimits } from '../../src/decode/decoder.ts';
import { routes } from './routes.ts';
import { decodedText, partsOf } from './support.ts';

type Fields = Record<string, unknown>;
const id = '5a8d1bc2149f9b1ec35e1d29b122beb3';
const detector = 'd4b040365221be2b54a6264dc9a4bc64';
const arn = `arn:aws:guardduty:us-east-1:111122223333:detector/${detector}/finding/${id}`;

/** A finding as EventBridge and the export to S3 spell it. */
const finding: Fields = {
  schemaVersion: '2.0',
  accountId: '111122223333',
  region: 'us-east-1',
  partition: 'aws',
  id,
  arn,
  type: 'UnauthorizedAccess:IAMUser/MaliciousIPCaller',
  resource: {
    resourceType: 'AccessKey',
    accessKeyDetails: {
      accessKeyId: 'ASIAEXAMPLEEXAMPLE01',
      principalId: 'AROAEXAMPLEEXAMPLE012:alice',
      userType: 'AssumedRole',
      userName: 'deploy',
    },
    instanceDetails: {
      instanceId: 'i-0a1b2c3d4e5f60718',
      iamInstanceProfile: { arn: 'arn:aws:iam::111122223333:instance-profile/web', id: 'x' },
    },
  },
  service: {
    serviceName: 'guardduty',
    detectorId: detector,
    action: {
      actionType: 'AWS_API_CALL',
      awsApiCallAction: {
        api: 'ListUsers',
        serviceName: 'iam.amazonaws.com',
        remoteIpDetails: { ipAddressV4: '198.51.100.7', organization: { asn: '64496' } },
      },
    },
    eventFirstSeen: '2026-03-04T10:00:00.000Z',
    eventLastSeen: '2026-03-04T10:20:00.000Z',
    archived: false,
    count: 3,
  },
  severity: 5.5,
  createdAt: '2026-03-04T10:05:00.123Z',
  updatedAt: '2026-03-04T10:25:00.123Z',
  title: 'A call from an odd place.',
  description: 'It was made from 198.51.100.7.',
};

const expected = {
  id,
  arn,
  account: '111122223333',
  region: 'us-east-1',
  partition: 'aws',
  type: 'UnauthorizedAccess:IAMUser/MaliciousIPCaller',
  severity: 5.5,
  title: 'A call from an odd place.',
  description: 'It was made from 198.51.100.7.',
  createdAt: Date.parse('2026-03-04T10:05:00.123Z'),
  updatedAt: Date.parse('2026-03-04T10:25:00.123Z'),
  firstSeen: Date.parse('2026-03-04T10:00:00Z'),
  lastSeen: Date.parse('2026-03-04T10:20:00Z'),
  count: 3,
  isArchived: false,
  isSample: false,
  detectorId: detector,
  resourceType: 'AccessKey',
  accessKeyId: 'ASIAEXAMPLEEXAMPLE01',
  principalId: 'AROAEXAMPLEEXAMPLE012:alice',
  userName: 'deploy',
  userType: 'AssumedRole',
  instanceId: 'i-0a1b2c3d4e5f60718',
  instanceProfile: 'arn:aws:iam::111122223333:instance-profile/web',
  api: 'ListUsers',
  apiService: 'iam.amazonaws.com',
  remoteIp: '198.51.100.7',
};

/** The API's spelling: the first letter of every key is large. */
function pascal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pascal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name.charAt(0).toUpperCase() + name.slice(1),
      pascal(one),
    ]),
  );
}

const service = 'aws/guardduty/service';
/** As Security Hub rewrites it. */
const asff: Fields = {
  SchemaVersion: '2018-10-08',
  Id: arn,
  ProductArn: 'arn:aws:securityhub:us-east-1::product/aws/guardduty',
  GeneratorId: `arn:aws:guardduty:us-east-1:111122223333:detector/${detector}`,
  AwsAccountId: '111122223333',
  Types: ['TTPs/Initial Access/UnauthorizedAccess:IAMUser-MaliciousIPCaller'],
  FirstObservedAt: '2026-03-04T10:00:00Z',
  LastObservedAt: '2026-03-04T10:20:00Z',
  CreatedAt: '2026-03-04T10:05:00.123Z',
  UpdatedAt: '2026-03-04T10:25:00.123Z',
  Severity: { Product: 5.5, Label: 'MEDIUM', Normalized: 50 },
  Title: 'A call from an odd place.',
  Description: 'It was made from 198.51.100.7.',
  ProductFields: {
    [`${service}/archived`]: 'false',
    [`${service}/count`]: '3',
    [`${service}/detectorId`]: detector,
    [`${service}/action/awsApiCallAction/api`]: 'ListUsers',
    [`${service}/action/awsApiCallAction/serviceName`]: 'iam.amazonaws.com',
    [`${service}/action/awsApiCallAction/remoteIpDetails/ipAddressV4`]: '198.51.100.7',
    'aws/securityhub/ProductName': 'GuardDuty',
  },
  Resources: [
    {
      Type: 'AwsIamAccessKey',
      Id: 'AWS::IAM::AccessKey:ASIAEXAMPLEEXAMPLE01',
      Details: {
        AwsIamAccessKey: {
          PrincipalId: 'AROAEXAMPLEEXAMPLE012:alice',
          PrincipalName: 'deploy',
          PrincipalType: 'AssumedRole',
        },
      },
    },
    {
      Type: 'AwsEc2Instance',
      Id: 'arn:aws:ec2:us-east-1:111122223333:instance/i-0a1b2c3d4e5f60718',
      Details: {
        AwsEc2Instance: { IamInstanceProfileArn: 'arn:aws:iam::111122223333:instance-profile/web' },
      },
    },
  ],
  RecordState: 'ACTIVE',
};

type Plain = Omit<Finding, 'bytes'>;
/** The findings in bytes, and how often anything else came. */
function findings(bytes: Uint8Array): { found: Plain[]; others: number } {
  const found: Plain[] = [];
  let others = 0;
  const record: SourceRecord = partsOf([bytes])[0]!;
  for (const item of createDecoder(defaultDecodeLimits).decode(record, 0)) {
    if (item.kind === 'finding') {
      const { bytes: own, ...fields } = item.finding;
      expect(own).toBe(item.bytes);
      found.push(fields);
    } else others++;
  }
  return { found, others };
}
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const one = (value: unknown) => findings(json(value)).found[0];
const brief = (value: unknown) =>
  decodedText(json(value))
    .map((item) => item.detail ?? item.kind)
    .join(', ');

const shapes: Readonly<Record<string, unknown>> = {
  'bare, as in the export to S3': finding,
  'from EventBridge': { 'detail-type': 'GuardDuty Finding', detail: finding },
  'of GetFindings': { Findings: [pascal(finding)] },
  'in the format of Security Hub': asff,
  'imported into Security Hub': {
    'detail-type': 'Security Hub Findings - Imported',
    source: 'aws.securityhub',
    detail: { findings: [asff] },
  },
};

describe('one finding, whatever its shape', () => {
  it.each(Object.entries(shapes))('%s', (_name, shape) => {
    expect(findings(json(shape))).toEqual({ found: [expected], others: 0 });
  });

  it('by every route that carries records', () => {
    for (const route of routes) {
      const got = findings(route.wrap(json(finding)));
      expect({ route: route.name, ...got }).toEqual({
        route: route.name,
        found: [expected],
        others: 0,
      });
    }
  });

  it('keeps the bytes as they came', () => {
    const text = JSON.stringify(finding);
    expect(decodedText(`${text}\n${text}\n`).map((item) => item.text)).toEqual([text, text]);
  });
});

describe('a finding never fails for what it says', () => {
  it('takes types and resources it does not know, and attack sequences (fixture 39)', () => {
    const type = 'DefenseImpairment:Organizations/New!Thing';
    const resource = { resourceType: 'Comet', cometDetails: {} };
    expect(one({ ...finding, type, resource, severity: 9.5 })).toMatchObject({
      type,
      severity: 9.5,
      resourceType: 'Comet',
      accessKeyId: '',
    });
  });

  it('takes missing fields and fields of other types', () => {
    const nothing = { firstSeen: undefined, count: 1, severity: 0, remoteIp: '', userName: '' };
    expect(one({ arn, type: 'x' })).toMatchObject({ ...nothing, id, account: '111122223333' });
    const odd = Object.fromEntries(Object.keys(finding).map((name) => [name, [7]]));
    expect(one({ ...odd, service: { serviceName: 'guardduty' } })).toMatchObject(nothing);
    const parts = { action: null, count: 'many', eventFirstSeen: 7, archived: 'no' };
    expect(one({ ...finding, severity: '', resource: null, service: parts })).toMatchObject(
      nothing,
    );
    const fields = Object.fromEntries(Object.keys(asff).map((name) => [name, null]));
    const { ProductArn, AwsAccountId } = asff;
    expect(one({ ...fields, ProductArn, AwsAccountId })).toMatchObject(nothing);
  });

  it('gives one id for one finding without an id, and another for another', () => {
    const bare = { type: 'x', service: { serviceName: 'guardduty' } };
    const ids = [bare, { service: bare.service, type: 'x' }, { ...bare, type: 'y' }].map(
      (body) => one(body)?.id,
    );
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it('finds the far address of every kind of action', () => {
    const far = { remoteIpDetails: { ipAddressV4: '198.51.100.9' } };
    const from = (action: Fields) => one({ ...finding, service: { action } })?.remoteIp;
    expect(from({ networkConnectionAction: far })).toBe('198.51.100.9');
    expect(from({ portProbeAction: { portProbeDetails: [{}, far] } })).toBe('198.51.100.9');
    const six = { remoteIpDetails: { ipAddressV6: '2001:db8::9' } };
    expect(from({ actionType: 'x', kubernetesApiCallAction: six })).toBe('2001:db8::9');
    expect(from({ dnsRequestAction: { domain: 'a.example' } })).toBe('');
  });

  it('takes the severity that Security Hub kept of it', () => {
    const severity = (Severity: unknown) => one({ ...asff, Severity })?.severity;
    expect(severity({ Product: 8, Original: '5', Normalized: 70 })).toBe(8);
    expect(severity({ Original: '5.5', Normalized: 70 })).toBe(5.5);
    expect(severity({ Original: 'HIGH', Normalized: 70 })).toBe(7);
    expect(severity({ Label: 'HIGH' })).toBe(0);
  });

  it('tells archived ones (fixture 40)', () => {
    const archived = { serviceName: 'guardduty', archived: true };
    expect(one({ ...finding, service: archived })?.isArchived).toBe(true);
    expect(one({ ...asff, RecordState: 'ARCHIVED' })?.isArchived).toBe(true);
  });
});

it('counts samples apart (fixture 40)', () => {
  expect(brief({ ...finding, title: '[SAMPLE] x' })).toBe('sample');
  expect(brief({ ...asff, Title: '[SAMPLE] x' })).toBe('sample');
  expect(brief({ ...asff, Sample: true })).toBe('sample');
  const field = { [`${service}/additionalInfo/sample`]: 'true' };
  expect(brief({ ...asff, ProductFields: field })).toBe('sample');
});

it('rejects what other products tell Security Hub, and says so', () => {
  const other = {
    ...asff,
    ProductArn: 'arn:aws:securityhub:us-east-1::product/aws/inspector',
    ProductFields: { 'aws/securityhub/ProductName': 'Inspector' },
  };
  const event = { 'detail-type': 'x', detail: { findings: [other, asff] } };
  expect(brief(event)).toBe('it is a finding of Security Hub, but not of GuardDuty, finding');
});
