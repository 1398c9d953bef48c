// Who answers for an event, to the first degree: one bounded key for each user, role, root or service.
// Shapes of userIdentity: AWS CloudTrail User Guide, "CloudTrail userIdentity element".

import { plain } from './text.ts';

export type PrincipalKind =
  | 'root'
  | 'user'
  | 'role'
  | 'federated'
  | 'identity-center'
  | 'external'
  | 'service'
  | 'unknown';

/**
 * A principal of the first degree. `key` is stable and bounded: it never holds a session name.
 * `name` is what a person calls it; `arn` is the user's, role's or account's, never a session's.
 */
export interface Principal {
  readonly key: string;
  readonly kind: PrincipalKind;
  readonly account: string;
  readonly name: string;
  readonly arn?: string;
}

const keyCharactersMax = 200;

/**
 * Takes a `userIdentity` (anything: absent, null and odd types occur) and the recipient account;
 * gives its principal. Never throws.
 */
export function principalOf(identity: unknown, recipient: string): Principal {
  const fields = asObject(identity);
  const type = text(fields, 'type');
  const account = text(fields, 'accountId') || recipient;
  switch (type) {
    case 'Root':
      return root(account, fields);
    case 'IAMUser':
      return user(account, fields);
    case 'AssumedRole':
    case 'Role':
      return role(account, fields);
    case 'FederatedUser':
      return federated(account, fields);
    case 'SAMLUser':
    case 'WebIdentityUser':
      return outside(account, type, fields);
    case 'IdentityCenterUser':
      return identityCenter(account, fields);
    case 'AWSAccount':
      return external(account, fields);
    default:
      return serviceOrUnknown(account, fields);
  }
}

function root(account: string, fields: Fields): Principal {
  const arn = text(fields, 'arn') || `arn:aws:iam::${account}:root`;
  return make('root', account, account, 'root', arn);
}

function user(account: string, fields: Fields): Principal {
  const name = text(fields, 'userName');
  if (name === 'HIDDEN_DUE_TO_SECURITY_REASONS' || (name === '' && text(fields, 'arn') === '')) {
    // CloudTrail hides a name it does not know: a password may have been typed there. One key for all.
    const id = text(fields, 'principalId');
    return make('user', account, id || 'unknown-user', id || 'unknown user');
  }
  const arn = text(fields, 'arn');
  const shown = name || arn.slice(arn.lastIndexOf('/') + 1);
  const id = text(fields, 'principalId').split(':')[0];
  return make('user', account, id || arn || name, shown, arn);
}

function role(account: string, fields: Fields): Principal {
  const issuer = asObject(asObject(fields['sessionContext'])['sessionIssuer']);
  const arn = text(fields, 'arn');
  const assumed = /^arn:([^:]+):sts::(\d*):assumed-role\/([^/]+)/.exec(arn);
  const name =
    text(issuer, 'userName') || assumed?.[3] || lastPart(arn) || text(fields, 'userName');
  const owner = text(issuer, 'accountId') || assumed?.[2] || account;
  const id = text(issuer, 'principalId') || text(fields, 'principalId').split(':')[0] || '';
  const roleArn =
    text(issuer, 'arn') || (assumed ? `arn:${assumed[1]}:iam::${owner}:role/${name}` : arn);
  return make('role', owner, id || name || 'unknown', name || id || 'unknown role', roleArn);
}

function federated(account: string, fields: Fields): Principal {
  const name = text(fields, 'principalId').split(':')[1] || lastPart(text(fields, 'arn'));
  return make(
    'federated',
    account,
    name || 'unknown',
    name || 'federated user',
    text(fields, 'arn'),
  );
}

function outside(account: string, type: string, fields: Fields): Principal {
  const provider = text(fields, 'identityProvider') || type;
  // A SAML subject is a person; web identities (Cognito) are without number, so their provider is the key.
  const subject = type === 'SAMLUser' ? text(fields, 'userName') : '';
  const id = subject === '' ? provider : `${provider}/${subject}`;
  return make('federated', account, id, subject || text(fields, 'userName') || provider);
}

function identityCenter(account: string, fields: Fields): Principal {
  const behalf = asObject(fields['onBehalfOf']);
  const id = `${lastPart(text(behalf, 'identityStoreArn'))}/${text(behalf, 'userId')}`;
  return make('identity-center', account, id, text(behalf, 'userId') || 'Identity Center user');
}

function external(account: string, fields: Fields): Principal {
  const id = text(fields, 'principalId').split(':')[0] || 'account';
  return make('external', account, id, id === 'account' ? `account ${account}` : id);
}

function serviceOrUnknown(account: string, fields: Fields): Principal {
  const invokedBy = text(fields, 'invokedBy');
  if (invokedBy !== '') return make('service', account, invokedBy, invokedBy);
  const arn = text(fields, 'arn');
  if (arn.includes(':assumed-role/')) return role(account, fields);
  if (Object.keys(asObject(fields['onBehalfOf'])).length > 0)
    return identityCenter(account, fields);
  const id = text(fields, 'principalId').split(':')[0] || arn || text(fields, 'userName');
  return make('unknown', account, id || 'unknown', text(fields, 'userName') || id || 'unknown');
}

function make(
  kind: PrincipalKind,
  account: string,
  id: string,
  name: string,
  arn?: string,
): Principal {
  const key = kind === 'root' ? `root/${account}` : `${kind}/${account}/${id}`;
  const shown = plain(name, keyCharactersMax);
  const named = { key: plain(key, keyCharactersMax), kind, account: plain(account), name: shown };
  return arn ? { ...named, arn: plain(arn, keyCharactersMax) } : named;
}

type Fields = Readonly<Record<string, unknown>>;

function asObject(value: unknown): Fields {
  // A JSON object read from outside has string keys; what they hold stays unknown.
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

function lastPart(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}
