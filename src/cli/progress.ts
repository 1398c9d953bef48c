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
    format: 'replaying [{bar}] {share}  {events} events  {size} read{left}',
  });
  let isDrawn = false;
  const startedAt = process.hrtime.bigint();
  return {
    update(counters, read) {
      const isKnown = read.total > 0;
      const share = isKnown ? `${Math.min(100, Math.floor((read.done / read.total) * 100))}%` : '';
      const left = isKnown ? `  ${secondsLeft(startedAt, read)} left` : '';
      const events = counters.items.toLocaleString('en');
      const payload = { events, size: megabytes(read.done), share, left };
      const total = isKnown ? Math.max(read.total, read.done) : read.done * 2 + 1;
      if (!isDrawn) bar.start(total, read.done, payload);
      isDrawn = true;
      bar.setTotal(total);
      bar.update(read.done, payload);
    },
    stop() {
      if (isDrawn) bar.stop();
    },
  };
}

/** At the pace so far; the share read is known to be more than none. */
function secondsLeft(startedAt: bigint, read: SourceProgress): string {
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  const left = (seconds * (read.total - read.done)) / Math.max(read.done, 1);
  return left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
