// Writes the sample trail and stories.json: `npx tsc -p examples/tsconfig.json`, then
// `node examples/.build/make-trail.js [folder]`. The same seed gives the same bytes.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Delivered, digests, logFiles, packed } from './delivery.ts';
import { secondsOf } from './event.ts';
import { seed } from './organisation.ts';
import { randomFrom } from './random.ts';
import type { Story } from './stories.ts';
import { theWeek } from './week.ts';

/** Log file validation was turned on by the job of Sunday evening. */
const digestsFrom = secondsOf('2026-11-15T21:05:26Z');

/** The objects of the bucket and the stories in them. */
export interface Trail {
  readonly objects: readonly Delivered[];
  readonly stories: readonly Story[];
}

/** Gives the sample trail; always the same. */
export function makeTrail(): Trail {
  const { events, stories } = theWeek();
  const random = randomFrom(`${seed}/delivery`);
  const logs = logFiles(events, random);
  return { objects: [...logs, ...digests(logs, digestsFrom, random)], stories };
}

/** Writes the trail below `folder`/trail, in place of an older one, and `folder`/stories.json. */
export function writeTrail(folder: string): Trail {
  const made = makeTrail();
  rmSync(join(folder, 'trail'), { recursive: true, force: true });
  for (const { key, text } of made.objects) {
    const path = join(folder, 'trail', key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, packed(text));
  }
  writeFileSync(join(folder, 'stories.json'), `${JSON.stringify(made.stories, null, 2)}\n`);
  return made;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  // Compiled, this file stands in examples/.build.
  const folder = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url));
  const { objects } = writeTrail(folder);
  process.stdout.write(`wrote ${objects.length} files below ${join(folder, 'trail')}\n`);
}
