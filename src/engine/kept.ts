// What a lane leaves for the checkpoint beside its state: dead letters and how far it has come.
import type { RejectedItem } from '../core/item.ts';
import type { DeadLetter, Horizon } from '../core/ports.ts';

/** Takes a rejected item; gives what is kept of it, with bytes of its own. */
export function deadLetterOf(item: RejectedItem): DeadLetter {
  const { reason, detail, offset, size, position } = item;
  const { shard, sequence, item: at } = position;
  const bytes = new Uint8Array(item.bytes);
  return { shard, sequence, item: at, offset, reason, detail, bytes, size };
}

/** Takes how far forgetting, sweeping and settling have come; gives it as the checkpoint has it. */
export function horizonOf(
  forgottenBefore: number | undefined,
  sweptHour: number,
  settledUpTo: number,
): Horizon {
  return {
    ...(forgottenBefore === undefined ? {} : { forgottenBefore }),
    ...(Number.isFinite(sweptHour) ? { sweptHour } : {}),
    ...(Number.isFinite(settledUpTo) ? { settledUpTo } : {}),
  };
}
