// The arrows of the design, the pure middle, and the sizes of house style: read from the files.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

function sources(folder: string): { path: string; text: string }[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true, recursive: true });
  return entries
    .filter((one) => one.isFile() && one.name.endsWith('.ts'))
    .map((one) => relative(root, join(one.parentPath, one.name)))
    .filter((path) => !path.includes('.build'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

const code = ['src', 'detectors', 'schemas'].flatMap(sources);

/** Which layer a file is in, and which layers each may import besides its own. */
function layerOf(path: string): string {
  if (path.startsWith('src/')) {
    const [, second = ''] = path.split('/');
    return second.endsWith('.ts') ? 'app' : second;
  }
  return path.split('/')[0] ?? '';
}
const allowed: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  core: ['schemas'],
  detectors: ['core', 'schemas'],
  decode: ['core', 'schemas'],
  engine: ['core', 'schemas'],
  pipeline: ['core', 'schemas', 'engine', 'decode'],
  sources: ['core', 'schemas'],
  stores: ['core', 'schemas'],
  sinks: ['core', 'schemas'],
  app: [
    'core',
    'schemas',
    'engine',
    'decode',
    'pipeline',
    'sources',
    'stores',
    'sinks',
    'detectors',
  ],
  cli: ['core', 'schemas', 'engine', 'app', 'detectors'],
};

it('has no arrow against the direction of the design', () => {
  const wrong = code.flatMap(({ path, text }) =>
    [...text.matchAll(/from '(\.[^']+)'/g)].flatMap(([, target = '']) => {
      const to = layerOf(relative(root, join(root, dirname(path), target)));
      const from = layerOf(path);
      return to === from || allowed[from]?.includes(to) ? [] : [`${path} imports ${target}`];
    }),
  );
  expect(wrong).toEqual([]);
});

const impure =
  /Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|process\.|node:fs|node:net|console\.[a-z]+\(/;

it('keeps the middle pure: no clock, no chance, no I/O', () => {
  const middle = code.filter(({ path }) =>
    /^(src\/(core|decode|engine)|detectors|schemas)\//.test(path),
  );
  expect(middle.length).toBeGreaterThan(30);
  const wrong = middle.filter(({ text }) => impure.test(text)).map(({ path }) => path);
  expect(wrong).toEqual([]);
});

it('knows no replay to the left of app', () => {
  const left = code.filter(({ path }) => !['app', 'cli'].includes(layerOf(path)));
  const wrong = left.filter(
    ({ path, text }) => path !== 'schemas/config.ts' && /replay/i.test(text),
  );
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

it('has no file over 400 lines', () => {
  const all = [...code, ...sources('test'), ...sources('examples')];
  const long = all.filter(({ text }) => text.split('\n').length > 401).map(({ path }) => path);
  expect(long).toEqual([]);
});

it('lists every detector file once', () => {
  const index = readFileSync(join(root, 'detectors/index.ts'), 'utf8');
  for (const file of readdirSync(join(root, 'detectors'))) {
    if (!file.endsWith('.ts') || file === 'index.ts') continue;
    expect(index.split(`from './${file}'`).length, file).toBe(2);
    const text = readFileSync(join(root, 'detectors', file), 'utf8');
    expect(text, `${file} is named by its id`).toContain(`id: '${file.replace('.ts', '')}'`);
  }
});
