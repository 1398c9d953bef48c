// Known ways from a few permissions to many. Ids are those of pathfinding.cloud (Datadog) where it
// has one; `rhino-…` are entries of Rhino Security Labs' list that it lacks; `also-…` are
// neither's.

/** One path: holding every action on broad resources, a principal gains `gain`. */
export interface EscalationPath {
  readonly id: string;
  /** In lower case, sorted as the path is walked. */
  readonly actions: readonly string[];
  /** The same in AWS's spelling, for sentences. */
  readonly shown: readonly string[];
  /** The service a role is passed to, where `iam:passrole` is among the actions. */
  readonly passedTo?: string;
  /** What the holder can do: follows "the holder can". */
  readonly gain: string;
}

const pass = 'iam:PassRole';
const anyRole = 'with the rights of any role that trusts it';

type Row = readonly [id: string, actions: string, gain: string];

// Actions of a row are parted by blanks; one without a service belongs to the service before it.
const identity: readonly Row[] = [
  ['iam-001', 'iam:CreatePolicyVersion', 'make itself administrator'],
  ['iam-002', 'iam:CreateAccessKey', 'make keys of any user and act as that user'],
  ['iam-003', 'iam:CreateAccessKey DeleteAccessKey', 'replace the keys of any user'],
  ['iam-004', 'iam:CreateLoginProfile', 'sign in to the console as any user without a password'],
  ['iam-005', 'iam:PutRolePolicy', 'write any right into any role'],
  ['iam-006', 'iam:UpdateLoginProfile', 'set the console password of any user'],
  ['iam-007', 'iam:PutUserPolicy', 'make itself administrator'],
  ['iam-008', 'iam:AttachUserPolicy', 'make itself administrator'],
  ['iam-009', 'iam:AttachRolePolicy', 'make any role administrator'],
  ['iam-010', 'iam:AttachGroupPolicy', 'make any group administrator'],
  ['iam-011', 'iam:PutGroupPolicy', 'write any right into any group'],
  ['iam-012', 'iam:UpdateAssumeRolePolicy', 'let itself assume any role'],
  ['iam-013', 'iam:AddUserToGroup', 'join any group'],
  ['iam-014', 'iam:AttachRolePolicy sts:AssumeRole', 'make a role administrator and assume it'],
  ['iam-015', 'iam:AttachUserPolicy CreateAccessKey', 'make a user administrator and act as it'],
  ['iam-016', 'iam:CreatePolicyVersion sts:AssumeRole', 'raise a role and assume it'],
  ['iam-017', 'iam:PutRolePolicy sts:AssumeRole', 'raise a role and assume it'],
  ['iam-018', 'iam:PutUserPolicy CreateAccessKey', 'raise a user and act as it'],
  ['iam-019', 'iam:AttachRolePolicy UpdateAssumeRolePolicy', 'take over and raise any role'],
  ['iam-020', 'iam:CreatePolicyVersion UpdateAssumeRolePolicy', 'take over and raise any role'],
  ['iam-021', 'iam:PutRolePolicy UpdateAssumeRolePolicy', 'take over and raise any role'],
  ['rhino-2', 'iam:SetDefaultPolicyVersion', 'bring back a stronger version of any policy'],
  ['sts-001', 'sts:AssumeRole', 'assume every role that trusts the account'],
  ['also-1', 'iam:DeleteUserPermissionsBoundary', 'remove the boundary of any user'],
  ['also-2', 'iam:DeleteRolePermissionsBoundary', 'remove the boundary of any role'],
  ['also-3', 'sso:CreateAccountAssignment', 'assign any permission set in any account to itself'],
  ['also-4', 'sso:PutInlinePolicyToPermissionSet', 'write any right into any permission set'],
  ['also-5', 'sso:AttachManagedPolicyToPermissionSet', 'make any permission set administrator'],
  [
    'also-6',
    'eks:CreateAccessEntry AssociateAccessPolicy',
    'make itself administrator of any cluster',
  ],
  ['also-7', 'kms:PutKeyPolicy', 'take over every KMS key'],
];

const existing: readonly Row[] = [
  ['apprunner-002', 'apprunner:UpdateService', 'run code with the role of any App Runner service'],
  [
    'bedrock-002',
    'bedrock-agentcore:StartCodeInterpreterSession InvokeCodeInterpreter',
    'run code with the role of any code interpreter',
  ],
  [
    'cloudformation-002',
    'cloudformation:UpdateStack',
    'change resources with the role of any stack',
  ],
  [
    'cloudformation-005',
    'cloudformation:CreateChangeSet ExecuteChangeSet',
    'change resources with the role of any stack',
  ],
  ['codebuild-002', 'codebuild:StartBuild', 'run commands with the role of any build project'],
  ['codebuild-003', 'codebuild:StartBuildBatch', 'run commands with the role of any build project'],
  [
    'ec2-002',
    'ec2:ModifyInstanceAttribute StopInstances StartInstances',
    'run commands with the role of any instance',
  ],
  [
    'ec2-004',
    'ec2:CreateLaunchTemplateVersion ModifyLaunchTemplate',
    'run commands with the role of any launch template',
  ],
  [
    'ec2instanceconnect-003',
    'ec2-instance-connect:SendSSHPublicKey ec2:DescribeInstances',
    'log on to any instance and take its role',
  ],
  ['glue-002', 'glue:UpdateDevEndpoint', 'log on to any Glue endpoint and take its role'],
  ['lambda-003', 'lambda:UpdateFunctionCode', 'run code with the role of any function'],
  [
    'lambda-004',
    'lambda:UpdateFunctionCode InvokeFunction',
    'run code with the role of any function',
  ],
  [
    'lambda-005',
    'lambda:UpdateFunctionCode AddPermission',
    'run code with the role of any function',
  ],
  [
    'rhino-26',
    'lambda:UpdateFunctionConfiguration',
    'put a layer under any function and take its role',
  ],
  [
    'sagemaker-004',
    'sagemaker:CreatePresignedNotebookInstanceUrl',
    'open any notebook and take its role',
  ],
  [
    'sagemaker-005',
    'sagemaker:CreateNotebookInstanceLifecycleConfig StopNotebookInstance ' +
      'UpdateNotebookInstance StartNotebookInstance',
    'run commands with the role of any notebook',
  ],
  ['ssm-001', 'ssm:StartSession', 'open a shell on any managed instance and take its role'],
  ['ssm-002', 'ssm:SendCommand', 'run commands on any managed instance and take its role'],
  ['rhino-25', 'codestar:CreateProject AssociateTeamMember', 'make itself owner of a project'],
  ['rhino-23', 'codestar:CreateProjectFromTemplate', 'let CodeStar make a stronger role for it'],
];

// Here the first word is the service the role is passed to; `iam:PassRole` goes without saying.
const passing: readonly Row[] = [
  ['apprunner-001', 'tasks.apprunner apprunner:CreateService', 'run code'],
  [
    'bedrock-001',
    'bedrock-agentcore bedrock-agentcore:CreateCodeInterpreter StartCodeInterpreterSession ' +
      'InvokeCodeInterpreter',
    'run code',
  ],
  ['cloudformation-001', 'cloudformation cloudformation:CreateStack', 'make a stack'],
  [
    'cloudformation-003',
    'cloudformation cloudformation:CreateStackSet CreateStackInstances',
    'make stacks',
  ],
  ['cloudformation-004', 'cloudformation cloudformation:UpdateStackSet', 'change stacks'],
  ['codebuild-001', 'codebuild codebuild:CreateProject StartBuild', 'run a build'],
  ['codebuild-004', 'codebuild codebuild:CreateProject StartBuildBatch', 'run builds'],
  [
    'datapipeline-001',
    'datapipeline datapipeline:CreatePipeline PutPipelineDefinition ActivatePipeline',
    'run a pipeline',
  ],
  ['rhino-22', 'datapipeline datapipeline:CreatePipeline PutPipelineDefinition', 'make a pipeline'],
  ['ec2-001', 'ec2 ec2:RunInstances', 'start an instance'],
  ['ec2-003', 'ec2 ec2:RequestSpotInstances', 'start a spot instance'],
  [
    'ecs-001',
    'ecs-tasks ecs:CreateCluster RegisterTaskDefinition CreateService',
    'run a container',
  ],
  ['ecs-002', 'ecs-tasks ecs:CreateCluster RegisterTaskDefinition RunTask', 'run a container'],
  ['ecs-003', 'ecs-tasks ecs:RegisterTaskDefinition CreateService', 'run a container'],
  ['ecs-004', 'ecs-tasks ecs:RegisterTaskDefinition RunTask', 'run a container'],
  ['ecs-005', 'ecs-tasks ecs:RegisterTaskDefinition StartTask', 'run a container'],
  ['glue-001', 'glue glue:CreateDevEndpoint', 'open a Glue endpoint'],
  ['glue-003', 'glue glue:CreateJob StartJobRun', 'run a Glue job'],
  ['glue-004', 'glue glue:CreateJob CreateTrigger', 'run a Glue job'],
  ['glue-005', 'glue glue:UpdateJob StartJobRun', 'run a Glue job'],
  ['glue-006', 'glue glue:UpdateJob CreateTrigger', 'run a Glue job'],
  ['lambda-001', 'lambda lambda:CreateFunction InvokeFunction', 'run a function'],
  ['lambda-002', 'lambda lambda:CreateFunction CreateEventSourceMapping', 'run a function'],
  ['lambda-006', 'lambda lambda:CreateFunction AddPermission', 'run a function'],
  ['sagemaker-001', 'sagemaker sagemaker:CreateNotebookInstance', 'open a notebook'],
  ['sagemaker-002', 'sagemaker sagemaker:CreateTrainingJob', 'run a training job'],
  ['sagemaker-003', 'sagemaker sagemaker:CreateProcessingJob', 'run a processing job'],
  ['rhino-24', 'codestar codestar:CreateProject', 'make a CodeStar project'],
  ['also-8', 'rolesanywhere rolesanywhere:CreateTrustAnchor CreateProfile', 'issue sessions'],
];

/** Every known path, those that need fewest actions first. */
export const escalationPaths: readonly EscalationPath[] = [
  ...[...identity, ...existing].map(([id, actions, gain]) => pathOf(id, actions.split(' '), gain)),
  ...passing.map(([id, words, gain]) => {
    const [service = '', ...actions] = words.split(' ');
    const passedTo = `${service}.amazonaws.com`;
    return { ...pathOf(id, [pass, ...actions], `${gain} ${anyRole}`), passedTo };
  }),
].sort((a, b) => a.actions.length - b.actions.length);

function pathOf(id: string, words: readonly string[], gain: string): EscalationPath {
  const shown: string[] = [];
  let service = '';
  for (const word of words) {
    const [before = '', after] = word.split(':');
    if (after !== undefined) service = before;
    shown.push(`${service}:${after ?? before}`);
  }
  return { id, actions: shown.map((action) => action.toLowerCase()), shown, gain };
}

/** The writes of IAM that together make an administrator of whoever holds them. */
export const iamAdminActions: readonly string[] = [
  'iam:attachuserpolicy',
  'iam:attachrolepolicy',
  'iam:putuserpolicy',
  'iam:putrolepolicy',
  'iam:createpolicyversion',
  'iam:createaccesskey',
  'iam:updateassumerolepolicy',
];
