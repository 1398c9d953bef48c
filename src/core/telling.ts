// How detectors name who acted, from where, and whether the actor is AWS itself. Names come out safe to print.
import { type DetectorMeta, signalFrom } from './detector.ts';
import type { Event } from './event.ts';
import type { Severity } from './severity.ts';
import type { SignalDraft } from './signal.ts';
import { plain } from './text.ts';

/** Takes an event; gives who acted as a sentence begins: `IAM user bob`, `Role deploy`, `Root`. */
export function actorOf(event: Event): string {
  const { kind, name, account } = event.principal;
  const shown = plain(name);
  switch (kind) {
    case 'root':
      return `Root of account ${plain(account)}`;
    case 'user':
      return `IAM user ${shown}`;
    case 'role':
      return `Role ${shown}`;
    case 'federated':
      return `Federated user ${shown}`;
    case 'identity-center':
      return `Identity Center user ${shown}`;
    case 'external':
      return account === event.account ? shown : `${shown} of account ${plain(account)}`;
    case 'service':
      return shown;
    case 'unknown':
      return shown === 'unknown' ? 'Somebody' : shown;
  }
}

/** Takes an event; gives the address or service it came from, as text. */
export function originOf(event: Event): string {
  return plain(event.origin.text) || 'an unknown address';
}

/**
 * Takes an event; gives true when AWS itself made the call: a service principal, not a person's call that
 * a service carried out (CloudFormation's calls keep the person's identity).
 */
export function isByAws(event: Event): boolean {
  return event.identityType === 'AWSService' || event.eventType === 'AwsServiceEvent';
}

/** Takes an event; gives true when its role is one that only the AWS service named in its path can assume. */
export function isServiceLinked(event: Event): boolean {
  return event.principal.kind === 'role' && event.principal.name.startsWith('AWSServiceRoleFor');
}

/** Takes an event and an IAM user's name; gives true when the actor is that user. */
export function isSelf(event: Event, userName: string | undefined): boolean {
  return event.principal.kind === 'user' && event.principal.name === plain(userName);
}

/** What a detector says of one event, without what follows from the event itself. */
export interface Said {
  readonly severity: Severity;
  readonly title: string;
  readonly reason: string;
  readonly facts?: Readonly<Record<string, string>>;
  /** Added to the event's identity where one event gives several signals of one detector. */
  readonly part?: string;
}

/** Takes an event and what to say of it; gives the signal. */
export function said(event: Event, what: Said): SignalDraft {
  const { part, facts, ...rest } = what;
  const from = signalFrom(event);
  return {
    ...from,
    ...(part === undefined ? {} : { key: `${from.key} ${part}` }),
    ...rest,
    facts: { from: originOf(event), ...facts },
  };
}

/** The version of ATT&CK that `attack` cites. */
const attackVersion = '18.1';

/** Takes technique ids with their names; gives them as `meta.attack` holds them. */
export function attack(techniques: Readonly<Record<string, string>>): DetectorMeta['attack'] {
  return Object.entries(techniques).map(([technique, name]) => ({
    version: attackVersion,
    technique,
    name,
  }));
}

/** Takes a CIS AWS Foundations version and controls; gives them as `meta.cis` holds them. */
export function cis(version: string, ...controls: readonly string[]): DetectorMeta['cis'] {
  return controls.map((control) => ({ framework: 'CIS AWS Foundations', version, control }));
}
