// Cases of security-service-left.
import type { DetectorCases } from '../support/cases.ts';
import {
  apiCall,
  assumedRole,
  type RawRecord,
  refusal,
  serviceLinkedRole,
  stranger,
} from '../support/records.ts';

function call(source: string, name: string, request: unknown, by = assumedRole('dev')): RawRecord {
  return apiCall({ source, name, request, by });
}

export const cases: DetectorCases = {
  detector: 'security-service-left',
  cases: [
    {
      name: 'fires when members are detached and when an account leaves its administrator',
      given: [
        call('securityhub', 'DisassociateMembers', { AccountIds: [stranger] }),
        call('macie2', 'DisassociateFromAdministratorAccount', null),
      ],
      expect: [
        { severity: 'medium', title: /^Role dev detached members from Security Hub: 444455556666/ },
        { severity: 'medium', title: /^Role dev left the administrator of Macie$/ },
      ],
    },
    {
      name: 'fires high when Security Lake loses its sources or is deleted',
      given: [
        call('securitylake', 'DeleteAwsLogSource', {
          sources: [{ sourceName: 'CLOUD_TRAIL_MGMT', regions: ['eu-central-1'] }],
        }),
        call('securitylake', 'DeleteDataLake', { regions: ['eu-central-1'] }),
      ],
      expect: [
        { severity: 'high', title: /took sources from Security Lake: CLOUD_TRAIL_MGMT/ },
        { severity: 'high', title: /deleted Security Lake in eu-central-1$/ },
      ],
    },
    {
      name: 'fires when Macie is paused and new accounts are no longer watched',
      given: [
        call('macie2', 'UpdateMacieSession', { status: 'PAUSED' }),
        call('inspector2', 'UpdateOrganizationConfiguration', {
          autoEnable: { ec2: true, ecr: true },
        }),
        call('securityhub', 'UpdateOrganizationConfiguration', { AutoEnable: false }),
        call('macie2', 'UpdateOrganizationConfiguration', { autoEnable: 'false' }),
      ],
      expect: [
        { severity: 'medium', title: /paused Macie$/ },
        { severity: 'medium', title: /new accounts of the organisation with Security Hub/ },
        { severity: 'medium', title: /new accounts of the organisation with Macie/ },
      ],
    },
    {
      name: 'fires when DNS query logs, firewall logs and audit logs of a cluster end',
      given: [
        call('route53', 'DeleteQueryLoggingConfig', { id: 'abc' }),
        call('network-firewall', 'UpdateLoggingConfiguration', {
          firewallName: 'edge',
          loggingConfiguration: { logDestinationConfigs: [] },
        }),
        call('redshift', 'DisableLogging', { clusterIdentifier: 'sales' }),
      ],
      expect: [
        { severity: 'medium', title: /deleted the DNS query log abc/ },
        { severity: 'medium', title: /off the logs of the network firewall edge/ },
        { severity: 'medium', title: /off the audit log of the cluster sales/ },
      ],
    },
    {
      name: 'is low for what a deployment does: checks and protections removed with their purpose',
      given: [
        call('config', 'DeleteConfigRule', { configRuleName: 's3-logging' }),
        call('shield', 'DeleteProtection', { protectionId: 'p' }),
        call('config', 'PutConfigurationRecorder', {
          configurationRecorder: {
            name: 'default',
            recordingGroup: { allSupported: false, resourceTypes: ['AWS::S3::Bucket'] },
          },
        }),
        call('securityhub', 'UpdateStandardsControl', {
          StandardsControlArn: 'arn:x',
          ControlStatus: 'DISABLED',
        }),
      ],
      expect: [
        { severity: 'low', title: /the Config rule s3-logging/ },
        { severity: 'low', title: /the Shield protection p/ },
        { severity: 'low', title: /only a part of the resources, recorder default/ },
        { severity: 'low', title: /off the Security Hub control arn:x/ },
      ],
    },
    {
      // Modelled on traildiscover-events d5745447-83f9-4333-a641-b1313c89cf7f: a refusal in the response.
      name: 'tells a refused attempt as low',
      given: [
        apiCall({
          source: 'macie2',
          name: 'DisassociateFromMasterAccount',
          request: null,
          response: { message: 'User is not authorized to perform: macie2:Disassociate' },
          error: refusal('alice', 'macie2:DisassociateFromMasterAccount', '*'),
        }),
      ],
      expect: [{ severity: 'low', title: /tried to leave the administrator of Macie/ }],
    },
    {
      name: 'stays quiet when things are switched on or stay on, and when AWS does it',
      given: [
        call('macie2', 'UpdateMacieSession', { status: 'ENABLED' }),
        call('securityhub', 'UpdateStandardsControl', { ControlStatus: 'ENABLED' }),
        call('securityhub', 'UpdateOrganizationConfiguration', { AutoEnable: true }),
        call('network-firewall', 'UpdateLoggingConfiguration', {
          loggingConfiguration: { logDestinationConfigs: [{ logType: 'FLOW' }] },
        }),
        call('config', 'PutConfigurationRecorder', {
          configurationRecorder: { recordingGroup: { allSupported: true } },
        }),
        call(
          'config',
          'DeleteConfigRule',
          { configRuleName: 'securityhub-x' },
          serviceLinkedRole('AWSServiceRoleForSecurityHub', 'securityhub'),
        ),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on requests that are missing or odd',
      given: [
        call('network-firewall', 'UpdateLoggingConfiguration', null),
        call('macie2', 'UpdateMacieSession', 'PAUSED'),
        call('config', 'PutConfigurationRecorder', { configurationRecorder: [] }),
      ],
      expect: [],
    },
  ],
};
