// Cases of app-user-session-left-its-app.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type RawRecord } from '../support/records.ts';

function appUser(provider: unknown = 'cognito-identity.amazonaws.com'): RawRecord {
  const by = assumedRole('Cognito_ShopUnauth_Role', 'CognitoIdentityCredentials');
  const context = by['sessionContext'] as RawRecord;
  return {
    ...by,
    sessionContext: { ...context, webIdFederationData: { federatedProvider: provider } },
  };
}

function call(source: string, name: string, by = appUser(), isRefused = false): RawRecord {
  const error = isRefused ? { error: ['AccessDenied', 'not authorized'] as const } : {};
  return apiCall({ source, name, by, ...error });
}

export const cases: DetectorCases = {
  detector: 'app-user-session-left-its-app',
  cases: [
    {
      name: 'fires medium when the session lists what the account holds',
      given: [call('s3', 'ListBuckets'), call('iam', 'ListRoles', appUser(), true)],
      expect: [
        {
          severity: 'medium',
          title: /^A user of an app used Role Cognito_ShopUnauth_Role on the account itself$/,
          reason: /looked around: s3:ListBuckets\. Refused or failed: iam:ListRoles\. From 203/,
        },
      ],
    },
    {
      name: 'fires high when it reads a secret or changes IAM',
      given: [call('secretsmanager', 'GetSecretValue')],
      expect: [{ severity: 'high', reason: /secretsmanager:GetSecretValue/ }],
    },
    {
      name: 'is low when everything was refused',
      given: [call('iam', 'ListUsers', appUser(), true)],
      expect: [{ severity: 'low' }],
    },
    {
      // Modelled on aws-docs-examples: a session with webIdFederationData of accounts.google.com.
      name: 'knows social logins, whose provider is written as an address',
      given: [call('dynamodb', 'ListTables', appUser('https://accounts.google.com'))],
      expect: [{ severity: 'medium' }],
    },
    {
      name: 'stays quiet on pipelines, clusters and calls an app makes',
      given: [
        call('iam', 'CreateRole', appUser('token.actions.githubusercontent.com')),
        call(
          'iam',
          'ListRoles',
          appUser('arn:aws:iam::111122223333:oidc-provider/oidc.eks.x/id/A'),
        ),
        call('dynamodb', 'GetItem'),
        call('sts', 'GetCallerIdentity'),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        call('iam', 'ListUsers', appUser(7)),
        call('iam', 'ListUsers', { type: 'AssumedRole', sessionContext: 'x' }),
      ],
      expect: [],
    },
  ],
};
