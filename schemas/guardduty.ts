// GuardDuty's findings as loosely as they can be told and merged: from EventBridge, S3 and the API in
// one spelling (keys in camelCase), and as Security Hub rewrites them (ASFF). GuardDuty API Reference,
// "Finding"; Security Hub User Guide, "AWS Security Finding Format".
import { z } from 'zod';

/**
 * A field of another type than documented counts as absent: a finding never fails for a field, new
 * types and resources come without notice.
 */
const text = z.string().catch('');
const time = z.unknown().optional();
/** A number, or a text that is one. */
const numeric = z.union([z.number(), z.string().transform(Number).pipe(z.number())]);
const object = z.looseObject({}).catch({});

/** An address of the far side; IPv6 comes beside or instead. */
const remoteIp = z
  .looseObject({ ipAddressV4: text, ipAddressV6: text })
  .catch({ ipAddressV4: '', ipAddressV6: '' });

/** What every action may hold: API calls, connections, DNS, probes of ports, Kubernetes, RDS. */
export const guarddutyAction = z.looseObject({
  api: text,
  serviceName: text,
  remoteIpDetails: remoteIp,
  /** Of a port probe: the address is in its details. */
  portProbeDetails: z.array(z.looseObject({ remoteIpDetails: remoteIp })).catch([]),
});

const accessKey = z.looseObject({
  accessKeyId: text,
  principalId: text,
  userName: text,
  userType: text,
});

const instance = z.looseObject({
  instanceId: text,
  iamInstanceProfile: z.looseObject({ arn: text }).catch({ arn: '' }),
});

/** A finding of GuardDuty, its keys in camelCase. */
export const guarddutyFinding = z.looseObject({
  id: text,
  arn: text,
  accountId: text,
  region: text,
  partition: text,
  type: text,
  severity: numeric.catch(0),
  title: text,
  description: text,
  createdAt: time,
  updatedAt: time,
  resource: z
    .looseObject({
      resourceType: text,
      accessKeyDetails: accessKey.optional().catch(undefined),
      instanceDetails: instance.optional().catch(undefined),
    })
    .catch({ resourceType: '' }),
  service: z
    .looseObject({
      detectorId: text,
      eventFirstSeen: time,
      eventLastSeen: time,
      count: numeric.pipe(z.int().min(1)).catch(1),
      archived: z.unknown().optional(),
      action: object,
    })
    .optional()
    .catch(undefined),
});

/** A finding in Security Hub's format; GuardDuty's own fields are flat texts in `ProductFields`. */
export const asffFinding = z.looseObject({
  /** GuardDuty's ARN of the finding. */
  Id: text,
  ProductArn: text,
  AwsAccountId: text,
  Region: text,
  Types: z.array(text).catch([]),
  Title: text,
  Description: text,
  CreatedAt: time,
  UpdatedAt: time,
  FirstObservedAt: time,
  LastObservedAt: time,
  RecordState: text,
  Sample: z.unknown().optional(),
  Severity: z
    .looseObject({
      /** The severity as GuardDuty gave it. */
      Product: z.number().optional().catch(undefined),
      Original: z.unknown().optional(),
      Normalized: z.number().optional().catch(undefined),
    })
    .catch({}),
  ProductFields: z.record(z.string(), text).catch({}),
  Resources: z
    .array(
      z
        .looseObject({
          Type: text,
          Id: text,
          Details: z.record(z.string(), object).catch({}),
        })
        .catch({ Type: '', Id: '', Details: {} }),
    )
    .catch([]),
});

export type GuarddutyAction = z.infer<typeof guarddutyAction>;
export type AsffFinding = z.infer<typeof asffFinding>;
