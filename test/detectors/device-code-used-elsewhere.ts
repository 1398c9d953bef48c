// Cases of device-code-used-elsewhere.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, type RawRecord } from '../support/records.ts';

const carol: RawRecord = {
  type: 'IdentityCenterUser',
  accountId: account,
  onBehalfOf: {
    userId: '544894e8-80c1-707f-60e3-3ba6510dfac1',
    identityStoreArn: `arn:aws:identitystore::${account}:identitystore/d-1234567890`,
  },
  credentialId: 'EXAMPLEcredential',
};

const home = '203.0.113.10';
const away = '198.51.100.7';

function at(day: number, minute: number): string {
  return `2026-03-${String(day).padStart(2, '0')}T10:${String(minute).padStart(2, '0')}:00Z`;
}

function signedIn(day: number, from = home, result = 'Success'): RawRecord {
  return apiCall({
    source: 'signin',
    name: 'UserAuthentication',
    at: at(day, 0),
    by: carol,
    with: {
      sourceIPAddress: from,
      eventType: 'AwsServiceEvent',
      serviceEventDetails: { UserAuthentication: result },
      additionalEventData: { CredentialType: 'PASSWORD,TOTP', UserName: 'carol' },
    },
  });
}

function token(
  day: number,
  from: string,
  grant: unknown = 'urn:ietf:params:oauth:grant-type:device_code',
): RawRecord {
  return apiCall({
    source: 'sso-oauth',
    name: 'CreateToken',
    at: at(day, 2),
    by: carol,
    request: { clientId: 'EXAMPLEclient', grantType: grant },
    with: { sourceIPAddress: from },
  });
}

function credentials(day: number, from: string): RawRecord {
  return apiCall({
    source: 'sso',
    name: 'GetRoleCredentials',
    at: at(day, 3),
    by: carol,
    request: null,
    with: {
      sourceIPAddress: from,
      requestParameters: { role_name: 'AdministratorAccess', account_id: account },
    },
  });
}

const usualDays = [1, 2, 5, 8].flatMap((day) => [signedIn(day), token(day, home)]);

export const cases: DetectorCases = {
  detector: 'device-code-used-elsewhere',
  cases: [
    {
      name: 'fires medium when the token goes to a network the person never used',
      given: [...usualDays, signedIn(9), token(9, away), credentials(9, away)],
      expect: [
        {
          severity: 'medium',
          title: /went by device code to another network, 198\.51\.0\.0\/16$/,
          reason: /signed in from 203\.0\.0\.0\/16 only.*AdministratorAccess/,
        },
      ],
    },
    {
      name: 'is low while the person is new',
      given: [signedIn(9), token(9, away)],
      expect: [{ severity: 'low', reason: /not been seen long enough/ }],
    },
    {
      name: 'tells a remote machine the first time only',
      given: [
        ...usualDays,
        signedIn(9),
        token(9, away),
        signedIn(10),
        token(10, away),
        credentials(10, away),
      ],
      expect: [{ severity: 'medium', title: /198\.51/ }],
    },
    {
      name: 'stays quiet on refreshed tokens and on the same network',
      given: [...usualDays, signedIn(9), token(9, '203.0.4.4'), token(9, away, 'refresh_token')],
      expect: [],
    },
    {
      // No set holds a record of this call; in some exports it names no user.
      name: 'does not break when fields are missing',
      given: [
        ...usualDays,
        signedIn(9, home, 'Failure'),
        { ...token(9, away), requestParameters: null },
        { ...token(9, away), userIdentity: { type: 'Unknown', principalId: '' } },
      ],
      expect: [],
    },
  ],
};
