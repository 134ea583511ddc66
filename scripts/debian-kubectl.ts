import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** 1.27 brings kustomize 5, which the manifests are written for. Debian 12 has 1.20. */
const oldestMinor = 27;

/** The Debian release whose kubectl is taken where the machine's own is too old. It only needs libc6 2.34. */
const release = 'trixie';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Makes sure that a kubectl is on the PATH which can render the manifests. As root on Debian, a missing or old one is
 * replaced, for this run only, by the one of Debian 13: fetched by apt with lists of its own, its signature checked
 * against Debian's keyring, unpacked into `folder` and not installed.
 *
 * @returns a sentence for the user where there is none
 */
export function ensureKubectl(folder: string): string | undefined {
  if (isRecent()) return undefined;
  const own = join(folder, 'root/usr/bin');
  if (!existsSync(join(own, 'kubectl')) && process.getuid?.() === 0 && existsSync(keyring))
    fetchKubectl(folder);
  process.env['PATH'] = `${own}${delimiter}${process.env['PATH'] ?? ''}`;
  if (isRecent()) return undefined;
  return `kubectl 1.${oldestMinor} or later is missing, and the tests of deploy/ cannot pass without it`;
}

function isRecent(): boolean {
  const done = spawnSync('kubectl', ['version', '--client', '--output=json'], { encoding: 'utf8' });
  const minor = /"minor":\s*"(\d+)/.exec(done.stdout ?? '')?.[1];
  return minor !== undefined && Number(minor) >= oldestMinor;
}

function fetchKubectl(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  for (const part of ['lists/partial', 'cache/archives/partial', 'root']) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  const sources = join(folder, 'sources.list');
  writeFileSync(sources, `deb [signed-by=${keyring}] ${debianMirror()} ${release} main\n`);
  const apt = (...args: string[]): void => {
    const options = {
      'Dir::Etc::SourceList': sources,
      'Dir::Etc::SourceParts': '/dev/null',
      'Dir::State::Lists': join(folder, 'lists'),
      'Dir::State::status': '/dev/null',
      'Dir::Cache': join(folder, 'cache'),
      'APT::Sandbox::User': 'root',
    };
    const given = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    spawnSync('apt-get', ['-qq', ...given, ...args], { stdio: 'inherit', cwd: folder });
  };
  apt('update');
  apt('download', 'kubectl');
  const archive = readdirSync(folder).find((name) => name.startsWith('kubectl_') && name.endsWith('.deb'));
  if (archive !== undefined) {
    spawnSync('dpkg', ['-x', join(folder, archive), join(folder, 'root')], { stdio: 'inherit' });
  }
}

/** The mirror that this machine already uses. */
function debianMirror(): string {
  const format = ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', 'Origin: Debian'];
  const { stdout } = spawnSync('apt-get', format, { encoding: 'utf8' });
  const mirrors = (stdout ?? '').split('\n').filter((uri) => /^https?:\/\/.*\/debian\/?$/.test(uri));
  return mirrors[0] ?? 'http://deb.debian.org/debian';
}
