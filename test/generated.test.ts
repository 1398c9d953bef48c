// What is generated from the code is fresh. `npm run generate` writes it anew.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { catalogueText, configText, jsonSchema } from './support/generated.ts';
import { terminalPicture } from './support/picture.ts';

it.each(['alert', 'signal', 'config'] as const)(
  'publishes the JSON Schema of %s',
  async (which) => {
    await expect(jsonSchema(which)).toMatchFileSnapshot(`../schemas/json/${which}.schema.json`);
  },
);

it('has a fresh catalogue in detectors/README.md', async () => {
  await expect(catalogueText()).toMatchFileSnapshot('../detectors/README.md');
});

it('has a fresh reference in docs/configuration.md', async () => {
  await expect(configText()).toMatchFileSnapshot('../docs/configuration.md');
});

it('has a fresh picture of the sample trail in docs/output.svg', async () => {
  const program = join('dist', 'src', 'cli', 'main.js');
  const { NO_COLOR: _none, ...env } = process.env;
  const args = [program, 'replay', 'examples/trail', '--no-store'];
  const { stdout } = spawnSync(process.execPath, args, {
    env: { ...env, FORCE_COLOR: '1' },
    encoding: 'utf8',
  });
  // The worst alerts stand last, next to the prompt: the picture shows the very last one.
  const opener = String.fromCharCode(27);
  const cards = stdout.split(`\n${opener}[1m${opener}[31mCRITICAL`);
  const last = `${opener}[1m${opener}[31mCRITICAL${cards.at(-1)}`;
  await expect(terminalPicture(last)).toMatchFileSnapshot('../docs/output.svg');
});
