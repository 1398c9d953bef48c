// The source from which Identity Center takes its people was changed: who vouches for everybody.
import { z } from 'zod';
import { type CallPattern, type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'identity-center-source-changed',
  title: 'Identity Center source changed',
  severity: 'high',
  practice: 'temporary-credentials',
  what: 'The directory or external identity provider behind Identity Center was connected, changed or removed, a certificate of the provider was added or removed, or a token was made with which users and groups are written into it (SCIM).',
  why: 'Whoever vouches for people decides who may become every role of every account in the organisation. A provider, or a certificate, of an intruder makes it anybody.',
  innocent: [
    'The planned move to another identity provider.',
    'The yearly change of a signing certificate or of the token for provisioning.',
  ],
  firstSteps: [
    'Ask the owners of Identity Center for the change ticket; such changes are planned.',
    'If there is none: compare provider, metadata and certificates in the console with what the identity provider says, and remove what is foreign.',
    'Delete the new provisioning token, then look for users, groups and memberships made since.',
    'End active sessions of Identity Center users, and read Federate and GetRoleCredentials events since the change.',
  ],
  attack: attack({
    'T1484.002': 'Domain or Tenant Policy Modification: Trust Modification',
    'T1556.007': 'Modify Authentication Process: Hybrid Identity',
  }),
  cis: [],
  gaps: [
    'Records of these calls often hide the request, so provider and certificate may not be named.',
    'Changes at the identity provider itself are not in CloudTrail.',
    'SAML and OIDC providers of a single account, and issuers of trusted tokens, are told by iam-policy-changed.',
  ],
};

interface Change {
  readonly verb: readonly [did: string, tried: string];
  readonly severity: Severity;
  readonly why: string;
}

const vouches =
  'From now on it vouches for every person, in every account that Identity Center serves.';
const certificate = 'What is signed with its key is believed: its holder can sign in as anybody.';
const gone = 'Nobody can sign in the usual way, or all sign in another way from now on.';
const scim = 'Its holder can write users and groups, and so put anybody into a group with rights.';

const changes: Readonly<Record<string, Change>> = {
  AssociateDirectory: change('connect', 'connected', 'a directory', 'high', vouches),
  DisassociateDirectory: change('remove', 'removed', 'the directory', 'high', gone),
  CreateExternalIdPConfigurationForDirectory: change(
    'set up',
    'set up',
    'an external identity provider',
    'medium',
    'It vouches for nobody until it is enabled.',
  ),
  EnableExternalIdPConfigurationForDirectory: change(
    'enable',
    'enabled',
    'an external identity provider',
    'high',
    vouches,
  ),
  UpdateExternalIdPConfigurationForDirectory: change(
    'change',
    'changed',
    'the external identity provider',
    'high',
    vouches,
  ),
  DisableExternalIdPConfigurationForDirectory: change(
    'disable',
    'disabled',
    'the external identity provider',
    'high',
    gone,
  ),
  DeleteExternalIdPConfigurationForDirectory: change(
    'delete',
    'deleted',
    'an external identity provider',
    'medium',
    gone,
  ),
  ImportExternalIdPCertificate: change(
    'add',
    'added',
    'a certificate of the identity provider',
    'medium',
    certificate,
  ),
  DeleteExternalIdPCertificate: change(
    'remove',
    'removed',
    'a certificate of the identity provider',
    'low',
    'Usual after a change of certificates.',
  ),
  CreateBearerToken: change('make', 'made', 'a provisioning token', 'medium', scim),
};

function change(tried: string, did: string, what: string, severity: Severity, why: string): Change {
  return { verb: [`${did} ${what}`, `tried to ${tried} ${what}`], severity, why };
}

const sources = ['sso', 'sso-directory'];

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: sources.flatMap((source) =>
    Object.keys(changes).map((name): CallPattern => `${source}.amazonaws.com:${name}`),
  ),
  config,
  detect(event) {
    const known = Object.hasOwn(changes, event.name) ? changes[event.name] : undefined;
    if (known === undefined) return 'the call does not change the source';
    if (isByAws(event)) return 'AWS itself';
    const isDone = event.outcome === 'success';
    const [did, tried] = known.verb;
    const failure = plain(event.errorCode ?? 'an error');
    const directory = event.text('requestParameters.directoryId');
    return said(event, {
      severity: isDone ? known.severity : 'low',
      title: `${actorOf(event)} ${isDone ? did : tried} of Identity Center`,
      reason: isDone
        ? `${known.why} From ${originOf(event)}.`
        : `It did not succeed (${failure}). From ${originOf(event)}.`,
      facts: directory === undefined ? {} : { directory: plain(directory) },
    });
  },
});
