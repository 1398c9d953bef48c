// Cases of mail-sending-abused.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

const bob = iamUser('bob');

function ses(name: string, by = bob, more: RawRecord = {}): RawRecord {
  return apiCall({ source: 'ses', name, by, with: more });
}

const questions = ['GetSendQuota', 'ListIdentities', 'GetAccountSendingEnabled'];

export const cases: DetectorCases = {
  detector: 'mail-sending-abused',
  cases: [
    {
      name: 'fires when a long-term key asks around and then opens sending',
      given: [...questions, 'UpdateAccountSendingEnabled'].map((name) => ses(name)),
      expect: [{ severity: 'medium', title: /^IAM user bob opened the sending/ }],
    },
    {
      name: 'fires when a long-term key asks around and makes a sender',
      given: [...questions, 'CreateEmailIdentity'].map((name) => ses(name)),
      expect: [{ severity: 'medium', reason: /CreateEmailIdentity in eu-central-1/ }],
    },
    {
      name: 'is low when a long-term key asks the same in several regions',
      given: ['eu-central-1', 'us-east-1', 'us-west-2'].map((awsRegion) =>
        ses('GetSendQuota', bob, { awsRegion }),
      ),
      expect: [{ severity: 'low', title: /explored/ }],
    },
    {
      // Modelled on traildiscover-events 1f59978b-bd90-4058-be12-91e2ecfb5c52
      name: 'is low when a role asks for production access',
      given: [
        apiCall({
          source: 'ses',
          name: 'PutAccountDetails',
          by: assumedRole('admin'),
          request: {
            mailType: 'TRANSACTIONAL',
            websiteURL: 'HIDDEN_DUE_TO_SECURITY_REASONS',
            contactLanguage: 'EN',
            useCaseDescription: 'HIDDEN_DUE_TO_SECURITY_REASONS',
          },
        }),
      ],
      expect: [{ severity: 'low', title: /Role admin opened/ }],
    },
    {
      name: 'stays quiet when a dashboard asks, when one sender is made, and on two questions',
      given: [
        ...questions.map((name) => ses(name, assumedRole('dashboard'))),
        ses('CreateEmailIdentity', assumedRole('deploy')),
        ses('GetSendQuota'),
        ses('ListIdentities'),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when fields are missing and on one refusal',
      given: [
        ses('PutAccountDetails', bob, { errorCode: 'AccessDenied' }),
        {
          eventSource: 'ses.amazonaws.com',
          eventName: 'GetSendQuota',
          eventTime: '2026-03-04T10:00:00Z',
        },
      ],
      expect: [],
    },
  ],
};
