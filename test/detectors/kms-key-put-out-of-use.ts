// Cases of kms-key-put-out-of-use.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, assumedRole, awsService, through } from '../support/records.ts';

const keyId = '1a2b3c4d-5e6f-4a0b-8c1d-2e3f4a5b6c7d';
const arn = `arn:aws:kms:eu-central-1:${account}:key/${keyId}`;
const kms = { source: 'kms', by: assumedRole('admin') } as const;

export const cases: DetectorCases = {
  detector: 'kms-key-put-out-of-use',
  cases: [
    {
      // Modelled on aws-docs-examples: ScheduleKeyDeletion with its key and waiting time.
      name: 'fires when the deletion of a key is scheduled with a short waiting time',
      given: [
        apiCall({
          ...kms,
          name: 'ScheduleKeyDeletion',
          request: { keyId: arn, pendingWindowInDays: 7 },
          response: { keyId: arn, keyState: 'PendingDeletion', pendingWindowInDays: 7 },
          with: { resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: arn }] },
        }),
      ],
      expect: [
        {
          severity: 'medium',
          title: /^Role admin scheduled the deletion of key 1a2b3c4d/,
          reason: /After 7 days .* short/,
        },
      ],
    },
    {
      name: 'fires when a key is disabled',
      given: [apiCall({ ...kms, name: 'DisableKey', request: { keyId } })],
      expect: [{ severity: 'medium', title: /disabled key 1a2b3c4d/ }],
    },
    {
      name: 'fires high when imported material is deleted, and when it is imported to expire',
      given: [
        apiCall({ ...kms, name: 'DeleteImportedKeyMaterial', request: { keyId } }),
        apiCall({
          ...kms,
          name: 'ImportKeyMaterial',
          request: { keyId, expirationModel: 'KEY_MATERIAL_EXPIRES', validTo: 'Mar 5, 2026' },
        }),
      ],
      expect: [
        { severity: 'high', title: /deleted the imported material/ },
        { severity: 'high', reason: /expires Mar 5, 2026/ },
      ],
    },
    {
      name: 'fires for custom key stores, named in plain words',
      given: ['Create', 'Connect', 'Disconnect', 'Delete'].map((verb) =>
        apiCall({
          ...kms,
          name: `${verb}CustomKeyStore`,
          request: { customKeyStoreId: 'cks-1234567890abcdef0' },
        }),
      ),
      expect: [
        { severity: 'medium', title: / created custom key store cks-/ },
        { severity: 'medium', title: / connected custom key store cks-/ },
        { severity: 'medium', title: / disconnected custom key store cks-/ },
        { severity: 'medium', title: / deleted custom key store cks-/ },
      ],
    },
    {
      name: 'is low when a stack takes its key along, and when the call was refused',
      given: [
        apiCall({
          source: 'kms',
          ...through(assumedRole('deploy'), 'cloudformation'),
          name: 'ScheduleKeyDeletion',
          request: { keyId },
        }),
        apiCall({
          ...kms,
          name: 'DisableKey',
          request: { keyId },
          error: ['AccessDenied', 'not authorized'],
        }),
      ],
      expect: [
        { severity: 'low', reason: /CloudFormation/ },
        { severity: 'low', title: /tried to disable key/ },
      ],
    },
    {
      name: 'stays quiet when KMS acts by itself',
      given: [
        apiCall({
          source: 'kms',
          name: 'DeleteImportedKeyMaterial',
          by: awsService('kms'),
          with: { eventType: 'AwsServiceEvent' },
        }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [apiCall({ ...kms, name: 'DisableKey' })],
      expect: [{ severity: 'medium', title: /a key that the record does not name/ }],
    },
  ],
};
