import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('finishes its work although nobody reads what it prints', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pipe-'));
  const main = join(import.meta.dirname, '../../src/main.ts');
  const child = spawn(process.execPath, [main, 'generate-certs', '--out', join(folder, 'certs')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  expect({ code, said }).toEqual({ code: 0, said: '' });
  expect(existsSync(join(folder, 'certs/clients/demo/tls.crt'))).toBe(true);
  rmSync(folder, { recursive: true, force: true });
});
