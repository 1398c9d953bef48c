// An inbox in memory, with the promises of the store's and none of its disk.
import type { InboxRow } from '../../src/core/ports.ts';
import type { Progress } from '../../src/core/position.ts';
import type { StdinInbox } from '../../src/sources/stdin.ts';

/** An inbox, what it holds, and the progress that a lane would have committed. */
export interface MemoryInbox extends StdinInbox {
  readonly rows: Map<string, InboxRow[]>;
  readonly known: Map<string, Progress>;
}

/** Gives an empty inbox. Rows count up over all sources, as the store's do. */
export function memoryInbox(): MemoryInbox {
  const rows = new Map<string, InboxRow[]>();
  const known = new Map<string, Progress>();
  let newest = 0;
  return {
    rows,
    known,
    progress: async () => new Map(known),
    async inboxPut(source, given) {
      const row = { ...given, row: ++newest };
      rows.set(source, [...(rows.get(source) ?? []), row]);
      return newest;
    },
    async inboxRead(source, afterRow) {
      return rows.get(source)?.find((one) => one.row > afterRow);
    },
    async inboxDrop(source, upToRow) {
      const left = rows.get(source)?.filter((one) => one.row > upToRow) ?? [];
      if (left.length > 0) rows.set(source, left);
      else rows.delete(source);
    },
  };
}
