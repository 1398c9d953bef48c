// The machines of the sample, by account: instances, keys, the addresses they call from.
import { development, management, production } from './organisation.ts';
import { randomFrom } from './random.ts';
import type { Log } from './sessions.ts';

/** When, for how long and where machines are at work. */
export interface Beat {
  readonly time: number;
  readonly over: number;
  readonly account: string;
  readonly region: string;
}

const fixed = randomFrom('machines of the sample');
const fleet = (account: string) => {
  const ids = fixed.fork(account);
  return Array.from({ length: account === production ? 4 : 2 }, () => `i-0${ids.hex(16)}`);
};
/** The ids of an account's instances. */
export const instances: Readonly<Record<string, readonly string[]>> = {
  [management]: fleet(management),
  [production]: fleet(production),
  [development]: fleet(development),
};
/** What an account's resources are named after. */
export const stages: Readonly<Record<string, string>> = {
  [management]: 'shared',
  [production]: 'production',
  [development]: 'development',
};
/** The id of an account's KMS key. */
export const keys: Readonly<Record<string, string>> = {
  [management]: fixed.uuid(),
  [production]: fixed.uuid(),
  [development]: fixed.uuid(),
};
/** The address from which an account's machines reach AWS. */
export const outbound: Readonly<Record<string, string>> = {
  [management]: '192.0.2.10',
  [production]: '192.0.2.40',
  [development]: '192.0.2.70',
};

/** Takes an account; gives the path of its target group. */
export function targetGroup(account: string): string {
  return `targetgroup/storefront/${fixed.fork(account).hex(16)}`;
}

/** Takes a beat; gives a moment within it. */
export function within(log: Log, { time, over }: Beat): number {
  return time + log.random.whole(0, over - 1);
}
