// What is generated from the code is fresh. `npm run generate` writes it anew.
import { expect, it } from 'vitest';
import { catalogueText, configText, jsonSchema } from './support/generated.ts';

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
