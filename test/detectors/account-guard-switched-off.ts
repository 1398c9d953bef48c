// Cases of account-guard-switched-off.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, assumedRole, type RawRecord, stranger } from '../support/records.ts';

const admin = assumedRole('admin');

function call(source: string, name: string, request?: RawRecord, more: RawRecord = {}): RawRecord {
  return apiCall({ source, name, by: admin, request, with: more });
}

function defaultKey(owner: string): RawRecord {
  const kmsKeyId = `arn:aws:kms:eu-central-1:${owner}:key/1a2b3c4d`;
  return call('ec2', 'ModifyEbsDefaultKmsKeyId', { kmsKeyId });
}

function sharing(settingValue: string): RawRecord {
  const settingId = '/ssm/documents/console/public-sharing-permission';
  return call('ssm', 'UpdateServiceSetting', { settingId, settingValue });
}

export const cases: DetectorCases = {
  detector: 'account-guard-switched-off',
  cases: [
    {
      // Modelled on trailalerts-sigma-tests: DisableEbsEncryptionByDefault by a role.
      name: 'fires when the default encryption of volumes is switched off',
      given: [
        apiCall({
          source: 'ec2',
          name: 'DisableEbsEncryptionByDefault',
          by: admin,
          request: { DisableEbsEncryptionByDefaultRequest: {} },
          response: {
            DisableEbsEncryptionByDefaultResponse: { ebsEncryptionByDefault: false },
          },
        }),
      ],
      expect: [
        { severity: 'medium', title: /^Role admin switched off/, reason: /region eu-central-1/ },
      ],
    },
    {
      name: 'fires when blocks on public things are lifted',
      given: [
        call('ec2', 'DisableSnapshotBlockPublicAccess'),
        call('ec2', 'DisableImageBlockPublicAccess'),
        sharing('Enable'),
      ],
      expect: [
        { severity: 'medium', title: /public snapshots/ },
        { severity: 'medium', title: /public images/ },
        { severity: 'medium', title: /public Systems Manager documents/ },
      ],
    },
    {
      name: 'fires high when a key of another account becomes the default',
      given: [defaultKey(stranger)],
      expect: [{ severity: 'high', title: /account 444455556666/ }],
    },
    {
      name: 'fires when the logging of models goes, and is low for a guardrail',
      given: [
        call('bedrock', 'DeleteModelInvocationLoggingConfiguration'),
        call('bedrock', 'DeleteGuardrail', { guardrailIdentifier: 'abc123' }),
      ],
      expect: [
        { severity: 'medium', title: /logging of Bedrock/ },
        { severity: 'low', title: /guardrail abc123/ },
      ],
    },
    {
      name: 'is low when it was refused',
      given: [
        call('ec2', 'DisableEbsEncryptionByDefault', undefined, { errorCode: 'AccessDenied' }),
      ],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'stays quiet when a guard is put on, on a key of the account, on fields missing',
      given: [
        sharing('Disable'),
        defaultKey(account),
        call('ec2', 'ModifyEbsDefaultKmsKeyId'),
        call('ssm', 'UpdateServiceSetting'),
      ],
      expect: [],
    },
  ],
};
