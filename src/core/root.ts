// What a call by root counts as. CloudTrail User Guide, "sign-in events"; IAM User Guide, "root user".
import type { Event } from './event.ts';
import { plain } from './text.ts';

/** What root did, as kinds that are judged apart. */
export const rootKinds = [
  'sign-in-no-mfa',
  'sign-in-mfa',
  'sign-in-unknown',
  'credentials',
  'access-key',
  'changes',
  'refused',
  'reads',
  'forwarded',
  'failed-sign-in',
  'failed-mfa',
] as const;
export type RootKind = (typeof rootKinds)[number];

/** Takes an event of identity type Root; gives why it is not root being used, undefined when it is. */
export function rootQuiet(event: Event): string | undefined {
  if (event.eventType.toLowerCase() === 'awsserviceevent')
    return 'a service event, not a call by root';
  const isService = event.invokedBy.endsWith('.amazonaws.com') || event.origin.kind === 'service';
  if (isService && !isFromConsole(event))
    return `${plain(event.invokedBy)} acted for root by itself`;
  if (event.name === 'CreateServiceLinkedRole' && !isFromConsole(event)) {
    return 'AWS makes service-linked roles as root when an account is set up';
  }
  if (event.name === 'CheckMfa') return 'a prompt for MFA; the sign-in that follows is judged';
  return undefined;
}

/** A person's browser stands behind the call, even where a service forwarded it. */
function isFromConsole(event: Event): boolean {
  const flag = event.field('sessionCredentialFromConsole');
  if (flag === true || flag === 'true') return true;
  const hasSession =
    event.text('userIdentity.sessionContext.attributes.creationDate') !== undefined;
  return hasSession && event.accessKeyId.startsWith('ASIA');
}

const ownCredentials = new Set([
  'CreateAccessKey',
  'UpdateAccessKey',
  'DeleteAccessKey',
  'CreateLoginProfile',
  'UpdateLoginProfile',
  'DeactivateMFADevice',
  'DeleteVirtualMFADevice',
  'ResyncMFADevice',
  'UploadSigningCertificate',
]);
const accountRecovery = new Set([
  'PasswordRecoveryRequested',
  'PasswordRecoveryCompleted',
  'PasswordUpdated',
  'EmailUpdated',
  'UpdateAccountEmailAddress',
  'StartPrimaryEmailUpdate',
  'AcceptPrimaryEmailUpdate',
]);
const sessionMinting = new Set(['GetSessionToken', 'GetFederationToken']);

/**
 * Takes an event of identity type Root; gives what it counts as. Credentials are told beside changes,
 * because they decide the severity.
 */
export function rootKindOf(event: Event): readonly RootKind[] {
  if (event.name === 'ConsoleLogin') return [signIn(event)];
  if (accountRecovery.has(event.name))
    return event.outcome === 'success' ? ['credentials'] : ['refused'];
  if (event.invokedBy !== '' || event.origin.kind === 'service') return ['forwarded'];
  const byKey: readonly RootKind[] = event.accessKeyId.startsWith('AKIA') ? ['access-key'] : [];
  if (event.outcome !== 'success') return [...byKey, 'refused'];
  if (isOwnCredential(event) || sessionMinting.has(event.name)) return [...byKey, 'credentials'];
  if (isRead(event)) return byKey.length > 0 ? byKey : ['reads'];
  return [...byKey, 'changes'];
}

function isOwnCredential(event: Event): boolean {
  if (event.source !== 'iam.amazonaws.com' || !ownCredentials.has(event.name)) return false;
  const user = event.text('requestParameters.userName');
  if (user !== undefined) return /^(aws )?root/i.test(user);
  const serial = event.text('requestParameters.serialNumber');
  return serial === undefined || serial.endsWith('root-account-mfa-device');
}

function isRead(event: Event): boolean {
  return event.readOnly ?? /^(Get|List|Describe|Head|Lookup|View|Search)/.test(event.name);
}

function signIn(event: Event): RootKind {
  const mfa = event.text('additionalEventData.MFAUsed')?.toLowerCase();
  if (event.outcome !== 'success') return mfa === 'yes' ? 'failed-mfa' : 'failed-sign-in';
  if (mfa === 'yes') return 'sign-in-mfa';
  return mfa === 'no' ? 'sign-in-no-mfa' : 'sign-in-unknown';
}
