// Builds the command line once before the tests that run it as a process. Types are another check's work.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Called by Vitest before the first test. */
export default function build(): void {
  const compiler = join('node_modules', 'typescript', 'bin', 'tsc');
  const args = [compiler, '-p', 'tsconfig.build.json', '--noCheck'];
  execFileSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
}
