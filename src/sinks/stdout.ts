// Writes alerts to standard output, one JSON line a revision.
import type { Writable } from 'node:stream';
import { SentrailError } from '../core/errors.ts';
import type { Delivery, Sink } from '../core/ports.ts';

/**
 * Takes a name and the stream; gives the sink. It promises `append`: a crash between writing and
 * noting may repeat one batch of lines; `id` and `revision` in a line tell them apart.
 */
export function stdoutSink(name: string, stream: Writable): Sink {
  return {
    name,
    promise: 'append',
    reconcile: async () => '',
    async send(deliveries: readonly Delivery[]): Promise<string> {
      const text = deliveries.map((one) => `${one.body}\n`).join('');
      await new Promise<void>((done, fail) => {
        stream.write(text, (error) => {
          if (error === null || error === undefined) return done();
          fail(new SentrailError('sink', `writing to standard output: ${error.message}`));
        });
      });
      return '';
    },
    close: async () => {},
  };
}
