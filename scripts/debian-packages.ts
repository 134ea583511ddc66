import { spawnSync } from 'node:child_process';

export interface Need {
  /** The program that is called. */
  readonly command: string;
  /** The Debian package that brings it. */
  readonly debian: string;
}

/**
 * Makes sure that programs which tests call are there: as root on Debian they are installed, elsewhere it is said what
 * is missing and for what.
 *
 * @returns one sentence for each program that is still missing
 */
export function ensureDebianPackages(needs: readonly Need[]): readonly string[] {
  const absent = needs.filter((need) => !isThere(need.command));
  if (absent.length > 0 && process.getuid?.() === 0 && isThere('apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const packages = absent.map((need) => need.debian);
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      stdio: 'inherit',
      env,
    });
  }
  return absent
    .filter((need) => !isThere(need.command))
    .map(
      (need) => `${need.command} is missing, and the tests that call it cannot pass: install ${need.debian}`,
    );
}

function isThere(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v -- "${command}"`], { stdio: 'ignore' }).status === 0;
}
