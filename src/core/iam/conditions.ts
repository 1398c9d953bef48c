// Which conditions really limit a statement. Many only look as if they did.
import type { Condition } from './document.ts';

// Keys whose value the caller cannot choose freely, or which name the object of the call.
const limitingKeys = [
  /^aws:principal(orgid|orgpaths|account|arn|tag\/.+|isawsservice|servicename(slist)?)$/,
  /^aws:source(arn|account|orgid|orgpaths|owner|ip|vpc|vpce|vpcarn|identity)$/,
  /^aws:vpce(account|orgid|orgpaths)$/,
  /^aws:(vpcsourceip|multifactorauthpresent|multifactorauthage|userid|username|federatedprovider)$/,
  /^aws:resource(account|orgid|orgpaths|tag\/.+)$/,
  /^aws:(requesttag\/.+|calledvia.*|viaawsservice|ec2instancesourceprivateipv4)$/,
  /^iam:(permissionsboundary|policyarn|resourcetag\/.+|associatedresourcearn|awsservicename)$/,
  /^kms:(calleraccount|viaservice|grantisforawsresource|encryptioncontext:.+)$/,
  /^s3:(dataaccesspointaccount|dataaccesspointarn|accesspointnetworkorigin|prefix)$/,
  /^sts:(externalid|sourceidentity|rolesessionname)$/,
  /^elasticfilesystem:accessedviamountpoint$|^elasticfilesystem:accessedviamounttarget$/,
  /^(sns:(endpoint|protocol)|lambda:(source)?functionarn|secretsmanager:secretid)$/,
  /^[a-z0-9-]+:resourcetag\/.+$/,
];

/**
 * Takes the conditions of a statement; gives those that limit it. `iam:PassedToService` is not
 * among them: what it lets through is judged where PassRole is.
 */
export function limitingConditions(conditions: readonly Condition[]): readonly Condition[] {
  return conditions.filter((one) => isKnownKey(one.key) && isLimiting(one));
}

// Keys that limit what is touched or how, but not who comes.
const notOfCaller =
  /^aws:(resource|requesttag|calledvia|multi)|^(iam|sts):|^s3:prefix|resourcetag|^kms:[veg]/;

/** Takes the conditions of a statement; gives those that limit who may come, not what he may do. */
export function callerConditions(conditions: readonly Condition[]): readonly Condition[] {
  return limitingConditions(conditions).filter((one) => !notOfCaller.test(one.key));
}

/**
 * Takes a condition; gives whether its operator and values limit anything, whatever its key. A
 * negative operator lets all others in; an absent key passes `…IfExists`, `ForAllValues` and
 * `Null: true`; a star lets everything in.
 */
export function isLimiting(condition: Condition): boolean {
  const { operator, values } = condition;
  if (operator.includes('not') || operator.endsWith('ifexists')) return false;
  if (operator.startsWith('forallvalues:')) return false;
  if (values.length === 0) return false;
  const bare = operator.replace(/^foranyvalue:/, '');
  if (bare === 'null') {
    // That a key is there says little of who calls, but the age of MFA is there only after MFA.
    const isAgeOfMfa = condition.key === 'aws:multifactorauthage';
    return isAgeOfMfa && values.every((value) => value.toLowerCase() === 'false');
  }
  if (bare === 'bool') return values.every((value) => value.toLowerCase() === 'true');
  if (bare === 'ipaddress') return !values.some(isEveryAddress);
  const takesWildcards = bare.includes('like') || bare.startsWith('arn');
  return !(takesWildcards && values.some(isWide));
}

function isKnownKey(key: string): boolean {
  return limitingKeys.some((pattern) => pattern.test(key));
}

// A prefix of eight bits or fewer of IPv4 is a sixteenth of the world or more, no office.
function isEveryAddress(value: string): boolean {
  const bits = /\/(\d{1,3})$/.exec(value.trim());
  if (bits === null) return value.includes('*');
  const width = Number(bits[1]);
  if (value.includes(':')) return width < 16;
  return width < 8 && !value.startsWith('10.');
}

// `*`, `?*`, `arn:aws:iam::*:*`: nothing is left of it once wildcards and fixed parts are gone.
function isWide(value: string): boolean {
  if (/^[*?]*$/.test(value)) return true;
  const parts = value.split(':');
  if (parts[0] !== 'arn') return false;
  const resource = parts.slice(5).join(':');
  // An ARN without a fixed account names something that anyone can create in an account of his own,
  // but for S3, whose bucket names are the world's.
  const account = parts[4] ?? '';
  const service = parts[2] ?? '*';
  const isAnyAccount = /^[*?]*$/.test(account) && service !== 's3';
  return isAnyAccount ? true : /^[*?/]*$/.test(resource) && account === '';
}
