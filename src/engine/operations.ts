// What one event does to alerts: signals set, hidden or removed, each in the alert it belongs to.
import type { ExceptionConfig } from '../../schemas/config.ts';
import type { Chain } from '../core/chain.ts';
import { contentId } from '../core/hash.ts';
import type { Signal, SignalDraft } from '../core/signal.ts';
import { windowStart } from '../core/time.ts';

/** One change of one alert. `hide` keeps the signal out of sight but counted. */
export type Operation =
  | { readonly kind: 'set'; readonly alertId: string; readonly signal: Signal }
  | {
      readonly kind: 'hide';
      readonly alertId: string;
      readonly signal: Signal;
      readonly exception: ExceptionConfig;
    }
  | {
      /** A step of the way to the person was seen after the signal was raised. */
      readonly kind: 'chain';
      readonly alertId: string;
      readonly signalId: string;
      readonly chains: readonly Chain[];
      readonly exception?: ExceptionConfig;
    }
  | { readonly kind: 'remove'; readonly alertId: string; readonly signalId: string };

/** Takes account, principal key and a time; gives the id of the alert they belong to. */
export function alertIdOf(
  account: string,
  principalKey: string,
  timeMs: number,
  windowMs: number,
): string {
  const start = windowStart(timeMs, windowMs);
  return contentId('alert', account, principalKey, String(start), String(windowMs));
}

/** Takes a detector id and a signal; gives the signal's id, the same for the same content. */
export function signalIdOf(detector: string, draft: SignalDraft): string {
  return contentId('signal', detector, draft.account, draft.principal.key, draft.key);
}
