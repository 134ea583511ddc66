import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { generateCerts } from '../../src/cli/generate-certs.ts';

let folder: string;
let out: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'generate-certs-'));
  out = join(folder, 'certs');
});

afterEach(() => rmSync(folder, { recursive: true }));

async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const io = {
    stdout: (text: string) => {
      stdout += text;
    },
    stderr: (text: string) => {
      stderr += text;
    },
  };
  return { code: await generateCerts(argv, io), stdout, stderr };
}

function openssl(...argv: string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${argv.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

const describeCertificate = (...path: string[]) =>
  openssl('x509', '-in', join(out, ...path), '-noout', '-text');

const mode = (...path: string[]) => (statSync(join(out, ...path)).mode & 0o777).toString(8);

function allFiles(): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

describe('without arguments but a folder', () => {
  test('makes a CA, a server and one client, and lists them', async () => {
    const { code, stdout, stderr } = await run('--out', out);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n').sort()).toEqual(allFiles().map((name) => join(folder, name)));
    expect(allFiles()).toEqual([
      'certs/ca/ca.crl',
      'certs/ca/ca.crt',
      'certs/ca/ca.key',
      'certs/ca/index.json',
      'certs/clients/demo/tls.crt',
      'certs/clients/demo/tls.key',
      'certs/server/tls.crt',
      'certs/server/tls.key',
    ]);
  });

  test('gives keys to their owner alone', async () => {
    await run('--out', out);
    for (const key of [
      ['ca', 'ca.key'],
      ['server', 'tls.key'],
      ['clients', 'demo', 'tls.key'],
    ]) {
      expect(mode(...key)).toBe('600');
    }
    for (const directory of [[], ['ca'], ['server'], ['clients'], ['clients', 'demo']]) {
      expect(mode(...directory)).toBe('700');
    }
  });
});

describe('what openssl says', () => {
  test('every leaf verifies strictly for its purpose, and only for that', async () => {
    await run(
      '--out',
      out,
      '--san',
      'mcp.acme.example,10.1.2.3',
      '--san',
      '::1',
      '--client',
      'etl=spiffe://acme.example/etl',
      '--client-cn',
      'bob',
    );
    const ca = join(out, 'ca', 'ca.crt');
    const verify = (purpose: string, ...path: string[]) =>
      openssl(
        'verify',
        '-x509_strict',
        '-crl_check',
        '-CRLfile',
        join(out, 'ca', 'ca.crl'),
        '-CAfile',
        ca,
        '-purpose',
        purpose,
        join(out, ...path),
      );
    expect(verify('sslserver', 'server', 'tls.crt')).toMatch(/: OK\n$/);
    expect(verify('sslclient', 'clients', 'etl', 'tls.crt')).toMatch(/: OK\n$/);
    expect(verify('sslclient', 'clients', 'bob', 'tls.crt')).toMatch(/: OK\n$/);
    expect(() => verify('sslclient', 'server', 'tls.crt')).toThrow(/purpose/i);
    expect(() => verify('sslserver', 'clients', 'etl', 'tls.crt')).toThrow(/purpose/i);
    expect(openssl('verify', '-x509_strict', '-CAfile', ca, ca)).toMatch(/: OK\n$/);
  });

  test('the CA signs leaves only', async () => {
    await run('--out', out);
    const text = describeCertificate('ca', 'ca.crt');
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    expect(text).toContain('Subject Key Identifier');
    expect(text).toContain('NIST CURVE: P-256');
  });

  test('leaves have one usage each, key identifiers and the names that were asked for', async () => {
    await run(
      '--out',
      out,
      '--san',
      'MCP.acme.example',
      '--san',
      '10.1.2.3',
      '--client',
      'etl=spiffe://acme.example/etl',
    );
    const server = describeCertificate('server', 'tls.crt');
    expect(server).toMatch(/Extended Key Usage: \n\s+TLS Web Server Authentication\n/);
    expect(server).toMatch(/Subject Alternative Name: \n\s+DNS:mcp\.acme\.example, IP Address:10\.1\.2\.3\n/);
    expect(server).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(server).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    const client = describeCertificate('clients', 'etl', 'tls.crt');
    expect(client).toMatch(/Extended Key Usage: \n\s+TLS Web Client Authentication\n/);
    expect(client).toMatch(/Subject Alternative Name: \n\s+URI:spiffe:\/\/acme\.example\/etl\n/);
    expect(client).toContain('Subject: CN = etl');
    for (const text of [server, client]) {
      expect(text).toContain('X509v3 Subject Key Identifier');
      expect(text).toContain('X509v3 Authority Key Identifier');
    }
  });

  test('serial numbers are positive, 16 octets and all different', async () => {
    await run('--out', out, '--client-cn', 'a', '--client-cn', 'b');
    const files = ['ca/ca.crt', 'server/tls.crt', 'clients/a/tls.crt', 'clients/b/tls.crt'];
    const serials = files.map((file) => openssl('x509', '-in', join(out, file), '-noout', '-serial').trim());
    for (const serial of serials) expect(serial).toMatch(/^serial=[4-7][0-9A-F]{31}$/);
    expect(new Set(serials).size).toBe(files.length);
  });

  test('the revocation list is empty, numbered and as long-lived as the CA', async () => {
    await run('--out', out);
    expect(readFileSync(join(out, 'ca', 'ca.crl'), 'utf8')).toMatch(/^-----BEGIN X509 CRL-----\n/);
    const text = openssl(
      'crl',
      '-in',
      join(out, 'ca', 'ca.crl'),
      '-noout',
      '-text',
      '-CAfile',
      join(out, 'ca', 'ca.crt'),
    );
    expect(text).toContain('No Revoked Certificates.');
    expect(text).toMatch(/X509v3 CRL Number: \n\s+1\n/);
    const nextUpdate = /Next Update: (.*)/.exec(text)?.[1];
    expect(nextUpdate).toBe(new X509Certificate(readFileSync(join(out, 'ca', 'ca.crt'))).validTo);
  });

  test('no leaf outlives its CA', async () => {
    await run('--out', out, '--days', '800', '--ca-days', '30');
    const end = (...path: string[]) => new X509Certificate(readFileSync(join(out, ...path))).validTo;
    expect(end('server', 'tls.crt')).toBe(end('ca', 'ca.crt'));
    expect(end('clients', 'demo', 'tls.crt')).toBe(end('ca', 'ca.crt'));
  });
});

describe('a second run', () => {
  test('overwrites nothing and writes nothing', async () => {
    await run('--out', out);
    const before = allFiles().map((name) => readFileSync(join(folder, name), 'utf8'));
    const { code, stderr } = await run('--out', out, '--client-cn', 'new');
    expect(code).toBe(1);
    expect(stderr).toContain('nothing is overwritten');
    expect(stderr).toContain(join(out, 'ca', 'ca.key'));
    expect(allFiles().map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual(before);
  });

  test.each(['ca/ca.crl', 'server/tls.key', 'clients/demo/tls.crt'])(
    'one file in the way (%s) stops all',
    async (name) => {
      mkdirSync(join(out, name, '..'), { recursive: true });
      writeFileSync(join(out, name), 'mine');
      expect((await run('--out', out)).code).toBe(1);
      expect(allFiles()).toEqual([join('certs', name)]);
      expect(readFileSync(join(out, name), 'utf8')).toBe('mine');
    },
  );

  test('does not write through a dangling link', async () => {
    mkdirSync(join(out, 'ca'), { recursive: true });
    symlinkSync(join(folder, 'elsewhere'), join(out, 'ca', 'ca.key'));
    const { code, stderr } = await run('--out', out);
    expect(code).toBe(1);
    expect(stderr).toContain(join(out, 'ca', 'ca.key'));
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
  });

  test('adds a client with the CA that is there', async () => {
    await run('--out', out);
    const ca = readFileSync(join(out, 'ca', 'ca.crt'), 'utf8');
    const { code, stdout } = await run(
      '--out',
      out,
      '--ca-from',
      join(out, 'ca'),
      '--client',
      'bob=spiffe://acme.example/bob',
    );
    expect(code).toBe(0);
    expect(stdout).toBe(`${join(out, 'clients/bob/tls.crt')}\n${join(out, 'clients/bob/tls.key')}\n`);
    expect(readFileSync(join(out, 'ca', 'ca.crt'), 'utf8')).toBe(ca);
    const verdict = openssl(
      'verify',
      '-x509_strict',
      '-CAfile',
      join(out, 'ca', 'ca.crt'),
      '-purpose',
      'sslclient',
      join(out, 'clients/bob/tls.crt'),
    );
    expect(verdict).toMatch(/: OK\n$/);
    expect((await run('--out', out, '--ca-from', join(out, 'ca'), '--client-cn', 'bob')).code).toBe(1);
  });

  test('refuses a CA key that does not belong to the CA certificate, and a certificate that is no CA', async () => {
    const other = join(folder, 'other');
    await run('--out', out);
    await run('--out', other);
    const mixed = join(folder, 'mixed');
    mkdirSync(mixed);
    writeFileSync(join(mixed, 'ca.crt'), readFileSync(join(out, 'ca', 'ca.crt')));
    writeFileSync(join(mixed, 'ca.key'), readFileSync(join(other, 'ca', 'ca.key')));
    const first = await run('--out', out, '--ca-from', mixed, '--client-cn', 'eve');
    expect(first).toMatchObject({ code: 1, stderr: expect.stringContaining('does not belong') });
    writeFileSync(join(mixed, 'ca.crt'), readFileSync(join(out, 'server', 'tls.crt')));
    writeFileSync(join(mixed, 'ca.key'), readFileSync(join(out, 'server', 'tls.key')));
    const second = await run('--out', out, '--ca-from', mixed, '--client-cn', 'eve');
    expect(second).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not one of a certificate authority'),
    });
    expect((await run('--out', out, '--ca-from', folder, '--client-cn', 'eve')).code).toBe(1);
  });
});

describe('arguments that are refused, with nothing written', () => {
  const names = [
    '',
    '.',
    '..',
    '../x',
    'a/b',
    '/etc/x',
    'a\\b',
    '.hidden',
    'a\0b',
    'a b',
    'x'.repeat(65),
    'é',
  ];
  const spiffe = [
    'http://a/b',
    'spiffe://',
    'spiffe://a',
    'spiffe://A/b',
    'spiffe://a/../b',
    'spiffe://a/b?c',
    'spiffe://a:1/b',
  ];
  const hosts = ['', 'a b', '-a', 'a..b', 'a,', 'http://a', '*', 'x'.repeat(64), 'a\0b', 'a/b'];
  test.each([
    ...names.map((name) => ['--client-cn', name]),
    ...names.map((name) => ['--client', `${name}=spiffe://acme.example/x`]),
    ...spiffe.map((id) => ['--client', `a=${id}`]),
    ...hosts.map((host) => [`--san=${host}`]),
    ...['0', '-1', '1.5', '826', 'ten', ''].map((days) => [`--days=${days}`]),
    ['--ca-days=7301'],
    ['--client', 'justaname'],
    ['--client-cn', 'Bob', '--client-cn', 'bob'],
    ['--ca-from', 'somewhere'],
    ['--overwrite'],
    ['stray'],
  ])('%j %j', async (...argv) => {
    const { code, stderr } = await run('--out', out, ...argv);
    expect(stderr).not.toBe('');
    expect(code).toBe(2);
    expect(allFiles()).toEqual([]);
  });
});

test('help tells every option', async () => {
  const { code, stdout } = await run('--help');
  expect(code).toBe(0);
  for (const option of ['--out', '--san', '--client', '--client-cn', '--ca-from', '--days', '--ca-days']) {
    expect(stdout).toContain(`  ${option} `);
  }
});

test('each key belongs to its certificate', async () => {
  await run('--out', out);
  // A tool that shares no code with this one reads the pairs.
  for (const pair of ['server', 'clients/demo']) {
    const fromCertificate = execFileSync('openssl', [
      'x509',
      '-in',
      join(out, pair, 'tls.crt'),
      '-noout',
      '-pubkey',
    ]);
    const fromKey = execFileSync('openssl', ['pkey', '-in', join(out, pair, 'tls.key'), '-pubout']);
    expect(fromCertificate.equals(fromKey)).toBe(true);
  }
});
