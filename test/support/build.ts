// Builds the command line once before the tests that run it as a process.
import { execFileSync } from 'node:child_process';

/** Called by Vitest before the first test. */
export default function build(): void {
  execFileSync('npm', ['run', '-s', 'build'], { stdio: ['ignore', 'inherit', 'inherit'] });
}
