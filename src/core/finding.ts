// One GuardDuty finding, the same whatever route it came by: EventBridge, its API, its export to S3,
// or Security Hub. Texts are empty and times undefined where the finding does not say.

/**
 * A finding as of one revision: `count`, `updatedAt` and `lastSeen` grow, and what it says of the
 * action is that of the latest occurrence. One finding is one `account` and `id`. `bytes` are valid
 * only until the next item is drawn; copy what you keep.
 */
export interface Finding {
  /** 32 hex digits; the same on the buses of the member account and of the administrator. */
  readonly id: string;
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  /** `aws`, `aws-cn`, `aws-us-gov` */
  readonly partition: string;
  /** `Recon:IAMUser/MaliciousIPCaller`; never a closed list. */
  readonly type: string;
  /** 1 to 10 as GuardDuty counts; 0 where it does not say. */
  readonly severity: number;
  readonly title: string;
  readonly description: string;
  readonly createdAt: number | undefined;
  readonly updatedAt: number | undefined;
  /** When the activity was first and last seen, milliseconds. */
  readonly firstSeen: number | undefined;
  readonly lastSeen: number | undefined;
  /** How often it was seen so far: a newer count takes the place of an older, they never add up. */
  readonly count: number;
  readonly isArchived: boolean;
  readonly isSample: boolean;
  readonly detectorId: string;
  /** `AccessKey`, `Instance`, `S3Bucket`, `AttackSequence` */
  readonly resourceType: string;
  readonly accessKeyId: string;
  /** `AROA…:session` for a session of a role. */
  readonly principalId: string;
  /** The user, or the role of a session. */
  readonly userName: string;
  /** `Root`, `IAMUser`, `AssumedRole`, `FederatedUser` */
  readonly userType: string;
  readonly instanceId: string;
  /** ARN of the instance profile, which leads to the instance's role. */
  readonly instanceProfile: string;
  /** The API call, `ListUsers`, and its service, `iam.amazonaws.com`. */
  readonly api: string;
  readonly apiService: string;
  readonly remoteIp: string;
  /** The finding as it came, UTF-8 JSON. */
  readonly bytes: Uint8Array;
}
