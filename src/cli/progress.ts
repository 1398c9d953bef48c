// A progress bar on standard error, only where a person watches.
import progress from 'cli-progress';
import type { Counters, SourceProgress } from '../core/ports.ts';

/** A bar that is fed after each commit. */
export interface ProgressBar {
  update(counters: Readonly<Counters>, read: SourceProgress): void;
  stop(): void;
}

/** Takes the stream; gives a bar, or one that draws nothing where the stream is no terminal. */
export function progressBar(stream: NodeJS.WriteStream): ProgressBar {
  if (!stream.isTTY) return { update: () => {}, stop: () => {} };
  const bar = new progress.SingleBar({
    stream,
    clearOnComplete: true,
    hideCursor: true,
    format: 'replaying [{bar}] {percentage}%  {events} events  {size} read  {eta_formatted} left',
  });
  let isDrawn = false;
  return {
    update(counters, read) {
      const payload = { events: counters.items.toLocaleString('en'), size: megabytes(read.done) };
      if (!isDrawn) bar.start(Math.max(read.total, read.done, 1), read.done, payload);
      isDrawn = true;
      bar.setTotal(Math.max(read.total, read.done, 1));
      bar.update(read.done, payload);
    },
    stop() {
      if (isDrawn) bar.stop();
    },
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
