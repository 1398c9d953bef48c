// A lasting credential that is no access key was made for an IAM user: for one service, SSH or signing.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  byWhat,
  isBedrockKeyHolder,
  isByOwner,
  isByPerson,
  ownerIn,
  userKeyOf,
} from '../src/core/keys.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'service-credential-made',
  title: 'Service credential, SSH key or signing certificate made',
  severity: 'medium',
  practice: 'access-keys',
  what: 'An IAM user got a credential beside its access keys: a password or API key for one service (CodeCommit, Keyspaces, Bedrock), an SSH public key, or a signing certificate; or one of them was made anew or switched on.',
  why: 'These credentials last, ask for no second factor, and are missed when access keys are rotated or a leak is cleaned up. Who adds one can come back with it.',
  innocent: [
    'A developer registers their own SSH key for CodeCommit.',
    'Somebody makes a Bedrock API key in the console, which makes a user BedrockAPIKey-… for it.',
    'A pipeline sets up Keyspaces or mail for a service user.',
  ],
  firstSteps: [
    'Ask the caller what the credential is for, and the owner of the user whether they know of it.',
    'If nobody answers for it: delete it (aws iam delete-service-specific-credential, delete-ssh-public-key or delete-signing-certificate), then disable the key or revoke the sessions of the caller.',
    'Look for calls to the service it opens since then: models, repositories, tables.',
    'If it was meant: give it an end (credentialAgeDays for Bedrock) or use a role.',
  ],
  attack: attack({ 'T1098.001': 'Account Manipulation: Additional Cloud Credentials' }),
  cis: [],
  gaps: [
    'What the credential opens depends on the policies of the user, which the call does not show.',
    'A short-term Bedrock key is made without any call of IAM and is not seen.',
  ],
};

const config = z.strictObject({});

interface Kind {
  readonly what: string;
  /** Where the answer names the user. */
  readonly answer: string;
}
const kinds: Readonly<Record<string, Kind>> = {
  CreateServiceSpecificCredential: {
    what: 'a credential for',
    answer: 'serviceSpecificCredential',
  },
  ResetServiceSpecificCredential: {
    what: 'a new secret for a credential of',
    answer: 'serviceSpecificCredential',
  },
  UpdateServiceSpecificCredential: { what: 'an active credential of a service', answer: '' },
  UploadSSHPublicKey: { what: 'an SSH public key', answer: 'sSHPublicKey' },
  UploadSigningCertificate: { what: 'a signing certificate', answer: 'certificate' },
};

export default stateless<z.infer<typeof config>>({
  meta,
  on: [
    'iam.amazonaws.com:CreateServiceSpecificCredential',
    'iam.amazonaws.com:ResetServiceSpecificCredential',
    'iam.amazonaws.com:UpdateServiceSpecificCredential',
    'iam.amazonaws.com:UploadSSHPublicKey',
    'iam.amazonaws.com:UploadSigningCertificate',
  ],
  config,
  detect(event) {
    const kind = kinds[event.name];
    if (kind === undefined || isByAws(event)) return 'AWS made the call';
    if (event.outcome === 'failure') return 'the call failed and made nothing';
    if (event.name.startsWith('Update') && event.text('requestParameters.status') !== 'Active') {
      return 'the credential was not set to active';
    }
    const owner = ownerIn(event, kind.answer || undefined);
    const what = whatOf(event, kind);
    const whose = owner === undefined ? 'a user' : `IAM user ${plain(owner)}`;
    const facts = owner === undefined ? {} : { target: plain(owner) };
    if (event.outcome === 'denied') {
      return said(event, {
        severity: 'low',
        title: `${actorOf(event)} tried to give ${whose} ${what} and was refused`,
        reason: `The call from ${originOf(event)} lacked the right.`,
        facts,
      });
    }
    const isOwn = owner !== undefined && isByOwner(event, owner);
    const { severity, because } = judged(event, owner, isOwn);
    return said(event, {
      severity,
      title: `${actorOf(event)} gave ${isOwn ? 'itself' : whose} ${what}`,
      reason: `${because} From ${originOf(event)}.`,
      facts,
    });
  },
});

function whatOf(event: Event, { what }: Kind): string {
  if (!what.endsWith(' for') && !what.endsWith(' of')) return what;
  return `${what} ${plain(serviceOf(event)) || 'a service'}`;
}

function serviceOf(event: Event): string | undefined {
  return (
    event.text('requestParameters.serviceName') ??
    event.text('responseElements.serviceSpecificCredential.serviceName')
  );
}

function judged(
  event: Event,
  owner: string | undefined,
  isOwn: boolean,
): { severity: Severity; because: string } {
  const byKey = event.invokedBy === '' ? userKeyOf(event) : undefined;
  if (event.name === 'UploadSigningCertificate') {
    const because =
      'Signing certificates belong to the old SOAP interfaces: hardly anybody needs one today.';
    return { severity: 'medium', because };
  }
  if (serviceOf(event)?.startsWith('bedrock') === true) return bedrock(event, owner);
  if (isOwn) return { severity: 'info', because: 'The user did it for itself.' };
  if (byKey !== undefined) {
    const because = `The call was signed with the long-term key ${plain(byKey)}: a leaked key would so become two.`;
    return { severity: 'medium', because };
  }
  if (isByPerson(event)) {
    return { severity: 'medium', because: 'A person did it by hand for the user of another.' };
  }
  return { severity: 'low', because: byWhat(event) };
}

/** The console makes a user for each key; one for an end of its own is the careful way. */
function bedrock(event: Event, owner: string | undefined): { severity: Severity; because: string } {
  const days = event.field('requestParameters.credentialAgeDays');
  const isEnding = Number(days) > 0;
  const holder =
    owner !== undefined && isBedrockKeyHolder(owner)
      ? 'The user is one that the console makes to hold the key.'
      : 'The user is one that existed for other ends.';
  const end = isEnding ? `It ends after ${Number(days)} days.` : 'The request gives it no end.';
  return {
    severity: isEnding ? 'low' : 'medium',
    because: `A Bedrock API key runs up cost for whoever holds it. ${holder} ${end}`,
  };
}
