// Exceptions: what an owner declared not worth an alert, until a date in event time.
import type { ExceptionConfig } from '../../schemas/config.ts';
import type { SignalDraft } from '../core/signal.ts';
import { parseTime } from '../core/time.ts';

/** Takes a detector and a signal; gives the first exception that hides it. */
export type ExceptionMatch = (detector: string, signal: SignalDraft) => ExceptionConfig | undefined;

/** Takes the exceptions of the config; gives the function that applies them. */
export function exceptionMatch(exceptions: readonly ExceptionConfig[]): ExceptionMatch {
  const compiled = exceptions.map((one) => ({
    exception: one,
    expires: parseTime(`${one.expires}T00:00:00Z`) ?? 0,
    principal: glob(one.principal),
  }));
  return (detector, signal) => {
    for (const { exception, expires, principal } of compiled) {
      if (signal.time >= expires) continue;
      if (exception.detector !== '*' && exception.detector !== detector) continue;
      if (exception.account !== '*' && exception.account !== signal.account) continue;
      const { key, name, arn = '' } = signal.principal;
      if (principal(key) || principal(name) || principal(arn)) return exception;
    }
    return undefined;
  };
}

function glob(pattern: string): (text: string) => boolean {
  if (pattern === '*') return () => true;
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${escaped.join('.*')}$`);
  return (text) => text !== '' && expression.test(text);
}
