// Exceptions: what an owner declared not worth an alert, until a date in event time.
import type { ExceptionConfig } from '../../schemas/config.ts';
import type { Chain } from '../core/chain.ts';
import type { SignalDraft } from '../core/signal.ts';
import { parseTime } from '../core/time.ts';

/** What an exception looks at. */
export type Excepted = Pick<SignalDraft, 'time' | 'account' | 'principal'>;

/** Takes a detector, a signal and its chains; gives the first exception that hides it. */
export type ExceptionMatch = (
  detector: string,
  signal: Excepted,
  chains: readonly Chain[],
) => ExceptionConfig | undefined;

/** Takes the exceptions of the config; gives the function that applies them. */
export function exceptionMatch(exceptions: readonly ExceptionConfig[]): ExceptionMatch {
  const compiled = exceptions.map((one) => ({
    exception: one,
    expires: parseTime(`${one.expires}T00:00:00Z`) ?? 0,
    principal: glob(one.principal),
    person: glob(one.person),
  }));
  return (detector, signal, chains) => {
    for (const { exception, expires, principal, person } of compiled) {
      if (signal.time >= expires) continue;
      if (exception.detector !== '*' && exception.detector !== detector) continue;
      if (exception.account !== '*' && exception.account !== signal.account) continue;
      if (exception.person !== '*' && !isAllBy(chains, person)) continue;
      const { key, name, arn = '' } = signal.principal;
      if (principal(key) || principal(name) || principal(arn)) return exception;
    }
    return undefined;
  };
}

/** Every session of the signal must be proven to be theirs: a hint is a name that anybody can choose. */
function isAllBy(chains: readonly Chain[], matches: (text: string) => boolean): boolean {
  if (chains.length === 0) return false;
  return chains.every(({ person, standing }) => {
    if (person === undefined || standing !== 'proven') return false;
    return matches(person.key) || matches(person.name) || matches(person.arn ?? '');
  });
}

function glob(pattern: string): (text: string) => boolean {
  if (pattern === '*') return () => true;
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${escaped.join('.*')}$`);
  return (text) => text !== '' && expression.test(text);
}
