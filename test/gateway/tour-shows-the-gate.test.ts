import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';

const tour = fileURLToPath(new URL('../../scripts/tour.ts', import.meta.url));

describe('the tour', () => {
  it('shows an allowed, a denied, a refused, a rewritten, a held back, a limited, a revoked and a certificate-less call, and ends with 0', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-tour-'));
    const child = spawn(process.execPath, [tour, '--once', '--folder', folder], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        SALLYPORT_LISTENERS__0__BIND: '127.0.0.1:0',
        SALLYPORT_ADMIN__BIND: '127.0.0.1:0',
        EVERYTHING_PORT: '0',
      },
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    const said = stripVTControlCharacters(output);
    for (const line of [
      /carol +echo\n/,
      /alice +echo +allowed +Echo: hello/,
      /carol +get-sum +refused +4030 .*Not allowed, or not available/,
      /bob +get-env +refused +4030/,
      /alice +get-sum 20 \+ 22 +allowed .*42/,
      /alice +get-sum 5000 \+ 1 +refused +4030 .*arguments are refused by policy.*small-sums/,
      /bob +fetch metadata service +refused +4030 .*"rule":"fetch-from-github","path":"data","role":"url",.*"allow":"/,
      /alice +echo, hidden text +refused +4030 .*"rule":"echo-message","path":"message","role":"text"/,
      /alice +echo, undeclared +refused +4030 .*"path":"verbose".*"fault":"not-declared"/,
      /bob +500 steps, clamped +allowed .*Steps: 10\./,
      /alice +echo, a card number +allowed +Echo: card \[redacted:cards:[^\]]+\]/,
      /bob +read a dynamic document +allowed +\S/,
      /bob +fetch, for 5 minutes +refused +4030 .*"rule":"hold-egress"/,
      /"check":"arguments","effect":"rewritten","rule":"at-most-ten-steps","path":"steps","detail":"clamp"/,
      /carol +echo +allowed +Echo: call 1/,
      /carol +echo +refused +4290 .*"limit":"viewer-echo"/,
      /alice-laptop +echo +allowed +Echo: still here/,
      /alice-laptop +echo +refused +\S.*\n +alice +echo +allowed +Echo: still here/,
      /nobody +refused +\S/,
      /"code":"rate-limited"/,
      /"cause":"CertificateRefused\(CERT_REVOKED\)"/,
    ]) {
      expect(said).toMatch(line);
    }
    expect(said).not.toContain('this must not happen');
    expect({ code, errors }).toMatchObject({ code: 0 });
  }, 60_000);
});
