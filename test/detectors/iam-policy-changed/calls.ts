// Calls that the cases of iam-policy-changed are made of.
import { apiCall, type Call, type RawRecord } from '../../support/records.ts';

/** The policy that allows everything. */
export const admin = 'arn:aws:iam::aws:policy/AdministratorAccess';
/** An account that the config of the table knows. */
export const known = '777788889999';

/** Takes the name of an IAM call and its request; gives the record. */
export function iam(name: string, request: unknown, more: Partial<Call> = {}): RawRecord {
  return apiCall({ source: 'iam', name, request, ...more });
}

/** Takes a policy and a user; gives the record of its attachment. */
export function attachUser(
  policyArn: string,
  userName = 'bob',
  more: Partial<Call> = {},
): RawRecord {
  return iam('AttachUserPolicy', { policyArn, userName }, more);
}

/** Takes a document; gives the record that writes it into role `app`. */
export function putRole(policyDocument: unknown, more: Partial<Call> = {}): RawRecord {
  return iam('PutRolePolicy', { roleName: 'app', policyName: 'inline', policyDocument }, more);
}

/** Takes a document; gives the record that makes it the trust of role `app`. */
export function trust(policyDocument: string, more: Partial<Call> = {}): RawRecord {
  return iam('UpdateAssumeRolePolicy', { roleName: 'app', policyDocument }, more);
}
