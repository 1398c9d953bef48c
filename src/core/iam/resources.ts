// Whether a statement reaches every resource of a kind, or only named ones.
import type { Statement } from './document.ts';
import { coversAll, globMatches } from './glob.ts';

// Actions that name resources of another service in their policies.
const foreignResources: Readonly<Record<string, readonly string[]>> = {
  sts: ['iam'],
  ssm: ['ec2'],
  'ec2-instance-connect': ['ec2'],
  sso: ['iam'],
};

// What kind of IAM resource an IAM action works on: `role/*` is broad for roles alone.
const iamKinds: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/policyversion$|:(create|delete)policy$/, 'policy'],
  [/group/, 'group'],
  [/user|accesskey|loginprofile|mfadevice|credential/, 'user'],
  [/role/, 'role'],
];

// IAM's variable for the caller's own user name, not a template of ours.
const ownName = '$\u007baws:username}';

const onItself = new Set(['iam:attachuserpolicy', 'iam:putuserpolicy']);

/**
 * Takes a statement and an action in lower case (`*` for all of them); gives whether the statement
 * reaches every resource the action can work on. NotResource counts as every resource.
 */
export function isBroad(statement: Statement, action: string): boolean {
  if (statement.notResources !== undefined) return true;
  return statement.resources.some((resource) => isBroadResource(resource, action));
}

function isBroadResource(resource: string, action: string): boolean {
  if (coversAll(resource)) return true;
  // A user who may write his own policy needs no other user's.
  if (onItself.has(action) && resource.endsWith(ownName)) return true;
  const parts = resource.split(':');
  if (parts[0] !== 'arn') return false;
  const service = parts[2] ?? '*';
  if (action === '*') return coversAll(service) && endsWide(parts);
  const wanted = action.split(':')[0] ?? '';
  const reachable = [wanted, ...(foreignResources[wanted] ?? [])];
  if (!reachable.some((one) => globMatches(service.toLowerCase(), one))) return false;
  if (parts.length < 6) return parts.at(-1)?.endsWith('*') === true;
  return endsWide(parts) && isOfKind(parts.slice(5).join(':'), action);
}

// The resource part is all wildcard, perhaps after the name of its kind: `*`, `role/*`,
// `function:*`.
function endsWide(parts: readonly string[]): boolean {
  if (parts.length < 6) return parts.at(-1)?.endsWith('*') === true;
  const resource = parts.slice(5).join(':');
  // An S3 resource begins with the bucket, not with a kind: `bucket/*` is one bucket.
  if (parts[2] === 's3') return /^[*/]*\*$/.test(resource);
  return /^([\w-]+[/:])?[*/]*\*$/.test(resource);
}

function isOfKind(resource: string, action: string): boolean {
  const kind = /^([\w-]+)\//.exec(resource)?.[1];
  const wanted = iamKindOf(action);
  return kind === undefined || wanted === undefined || wanted === kind;
}

/**
 * Takes an action in lower case; gives the kind of IAM resource it works on, undefined for others.
 */
export function iamKindOf(action: string): string | undefined {
  if (!/^(iam|sts):/.test(action)) return undefined;
  return iamKinds.find(([pattern]) => pattern.test(action))?.[1];
}
