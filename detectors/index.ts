// The one list of detectors, in the order in which they are asked.
import type { Detector } from '../src/core/detector.ts';
import accessKeyMade from './access-key-made.ts';
import accessKeyReactivated from './access-key-reactivated.ts';
import accessLentForMinutes from './access-lent-for-minutes.ts';
import accountContactChanged from './account-contact-changed.ts';
import accountFellSilent from './account-fell-silent.ts';
import accountGuardSwitchedOff from './account-guard-switched-off.ts';
import accountLeftOrganization from './account-left-organization.ts';
import accountSurveyed from './account-surveyed.ts';
import adminPortOpenedToWorld from './admin-port-opened-to-world.ts';
import alarmOrRuleWeakened from './alarm-or-rule-weakened.ts';
import apiCredentialsOpenedConsole from './api-credentials-opened-console.ts';
import appUserSessionLeftItsApp from './app-user-session-left-its-app.ts';
import attackToolNamedItself from './attack-tool-named-itself.ts';
import backupsDestroyed from './backups-destroyed.ts';
import bedrockKeyUserLeftBedrock from './bedrock-key-user-left-bedrock.ts';
import bedrockModelsAbused from './bedrock-models-abused.ts';
import breakGlassAccessUsed from './break-glass-access-used.ts';
import bucketProtectionsRemoved from './bucket-protections-removed.ts';
import bucketUsedByStranger from './bucket-used-by-stranger.ts';
import bucketsProbed from './buckets-probed.ts';
import buildProjectOpened from './build-project-opened.ts';
import callsRefusedInManyServices from './calls-refused-in-many-services.ts';
import commandsRunBySsm from './commands-run-by-ssm.ts';
import consoleLoginFromManyNetworks from './console-login-from-many-networks.ts';
import consoleLoginWithoutMfa from './console-login-without-mfa.ts';
import consoleNamesTriedFromAddress from './console-names-tried-from-address.ts';
import consolePasswordsGuessed from './console-passwords-guessed.ts';
import dataCopiedOut from './data-copied-out.ts';
import databaseDestroyed from './database-destroyed.ts';
import databaseExposed from './database-exposed.ts';
import decoyTouched from './decoy-touched.ts';
import deviceCodeUsedElsewhere from './device-code-used-elsewhere.ts';
import domainMovedAway from './domain-moved-away.ts';
import dutiesNotSeparated from './duties-not-separated.ts';
import federationTokenIssued from './federation-token-issued.ts';
import findingsSuppressed from './findings-suppressed.ts';
import guarddutyWeakened from './guardduty-weakened.ts';
import guardrailPolicyRemoved from './guardrail-policy-removed.ts';
import iamChangedWithoutMfa from './iam-changed-without-mfa.ts';
import iamChangesRefused from './iam-changes-refused.ts';
import iamPolicyChanged from './iam-policy-changed.ts';
import identityCenterMfaWeakened from './identity-center-mfa-weakened.ts';
import identityCenterSourceChanged from './identity-center-source-changed.ts';
import identityCreatedAndArmed from './identity-created-and-armed.ts';
import identityMadeOutsidePipeline from './identity-made-outside-pipeline.ts';
import imdsDowngraded from './imds-downgraded.ts';
import instanceCredentialsByImdsv1 from './instance-credentials-by-imdsv1.ts';
import instanceCredentialsUsedElsewhere from './instance-credentials-used-elsewhere.ts';
import instanceProfileSwapped from './instance-profile-swapped.ts';
import instanceRoleEnumerates from './instance-role-enumerates.ts';
import instanceRoleSignedInToConsole from './instance-role-signed-in-to-console.ts';
import instanceRoleWroteIam from './instance-role-wrote-iam.ts';
import instancesLaunchedUnusually from './instances-launched-unusually.ts';
import keyUsedFromNewNetwork from './key-used-from-new-network.ts';
import kmsKeyPutOutOfUse from './kms-key-put-out-of-use.ts';
import kubernetesAdminGranted from './kubernetes-admin-granted.ts';
import lambdaCodeReplacedByHand from './lambda-code-replaced-by-hand.ts';
import logGroupRemoved from './log-group-removed.ts';
import loginProfileMadeForAnother from './login-profile-made-for-another.ts';
import longTermKeyUsedFromInstance from './long-term-key-used-from-instance.ts';
import mailSendingAbused from './mail-sending-abused.ts';
import manyGuardsRemoved from './many-guards-removed.ts';
import manyWaysToMoreRights from './many-ways-to-more-rights.ts';
import mfaChallengeFailedRepeatedly from './mfa-challenge-failed-repeatedly.ts';
import mfaDeviceAddedByAnother from './mfa-device-added-by-another.ts';
import mfaDeviceRemoved from './mfa-device-removed.ts';
import mfaEnforcementRemoved from './mfa-enforcement-removed.ts';
import networkOrAccessLogsRemoved from './network-or-access-logs-removed.ts';
import newKeyUsedAtOnce from './new-key-used-at-once.ts';
import objectsDestroyedOrRansomed from './objects-destroyed-or-ransomed.ts';
import objectsEncryptedByStranger from './objects-encrypted-by-stranger.ts';
import oldKeyStillUsed from './old-key-still-used.ts';
import outsideMachineEnrolled from './outside-machine-enrolled.ts';
import ownPipelineTampered from './own-pipeline-tampered.ts';
import passwordPolicyWeakened from './password-policy-weakened.ts';
import passwordSetThenLoginFromSameAddress from './password-set-then-login-from-same-address.ts';
import permissionsOfAccountMapped from './permissions-of-account-mapped.ts';
import policiesAttachedStraightToUsers from './policies-attached-straight-to-users.ts';
import powerfulRolePassedToCompute from './powerful-role-passed-to-compute.ts';
import principalsEnumerated from './principals-enumerated.ts';
import quarantinedKeyStillUsed from './quarantined-key-still-used.ts';
import recordingOrHubWeakened from './recording-or-hub-weakened.ts';
import regionOpened from './region-opened.ts';
import requestHiddenFromTrail from './request-hidden-from-trail.ts';
import roleAssumedWithNewMfaSerial from './role-assumed-with-new-mfa-serial.ts';
import roleOpenedByNewcomer from './role-opened-by-newcomer.ts';
import roleSessionRenewedItself from './role-session-renewed-itself.ts';
import rolesTriedInTurn from './roles-tried-in-turn.ts';
import rootAccountUsed from './root-account-used.ts';
import secretDeletedAtOnce from './secret-deleted-at-once.ts';
import secretsReadInBulk from './secrets-read-in-bulk.ts';
import securityServiceLeft from './security-service-left.ts';
import serviceCredentialMade from './service-credential-made.ts';
import sessionOutlivedItsKey from './session-outlived-its-key.ts';
import sessionUsedFromSeveralNetworks from './session-used-from-several-networks.ts';
import sleepingKeyWoke from './sleeping-key-woke.ts';
import snapshotReadDirectly from './snapshot-read-directly.ts';
import sshKeyPushed from './ssh-key-pushed.ts';
import startScriptRunsAttack from './start-script-runs-attack.ts';
import storedPolicyTookEffect from './stored-policy-took-effect.ts';
import trailNarrowed from './trail-narrowed.ts';
import trailStarved from './trail-starved.ts';
import trailStoppedOrDeleted from './trail-stopped-or-deleted.ts';
import userDataReadInBulk from './user-data-read-in-bulk.ts';
import userDataWritten from './user-data-written.ts';
import userJoinedPowerfulGroup from './user-joined-powerful-group.ts';
import webFirewallRemoved from './web-firewall-removed.ts';
import windowsPasswordRead from './windows-password-read.ts';
import workloadRoleWroteIam from './workload-role-wrote-iam.ts';

/** The catalogue. */
export const detectors: readonly Detector[] = [
  accessKeyMade,
  accessKeyReactivated,
  accessLentForMinutes,
  accountContactChanged,
  accountFellSilent,
  accountGuardSwitchedOff,
  accountLeftOrganization,
  accountSurveyed,
  adminPortOpenedToWorld,
  alarmOrRuleWeakened,
  apiCredentialsOpenedConsole,
  appUserSessionLeftItsApp,
  attackToolNamedItself,
  backupsDestroyed,
  bedrockKeyUserLeftBedrock,
  bedrockModelsAbused,
  breakGlassAccessUsed,
  bucketProtectionsRemoved,
  bucketUsedByStranger,
  bucketsProbed,
  buildProjectOpened,
  callsRefusedInManyServices,
  commandsRunBySsm,
  consoleLoginFromManyNetworks,
  consoleLoginWithoutMfa,
  consoleNamesTriedFromAddress,
  consolePasswordsGuessed,
  dataCopiedOut,
  databaseDestroyed,
  databaseExposed,
  decoyTouched,
  deviceCodeUsedElsewhere,
  domainMovedAway,
  dutiesNotSeparated,
  federationTokenIssued,
  findingsSuppressed,
  guarddutyWeakened,
  guardrailPolicyRemoved,
  iamChangedWithoutMfa,
  iamChangesRefused,
  iamPolicyChanged,
  identityCenterMfaWeakened,
  identityCenterSourceChanged,
  identityCreatedAndArmed,
  identityMadeOutsidePipeline,
  imdsDowngraded,
  instanceCredentialsByImdsv1,
  instanceCredentialsUsedElsewhere,
  instanceProfileSwapped,
  instanceRoleEnumerates,
  instanceRoleSignedInToConsole,
  instanceRoleWroteIam,
  instancesLaunchedUnusually,
  keyUsedFromNewNetwork,
  kmsKeyPutOutOfUse,
  kubernetesAdminGranted,
  lambdaCodeReplacedByHand,
  logGroupRemoved,
  loginProfileMadeForAnother,
  longTermKeyUsedFromInstance,
  mailSendingAbused,
  manyGuardsRemoved,
  manyWaysToMoreRights,
  mfaChallengeFailedRepeatedly,
  mfaDeviceAddedByAnother,
  mfaDeviceRemoved,
  mfaEnforcementRemoved,
  networkOrAccessLogsRemoved,
  newKeyUsedAtOnce,
  objectsDestroyedOrRansomed,
  objectsEncryptedByStranger,
  oldKeyStillUsed,
  outsideMachineEnrolled,
  ownPipelineTampered,
  passwordPolicyWeakened,
  passwordSetThenLoginFromSameAddress,
  permissionsOfAccountMapped,
  policiesAttachedStraightToUsers,
  powerfulRolePassedToCompute,
  principalsEnumerated,
  quarantinedKeyStillUsed,
  recordingOrHubWeakened,
  regionOpened,
  requestHiddenFromTrail,
  roleAssumedWithNewMfaSerial,
  roleOpenedByNewcomer,
  roleSessionRenewedItself,
  rolesTriedInTurn,
  rootAccountUsed,
  secretDeletedAtOnce,
  secretsReadInBulk,
  securityServiceLeft,
  serviceCredentialMade,
  sessionOutlivedItsKey,
  sessionUsedFromSeveralNetworks,
  sleepingKeyWoke,
  snapshotReadDirectly,
  sshKeyPushed,
  startScriptRunsAttack,
  storedPolicyTookEffect,
  trailNarrowed,
  trailStarved,
  trailStoppedOrDeleted,
  userDataReadInBulk,
  userDataWritten,
  userJoinedPowerfulGroup,
  webFirewallRemoved,
  windowsPasswordRead,
  workloadRoleWroteIam,
];
