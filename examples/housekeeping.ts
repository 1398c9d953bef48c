// What looks after an account all week: the inventory scanner, AWS Config, CloudTrail, Backup.
import {
  addDenied,
  addLines,
  configuration,
  globalInventory,
  inventory,
  keyResource,
} from './calls.ts';
import { type Caller, isoTime, resource } from './event.ts';
import { type Beat, instances, keys, outbound, within } from './machines.ts';
import {
  global,
  management,
  production,
  role,
  serviceRole,
  sessionIdentity,
  temporaryKey,
  trailBucket,
} from './organisation.ts';
import { assumeAcross, assumeByService, type Log, serviceCaller } from './sessions.ts';

/** The inventory scanner lives in the management account and reads every account. */
export function scanner(log: Log, beat: Beat): void {
  const { time, over, account, region } = beat;
  const by = scannerIn(log, account, region, time);
  const denied = log.random.chance(0.4) && account !== management;
  const some = log.random.shuffled(inventory).slice(0, account === production ? 18 : 12);
  const place = { time: time + 4, account, region, by, over: Math.max(20, over - 20) };
  addLines(log, some, place);
  if (!denied) return;
  const detector = `arn:aws:guardduty:${region}:${account}:detector/*`;
  addDenied(log, ['guardduty', 'GetFindings'], { ...place, time: within(log, beat) }, detector);
}

/** The same scanner, for the services without Regions. */
export function scannerOfGlobals(log: Log, beat: Beat): void {
  const { time, over, account } = beat;
  const by = scannerIn(log, account, global, time);
  const place = { time: time + 4, account, region: global, by, over: Math.max(20, over - 20) };
  addLines(log, globalInventory, place);
  const user = `arn:aws:iam::${account}:user/*`;
  if (log.random.chance(0.3)) {
    addDenied(log, ['iam', 'ListSSHPublicKeys'], { ...place, time: within(log, beat) }, user);
  }
}

function scannerIn(log: Log, account: string, region: string, time: number): Caller {
  const agent =
    'Boto3/1.40.64 md/Botocore#1.40.64 ua/2.1 os/linux lang/python#3.13.9 inventory/4.2';
  const origin: Caller = {
    identity: sessionIdentity({
      role: role(management, 'inventory-scanner'),
      name: instances[management]?.[0] ?? '',
      started: isoTime(time - 2_400 - (time % 600)),
      accessKey: temporaryKey(log.random),
      isInstance: true,
    }),
    address: outbound[management] ?? '',
    agent,
    way: 'sdk',
  };
  const to = role(account, 'inventory-read-only');
  const name = `inventory-${isoTime(time).slice(0, 10)}`;
  return assumeAcross(log, origin, { time, region, role: to, name, agent });
}

/** AWS Config writes down what stands. */
export function recorder(log: Log, beat: Beat): void {
  const { time, account, region, over } = beat;
  const by = assumeByService(log, {
    time: time + 2,
    region,
    service: 'config',
    role: serviceRole(account, 'config', 'AWSServiceRoleForConfig'),
    name: 'AWSConfig-Describe',
  });
  const some = log.random.shuffled(configuration).slice(0, log.random.whole(5, 9));
  addLines(log, some, { time: time + 3, account, region, by, over: Math.min(over - 5, 90) });
}

/** CloudTrail looks whether it may still write into the bucket of the trail. */
export function bucketChecks(log: Log, beat: Beat): void {
  const { account, region } = beat;
  const arn = `arn:aws:s3:::${trailBucket}`;
  const keyId = keys[account] ?? '';
  for (let time = beat.time + 3; time < beat.time + beat.over; time += 60) {
    log.add({
      time,
      account,
      region,
      service: 's3',
      name: 'GetBucketAcl',
      by: serviceCaller('cloudtrail'),
      request: {
        bucketName: trailBucket,
        Host: `${trailBucket}.s3.${region}.amazonaws.com`,
        acl: '',
      },
      resources: [resource(account, 'AWS::S3::Bucket', arn)],
      shared: log.random.uuid(),
    });
    log.add({
      time: time + 20,
      account,
      region,
      service: 'kms',
      name: 'GenerateDataKey',
      by: serviceCaller('cloudtrail'),
      request: {
        keyId: `arn:aws:kms:${region}:${account}:key/${keyId}`,
        keySpec: 'AES_256',
        encryptionContext: {
          'aws:cloudtrail:arn': `arn:aws:cloudtrail:${region}:${account}:trail/*`,
        },
      },
      resources: [keyResource(account, region, keyId)],
      shared: log.random.uuid(),
    });
  }
}

/** The reports of the content network, and certificates that renew themselves. */
export function edge(log: Log, beat: Beat): void {
  const { account } = beat;
  const service = 'acm';
  const by = serviceCaller('cloudfront');
  const certificateArn = `arn:aws:acm:${global}:${account}:certificate/${keys[account]}`;
  const call = { account, region: global, service, by, request: { certificateArn } };
  log.add({ ...call, time: within(log, beat), name: 'DescribeCertificate' });
}

/** AWS Backup looks at its copies. */
export function backups(log: Log, beat: Beat): void {
  const { account, region, time } = beat;
  const by = assumeByService(log, {
    time,
    region,
    service: 'backup',
    role: serviceRole(account, 'backup', 'AWSServiceRoleForBackup'),
    name: 'AWSBackup-AWSServiceRoleForBackup',
  });
  const call = { account, region, by };
  for (const step of [3, 33, 63]) {
    const snapshotId = `snap-0${log.random.hex(16)}`;
    const request = { maxResults: 100, snapshotSet: { items: [{ snapshotId }] }, filterSet: {} };
    log.add({ ...call, time: time + step, service: 'ec2', name: 'DescribeSnapshots', request });
  }
  const request = { maxRecords: 100, snapshotType: 'awsbackup' };
  log.add({ ...call, time: time + 70, service: 'rds', name: 'DescribeDBSnapshots', request });
}
