// Calls of IAM and Roles Anywhere that open other ways in: identity providers, instance profiles,
// delegation requests, trust anchors.
import type { Severity } from '../../severity.ts';
import { plain } from '../../text.ts';
import { textsOf } from '../shape.ts';
import {
  type Asked,
  type Change,
  named,
  nameIn,
  quietly,
  type Reader,
  type Readers,
} from './change.ts';

interface Row {
  readonly verb: readonly [string, string];
  readonly kind: string;
  readonly keys: readonly string[];
  readonly base: Severity;
  readonly note?: string;
}

function plainChange(row: Row): Reader {
  return (asked) => {
    const name = nameIn(asked, ...row.keys);
    return {
      ...quietly(...row.verb),
      object: named(row.kind, shortName(name)),
      base: row.base,
      ...(row.note === undefined ? {} : { note: row.note }),
      ...(name === '' ? {} : { target: { kind: row.kind, name } }),
    };
  };
}

function shortName(name: string): string {
  return name.startsWith('arn:') ? name.slice(name.indexOf('/') + 1) : name;
}

const keyOfProvider =
  'Whoever holds the keys of the provider can become every role that trusts it.';

function provider(
  kind: 'SAML provider' | 'OIDC provider',
  verb: Row['verb'],
  base: Severity,
): Reader {
  const keys = ['sAMLProviderArn', 'openIDConnectProviderArn', 'name', 'url'];
  const isGone = verb[0] === 'delete';
  return plainChange({ verb, kind, keys, base, ...(isGone ? {} : { note: keyOfProvider }) });
}

const addRoleToProfile: Reader = (asked) => {
  const role = nameIn(asked, 'roleName');
  const profile = nameIn(asked, 'instanceProfileName');
  return {
    verb: ['put', 'put'],
    object: `${named('role', role)} into ${named('instance profile', profile)}`,
    subject: 'The role',
    findings: [],
    base: 'low',
    note: 'Every instance with the profile acts with the rights of the role.',
    grants: false,
    ...(role === '' ? {} : { target: { kind: 'role', name: role } }),
  };
};

function delegation(verb: Row['verb'], base: Severity, note?: string): Reader {
  const keys = ['delegationRequestId', 'requestId'];
  return plainChange({ verb, kind: 'delegation request', keys, base, ...(note ? { note } : {}) });
}

function rootAccess(verb: Row['verb']): Reader {
  const note = 'It decides whether the management account can act as root of member accounts.';
  return plainChange({ verb, kind: 'central root access', keys: [], base: 'medium', note });
}

const createTrustAnchor: Reader = (asked): Change => ({
  verb: ['create', 'created'],
  object: `${named('trust anchor', nameIn(asked, 'name'))} of Roles Anywhere`,
  subject: 'The trust anchor',
  findings: [
    {
      severity: 'medium',
      what:
        'lets whoever holds a certificate of its authority become roles that trust Roles ' +
        'Anywhere',
    },
  ],
  base: 'medium',
  grants: false,
});

const createProfile: Reader = (asked): Change => {
  const roles = textsOf(asked.request['roleArns']).map((arn) => plain(shortName(arn)));
  const shown = roles.slice(0, 4).join(', ');
  const offered = shown === '' ? 'roles' : `the role ${shown}`;
  return {
    ...quietly('create', 'created'),
    object: `${named('profile', nameIn(asked, 'name'))} of Roles Anywhere`,
    base: 'medium',
    note: `It offers ${offered} to holders of a trusted certificate.`,
  };
};

const profileKeys = ['instanceProfileName'];

/** The calls of IAM on identity providers, instance profiles, root access and delegation. */
export const federationReaders: Readers = {
  CreateSAMLProvider: provider('SAML provider', ['create', 'created'], 'medium'),
  UpdateSAMLProvider: provider('SAML provider', ['change', 'changed'], 'medium'),
  DeleteSAMLProvider: provider('SAML provider', ['delete', 'deleted'], 'low'),
  CreateOpenIDConnectProvider: provider('OIDC provider', ['create', 'created'], 'medium'),
  AddClientIDToOpenIDConnectProvider: provider(
    'OIDC provider',
    ['add a client to', 'added a client to'],
    'medium',
  ),
  RemoveClientIDFromOpenIDConnectProvider: provider(
    'OIDC provider',
    ['remove a client from', 'removed a client from'],
    'low',
  ),
  UpdateOpenIDConnectProviderThumbprint: provider(
    'OIDC provider',
    ['change the thumbprint of', 'changed the thumbprint of'],
    'medium',
  ),
  DeleteOpenIDConnectProvider: provider('OIDC provider', ['delete', 'deleted'], 'low'),
  EnableOutboundWebIdentityFederation: plainChange({
    verb: ['enable', 'enabled'],
    kind: 'outbound web identity federation',
    keys: [],
    base: 'low',
    note: 'Principals of this account can then prove themselves to services outside of AWS.',
  }),
  DisableOutboundWebIdentityFederation: plainChange({
    verb: ['disable', 'disabled'],
    kind: 'outbound web identity federation',
    keys: [],
    base: 'info',
  }),
  EnableOrganizationsRootSessions: rootAccess(['enable', 'enabled']),
  EnableOrganizationsRootCredentialsManagement: rootAccess(['enable', 'enabled']),
  DisableOrganizationsRootSessions: rootAccess(['disable', 'disabled']),
  DisableOrganizationsRootCredentialsManagement: rootAccess(['disable', 'disabled']),
  CreateInstanceProfile: plainChange({
    verb: ['create', 'created'],
    kind: 'instance profile',
    keys: profileKeys,
    base: 'info',
  }),
  DeleteInstanceProfile: plainChange({
    verb: ['delete', 'deleted'],
    kind: 'instance profile',
    keys: profileKeys,
    base: 'info',
  }),
  AddRoleToInstanceProfile: addRoleToProfile,
  RemoveRoleFromInstanceProfile: plainChange({
    verb: ['take the role from', 'took the role from'],
    kind: 'instance profile',
    keys: profileKeys,
    base: 'low',
  }),
  CreateDelegationRequest: delegation(['make', 'made'], 'low'),
  AssociateDelegationRequest: delegation(['take up', 'took up'], 'low'),
  UpdateDelegationRequest: delegation(['change', 'changed'], 'low'),
  RejectDelegationRequest: delegation(['reject', 'rejected'], 'info'),
  AcceptDelegationRequest: delegation(
    ['accept', 'accepted'],
    'medium',
    'A partner of AWS gets rights in this account for a time.',
  ),
  SendDelegationToken: delegation(
    ['send the token of', 'sent the token of'],
    'medium',
    'Its receiver can act in this account.',
  ),
};

/** The calls of IAM Roles Anywhere. */
export const rolesAnywhereReaders: Readers = {
  CreateTrustAnchor: createTrustAnchor,
  UpdateTrustAnchor: plainChange({
    verb: ['change', 'changed'],
    kind: 'trust anchor',
    keys: ['trustAnchorId', 'name'],
    base: 'medium',
  }),
  CreateProfile: createProfile,
  UpdateProfile: plainChange({
    verb: ['change', 'changed'],
    kind: 'profile of Roles Anywhere',
    keys: ['profileId', 'name'],
    base: 'low',
  }),
};

/**
 * Takes a call; gives whether it is Identity Center that keeps its own provider and roles in order.
 */
export function isIdentityCenterProvisioning(asked: Asked): boolean {
  const { event } = asked;
  const isSso =
    event.invokedBy === 'sso.amazonaws.com' || event.origin.text === 'sso.amazonaws.com';
  if (!isSso) return false;
  const names = ['roleName', 'name', 'sAMLProviderArn', 'path'].map((key) => nameIn(asked, key));
  return names.some((name) => /AWSReservedSSO_|AWSSSO_|aws-reserved\/sso/.test(name));
}
