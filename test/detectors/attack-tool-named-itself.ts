// Cases of attack-tool-named-itself.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

function call(name: string, userAgent: unknown, more: RawRecord = {}): RawRecord {
  const source = name === 'GetCallerIdentity' ? 'sts' : 'iam';
  return apiCall({ source, name, by: iamUser('bob'), with: { userAgent, ...more } });
}

const kali = 'aws-cli/2.9.19 Python/3.11.8 Linux/6.6.9-amd64 source/x86_64.kali.2024';
const refused = { errorCode: 'AccessDenied', errorMessage: 'no identity-based policy allows' };

export const cases: DetectorCases = {
  detector: 'attack-tool-named-itself',
  cases: [
    {
      name: 'fires medium when TruffleHog tried the key',
      given: [call('GetCallerIdentity', 'TruffleHog')],
      expect: [
        {
          severity: 'medium',
          title: /^IAM user bob called AWS with a secret scanner$/,
          reason: /sts:GetCallerIdentity.*From 203\.0\.113\.10/,
        },
      ],
    },
    {
      name: 'fires medium on the names of systems, as the CLI writes them',
      given: [
        call('ListUsers', 'aws-cli/1.18.69 Python/3.8.5 Linux/5.7.0-kali1-amd64 botocore/1.17.12'),
        call('GetUser', 'Boto3/1.34.46 md/Botocore#1.34.46 ua/2.0 os/linux md/distrib#parrot.6'),
      ],
      expect: [{ severity: 'medium', title: /a system made for attack/ }],
    },
    {
      name: 'is low when nothing succeeded',
      given: [call('ListUsers', 'pacu', refused)],
      expect: [{ severity: 'low', reason: /Nothing succeeded.*iam:ListUsers/ }],
    },
    {
      // Modelled on trailalerts-sigma-tests: user and key made with S3 Browser.
      name: 'fires high when S3 Browser writes to IAM, and not when it reads',
      given: [call('CreateAccessKey', '[S3 Browser 9.5.5 https://s3browser.com]')],
      expect: [{ severity: 'high', reason: /iam:CreateAccessKey/ }],
    },
    {
      name: 'stays quiet when S3 Browser only reads',
      given: [call('ListBuckets', '[S3 Browser 9.5.5 https://s3browser.com]')],
      expect: [],
    },
    {
      name: 'is low for a rehearsal, once for all calls of the day',
      given: [
        call('CreateUser', 'stratus-red-team_00000000-0000-4000-8000-000000000000'),
        call('DeleteUser', 'stratus-red-team_00000000-0000-4000-8000-000000000000'),
      ],
      expect: [{ severity: 'low', reason: /iam:CreateUser, iam:DeleteUser/ }],
    },
    {
      name: 'stays quiet on programs that only sound alike',
      given: [
        call('ListRoles', 'aws-sdk-go/1.44 app/parrot-service app/kalista app/capacus'),
        call('ListUsers', 'APN/1.0 HashiCorp/1.0 Terraform/1.9.5'),
        apiCall({ source: 'iam', name: 'GetRole', by: assumedRole('kali-deploy', 'pacu') }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        call('GetCallerIdentity', 7),
        call('GetCallerIdentity', undefined),
        { ...call('GetUser', kali), userIdentity: {} },
      ],
      expect: [{ severity: 'medium', title: /called AWS with a system made for attack/ }],
    },
  ],
};
