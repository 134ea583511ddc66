import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadAuthority } from '../../src/cli/certificates.ts';
import { findIssued, parseIndex } from '../../src/cli/certs/ca-index.ts';
import { encodePkcs12 } from '../../src/cli/certs/pkcs12.ts';
import { generateCerts, generateCertsCommand } from '../../src/cli/generate-certs.ts';

let folder: string;
let out: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'private-ca-'));
  out = join(folder, 'certs');
});

afterEach(() => rmSync(folder, { recursive: true }));

const at = (...path: string[]) => join(out, ...path);
const read = (...path: string[]) => readFileSync(at(...path), 'utf8');

async function run(...argv: string[]) {
  let stdout = '';
  let stderr = '';
  const code = await generateCerts([...argv, '--out', out], {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}

/** Runs a command that must succeed. */
async function done(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

function openssl(...argv: string[]): { readonly ok: boolean; readonly text: string } {
  const { status, stdout, stderr } = spawnSync('openssl', argv, { encoding: 'utf8' });
  return { ok: status === 0, text: stdout + stderr };
}

function verify(purpose: string, ...path: string[]) {
  const lists = ['-crl_check_all', '-CRLfile', at('ca/ca.crl'), '-CAfile', at('ca/ca.crt')];
  return openssl(
    'verify',
    '-x509_strict',
    ...lists,
    '-purpose',
    purpose,
    '-untrusted',
    at(...path),
    at(...path),
  );
}

const index = () => parseIndex(read('ca/index.json'));
const bob = ['client', 'bob', '--spiffe', 'spiffe://acme.example/bob'];

describe('init, server and client', () => {
  test.each(['ec-p256', 'ec-p384', 'ed25519', 'rsa-3072'])(
    'make what openssl takes strictly, with %s',
    async (key) => {
      await done('init', '--key', key);
      await done('server', 'mcp.acme.example', '10.1.2.3', '--ip', '::1', '--key', key);
      await done(...bob, '--key', key);
      expect(verify('sslserver', 'server/tls.crt').text).toMatch(/: OK\n$/);
      expect(verify('sslclient', 'clients/bob/tls.crt').text).toMatch(/: OK\n$/);
      expect(verify('sslclient', 'server/tls.crt').ok).toBe(false);
      expect(verify('sslserver', 'clients/bob/tls.crt').ok).toBe(false);
      const text = openssl('x509', '-in', at('server/tls.crt'), '-noout', '-text').text;
      expect(text).toContain('DNS:mcp.acme.example, IP Address:10.1.2.3, IP Address:0:0:0:0:0:0:0:1');
      expect(text).toMatch(/Key Usage: critical\n\s+Digital Signature\n/);
      expect(text).toMatch(/Extended Key Usage: ?\n\s+TLS Web Server Authentication\n/);
      expect(index().issued.map(({ kind, name, hosts, uris }) => ({ kind, name, hosts, uris }))).toEqual([
        { kind: 'root', name: 'ca', hosts: [], uris: [] },
        { kind: 'server', name: 'server', hosts: ['mcp.acme.example', '10.1.2.3', '::1'], uris: [] },
        { kind: 'client', name: 'bob', hosts: [], uris: ['spiffe://acme.example/bob'] },
      ]);
    },
  );

  test('with an intermediate, leaves chain over it, and the key of the root may go', async () => {
    expect(await done('init', '--intermediate')).toContain('offline');
    rmSync(at('ca/root.key'));
    await done('server', 'mcp.acme.example');
    await done(...bob);
    for (const [purpose, path] of [
      ['sslserver', 'server/tls.crt'],
      ['sslclient', 'clients/bob/tls.crt'],
    ] as const) {
      expect(read(path).match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
      expect(verify(purpose, path).text).toMatch(/: OK\n$/);
    }
    const constraints = openssl('x509', '-in', at('ca/root.crt'), '-noout', '-ext', 'basicConstraints').text;
    expect(constraints).toMatch(/critical\n\s+CA:TRUE, pathlen:1/);
    const below = openssl(
      'x509',
      '-in',
      at('ca/intermediate.crt'),
      '-noout',
      '-ext',
      'basicConstraints',
    ).text;
    expect(below).toMatch(/critical\n\s+CA:TRUE, pathlen:0/);
  });

  test('name constraints hold for this program, and for openssl', async () => {
    const permitted = [
      '--permit-uri',
      'acme.example',
      '--permit-dns',
      'acme.example',
      '--permit-ip',
      '10.0.0.0/8',
    ];
    await done('init', ...permitted);
    await done('server', 'mcp.acme.example', '--ip', '10.1.2.3');
    await done(...bob);
    expect(verify('sslserver', 'server/tls.crt').text).toMatch(/: OK\n$/);
    expect(verify('sslclient', 'clients/bob/tls.crt').text).toMatch(/: OK\n$/);
    for (const [argv, name] of [
      [['server', 'mcp.evil.example', '--name', 'x'], 'mcp.evil.example'],
      [['server', 'evilacme.example', '--name', 'x'], 'evilacme.example'],
      [['server', 'acme.example', '--ip', '11.1.2.3', '--name', 'x'], '11.1.2.3'],
      [['server', 'acme.example', '--ip', '::1', '--name', 'x'], '::1'],
      [['client', 'eve', '--spiffe', 'spiffe://evil.example/a'], 'spiffe://evil.example/a'],
      [['client', 'eve', '--spiffe', 'spiffe://sub.acme.example/a'], 'spiffe://sub.acme.example/a'],
      [['client', 'eve', '--uri', 'urn:acme:a'], 'urn:acme:a'],
    ] as const) {
      const { code, stderr } = await run(...argv);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining(`may not vouch for ${name}`),
      });
    }
    expect(existsSync(at('servers'))).toBe(false);
    // Somebody who has the key of the CA, and another program.
    const authority = await loadAuthority({ certPem: read('ca/ca.crt'), keyPem: read('ca/ca.key') });
    expect(authority.permitted).toEqual({
      dns: ['acme.example'],
      uris: ['acme.example'],
      addresses: ['10.0.0.0/8'],
    });
    const text = openssl('x509', '-in', at('ca/ca.crt'), '-noout', '-text').text;
    expect(text).toMatch(/Name Constraints: critical\n\s+Permitted:/);
  });

  test('a kind of name that is not permitted anything is closed', async () => {
    await done('init', '--permit-uri', 'acme.example');
    for (const host of ['acme.example', '10.1.2.3'])
      expect((await run('server', host)).stderr).toContain(`may not vouch for ${host}`);
    const text = openssl('x509', '-in', at('ca/ca.crt'), '-noout', '-text').text;
    expect(text).toContain('DNS:nothing.invalid');
    expect(text).toMatch(/Excluded:\n\s+IP:0\.0\.0\.0\/0\.0\.0\.0/);
  });

  test('nothing is overwritten without --force, and keys are their owner’s alone', async () => {
    await done('init');
    await done(...bob);
    const before = [read('ca/ca.key'), read('clients/bob/tls.key')];
    expect((await run('init')).stderr).toContain('there is a CA');
    expect((await run(...bob)).stderr).toContain('nothing is overwritten');
    expect([read('ca/ca.key'), read('clients/bob/tls.key')]).toEqual(before);
    expect(index().issued).toHaveLength(2);
    await done(...bob, '--force');
    expect(read('clients/bob/tls.key')).not.toBe(before[1]);
    const mode = (path: string) => (statSync(at(path)).mode & 0o777).toString(8);
    for (const path of ['ca/ca.key', 'ca/index.json', 'clients/bob/tls.key'])
      expect([path, mode(path)]).toEqual([path, '600']);
    for (const path of ['.', 'ca', 'clients', 'clients/bob'])
      expect([path, mode(path)]).toEqual([path, '700']);
    expect(readdirSync(at('ca')).sort()).toEqual(['ca.crl', 'ca.crt', 'ca.key', 'index.json']);
  });

  test('two at once: one is refused and says so, and the index stays whole', async () => {
    await done('init');
    const answers = await Promise.all(['a', 'b', 'c'].map((name) => run('client', name, '--cn')));
    const refused = answers.filter(({ code }) => code === 1);
    for (const { stderr } of refused) expect(stderr).toContain('works on this CA');
    const made = index().issued.filter(({ kind }) => kind === 'client');
    expect(made).toHaveLength(3 - refused.length);
    expect(made.length).toBeGreaterThan(0);
    writeFileSync(at('ca/index.lock'), '4711\n');
    expect((await run('crl')).stderr).toContain('4711');
  });

  test('a CA from before there was an index is taken up with what it made', async () => {
    await done('--client', 'bob=spiffe://acme.example/bob');
    rmSync(at('ca/index.json'));
    await done('revoke', 'bob');
    expect(verify('sslclient', 'clients/bob/tls.crt').text).toContain('revoked');
    expect(verify('sslserver', 'server/tls.crt').text).toMatch(/: OK\n$/);
  });

  test.each([
    ['init', '--key', 'rsa-1024'],
    ['init', '--permit-dns', '*.acme.example'],
    ['init', '--permit-uri', 'spiffe://acme.example'],
    ['init', '--permit-ip', '10.0.0.1/8'],
    ['init', '--name', 'a\nb'],
    ['init', 'stray'],
    ['server'],
    ['server', 'a b'],
    ['server', '--ip', 'mcp.acme.example'],
    ['server', '--dns', '10.1.2.3'],
    ['client'],
    ['client', 'a', 'b', '--cn'],
    ['client', 'bob'],
    ['client', '../bob', '--cn'],
    ['client', 'bob', '--cn', '--dns', 'a.example'],
    ['client', 'bob', '--dns', '*.acme.example'],
    ['client', 'bob', '--spiffe', 'spiffe://acme.example'],
    ['client', 'bob', '--uri', 'SPIFFE://acme.example/a'],
    ['client', 'bob', '--cn', '--password-file', 'x'],
    ['client', 'bob', '--cn', '--days', '826'],
    ['client', 'bob', '--cn', '--namespace', 'a'],
    ['client', 'bob', '--cn', '--k8s-secrets', 'x', '--namespace', 'A b'],
    ['renew'],
    ['renew', 'bob', '--all'],
    ['revoke'],
    ['revoke', 'bob', '--reason', 'constructor'],
    ['crl', 'stray'],
    ['show', 'a', 'b'],
    ['show', '--within', 'soon'],
    ['show', '--days', '1'],
  ])('%j is a wrong command line', async (...argv) => {
    await done('init');
    const before = readdirSync(out, { recursive: true });
    const { code, stderr } = await run(...argv);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/./)]);
    expect(readdirSync(out, { recursive: true })).toEqual(before);
  });
});

describe('names', () => {
  test('that differ by capitals only are one: the older certificate would be neither shown nor renewed', async () => {
    await done('init');
    await done('client', 'Bob', '--cn');
    const { code, stderr } = await run('client', 'bob', '--cn');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('there is a client Bob already'),
    });
    expect(existsSync(at('clients/bob'))).toBe(false);
    await done('server', 'bob.example', '--name', 'bob');
    expect(await done('renew', 'client/Bob')).toContain(at('clients/Bob/tls.crt'));
  });

  test('become names of Secrets that Kubernetes takes', async () => {
    await done('init');
    const names = ['a..b', 'x.-_-.y', 'CON-', 'c__.b', 'd.-.-.b', 'x._z'];
    for (const name of names) await done('client', name, '--cn');
    await done('crl', '--k8s-secrets', join(folder, 'k8s'));
    const written = readdirSync(join(folder, 'k8s'));
    expect(written).toHaveLength(names.length + 1);
    for (const file of written) {
      expect(file).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.yaml$/);
      expect(readFileSync(join(folder, 'k8s', file), 'utf8')).toContain(`  name: ${file.slice(0, -5)}\n`);
    }
  });
});

describe('renew', () => {
  test('keeps the names and takes a new key, unless told to keep it', async () => {
    await done('init');
    await done(...bob);
    const first = read('clients/bob/tls.key');
    await done('renew', 'bob', '--same-key');
    expect(read('clients/bob/tls.key')).toBe(first);
    await done('renew', 'client/bob');
    expect(read('clients/bob/tls.key')).not.toBe(first);
    expect(verify('sslclient', 'clients/bob/tls.crt').text).toMatch(/: OK\n$/);
    const entries = findIssued(index(), 'bob');
    expect(new Set(entries.map(({ serial }) => serial)).size).toBe(3);
    for (const { uris, commonName } of entries)
      expect({ uris, commonName }).toEqual({ uris: ['spiffe://acme.example/bob'], commonName: 'bob' });
  });

  test('of all takes what is due, and nothing that is revoked', async () => {
    await done('init');
    await done('server', 'mcp.acme.example', '--days', '20');
    await done(...bob, '--days', '90');
    await done('client', 'eve', '--cn', '--days', '5');
    await done('revoke', 'eve');
    expect(await done('renew', '--all')).toBe(`${at('server/tls.crt')}\n${at('server/tls.key')}\n`);
    expect(await done('renew', '--all')).toBe('nothing is due\n');
    expect(await done('renew', '--all', '--within', '100d')).toContain(at('clients/bob/tls.crt'));
    expect((await run('renew', 'eve')).stderr).toContain('eve is revoked');
    expect((await run('renew', 'nobody')).stderr).toContain('there is no server or client "nobody"');
  });
});

describe('revoke and crl', () => {
  test('a name means all its certificates, a serial means one', async () => {
    await done('init');
    await done(...bob);
    const [first] = findIssued(index(), 'bob');
    await done('renew', 'bob');
    expect(await done('revoke', first!.serial.toUpperCase(), '--reason', 'superseded')).toContain(
      first!.serial,
    );
    expect(verify('sslclient', 'clients/bob/tls.crt').text).toMatch(/: OK\n$/);
    await done('renew', 'bob');
    await done('revoke', 'bob', '--reason', 'keyCompromise');
    expect(verify('sslclient', 'clients/bob/tls.crt').text).toContain('certificate revoked');
    const text = openssl('crl', '-in', at('ca/ca.crl'), '-noout', '-text').text;
    expect(text.match(/Serial Number:/g)).toHaveLength(3);
    expect(text).toMatch(/CRL Number: \n\s+3\n/);
    expect(text).toContain('Key Compromise');
    expect(text).toContain('Superseded');
    expect(text).toContain('Authority Key Identifier');
    expect((await run('revoke', 'bob')).stderr).toContain('revoked or expired already');
    expect((await run('revoke', 'ca')).stderr).toContain('a root cannot be revoked');
    expect((await run('revoke', 'constructor')).stderr).toContain('there is no certificate');
  });

  test('a server and a client of one name must be told apart', async () => {
    await done('init');
    await done('server', 'a.example', '--name', 'x');
    await done('client', 'x', '--cn');
    expect((await run('revoke', 'x')).stderr).toContain('say server/x or client/x');
    await done('revoke', 'client/x');
    expect(verify('sslserver', 'servers/x/tls.crt').text).toMatch(/: OK\n$/);
    expect(verify('sslclient', 'clients/x/tls.crt').text).toContain('revoked');
  });

  test('every CA of the chain has a list, and an offline root keeps its last one', async () => {
    await done('init', '--intermediate');
    const key = read('ca/root.key');
    rmSync(at('ca/root.key'));
    await done(...bob);
    const { code, stderr } = await run('revoke', 'bob');
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('the list of root was kept'),
    });
    expect(read('ca/ca.crl').match(/BEGIN X509 CRL/g)).toHaveLength(2);
    expect(verify('sslclient', 'clients/bob/tls.crt').text).toContain('revoked');
    const before = read('ca/ca.crl');
    expect((await run('revoke', 'intermediate')).stderr).toContain('--root-key');
    expect(read('ca/ca.crl')).toBe(before);
    writeFileSync(join(folder, 'root.key'), key);
    await done('revoke', 'intermediate', '--root-key', join(folder, 'root.key'));
    expect((await run('client', 'eve', '--cn')).stderr).toContain('the intermediate is revoked');
  });
});

describe('show', () => {
  test('tells what there is, as a table and as JSON', async () => {
    await done('init');
    await done(...bob);
    await done('renew', 'bob');
    await done('client', 'eve', '--cn');
    await done('revoke', 'eve', '--reason', 'cessationOfOperation');
    expect(await done('show')).toMatch(
      /^KIND +NAME +STATE.*\nroot +ca +valid.*\nclient +bob +valid.*\nlist +ca +valid .*\n$/,
    );
    const all = JSON.parse(await done('show', '--all', '--json'));
    expect(all.map(({ kind, name, state }: Record<string, string>) => `${kind} ${name} ${state}`)).toEqual([
      'root ca valid',
      'client bob superseded',
      'client bob valid',
      'client eve revoked',
      'list ca valid',
    ]);
    expect(all[3]).toMatchObject({ reason: 'cessationOfOperation', names: ['CN=eve'], daysLeft: 364 });
    expect(JSON.parse(await done('show', at('clients/bob/tls.crt'), '--json'))).toMatchObject([
      { kind: 'leaf', names: ['spiffe://acme.example/bob'], state: 'valid' },
    ]);
  });

  test('exits with 1 where something has expired or is about to', async () => {
    await done('init', '--crl-days', '10');
    await done(...bob, '--days', '13');
    const { code, stderr } = await run('show');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^warning: client bob expires in 1[23] days\nwarning: list ca expires in (9|10) days\n$/,
    );
    expect((await run('show', '--within', '5d')).code).toBe(0);
    await done('revoke', 'bob', '--days', '90');
    expect((await run('show')).code).toBe(0);
    expect((await run('show', 'nobody')).code).toBe(1);
  });
});

describe('an index that is broken', () => {
  test.each([
    '',
    'null',
    '[]',
    '{"version":2}',
    '{"version":1,"crlNumbers":{},"crlDays":null,"issued":{}}',
    '{"version":1,"crlNumbers":{"a":"b"},"crlDays":null,"issued":[]}',
    '{"version":1,"crlNumbers":{},"crlDays":-1,"issued":[]}',
    '{"version":1,"crlNumbers":{},"crlDays":null,"issued":[{"serial":"zz"}]}',
  ])('%s stops every command, and is left alone', async (text) => {
    await done('init');
    writeFileSync(at('ca/index.json'), text);
    for (const argv of [bob, ['crl'], ['revoke', 'bob'], ['show']]) {
      const { code, stderr } = await run(...argv);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('index.json') });
    }
    expect(read('ca/index.json')).toBe(text);
  });
});

describe('PKCS#12', () => {
  test('opens with its password, which is shown once, and serves a handshake', async () => {
    await done('init', '--intermediate');
    await done('server', '127.0.0.1');
    const shown = await done(...bob, '--p12');
    const password = /shown this once: (\S+)\n/.exec(shown)![1]!;
    expect(password).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    const file = at('clients/bob/bob.p12');
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    const info = openssl('pkcs12', '-in', file, '-passin', `pass:${password}`, '-info', '-noout').text;
    expect(info).toContain('MAC: sha256, Iteration 600000');
    expect(info.match(/PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256/g)).toHaveLength(2);
    const opened = openssl('pkcs12', '-in', file, '-passin', `pass:${password}`, '-nodes').text;
    expect(opened.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(openssl('pkcs12', '-in', file, '-passin', 'pass:wrong', '-noout').ok).toBe(false);

    const trusted = { ca: read('ca/ca.crt') };
    const server = createServer({
      ...{ ...trusted, cert: read('server/tls.crt'), key: read('server/tls.key') },
      ...{
        requestCert: true,
        rejectUnauthorized: true,
        crl: read('ca/ca.crl').match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)!,
      },
    });
    try {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
      const client = connect({
        port,
        host: '127.0.0.1',
        ...trusted,
        pfx: readFileSync(file),
        passphrase: password,
      });
      const [socket] = await accepted;
      expect(socket.authorized).toBe(true);
      expect(socket.getPeerX509Certificate()?.subjectAltName).toBe('URI:spiffe://acme.example/bob');
      client.destroy();
      socket.destroy();
    } finally {
      server.close();
    }
  });

  test('takes the password of a file, if it is a good one', async () => {
    await done('init');
    const file = join(folder, 'password');
    const short = join(folder, 'short');
    writeFileSync(file, 'correct horse battery\r\nsecond line\n');
    writeFileSync(short, 'short\n');
    expect((await run(...bob, '--p12', '--password-file', short)).stderr).toContain('fewer than 12');
    expect((await run(...bob, '--p12', '--password-file', join(folder, 'none'))).code).toBe(1);
    expect(existsSync(at('clients'))).toBe(false);
    expect(await done(...bob, '--p12', '--password-file', file)).not.toContain('shown');
    const opened = openssl(
      'pkcs12',
      '-in',
      at('clients/bob/bob.p12'),
      '-passin',
      'pass:correct horse battery',
      '-noout',
    );
    expect(opened.ok).toBe(true);
  });

  test.each(['ec-p384', 'ed25519', 'rsa-3072'] as const)('holds a key of kind %s', async (key) => {
    await done('init', '--key', key);
    await done(...bob, '--key', key);
    const pair = { certPem: read('clients/bob/tls.crt'), keyPem: read('clients/bob/tls.key') };
    const bytes = await encodePkcs12({
      ...pair,
      chainPem: '',
      friendlyName: 'bob',
      password: 'pass',
      iterations: 10,
    });
    writeFileSync(join(folder, 'bob.p12'), bytes);
    const opened = openssl(
      'pkcs12',
      '-in',
      join(folder, 'bob.p12'),
      '-passin',
      'pass:pass',
      '-nodes',
      '-nocerts',
    ).text;
    expect(opened).toContain(pair.keyPem.trim());
  });
});

test('each command below has a help with three examples', async () => {
  for (const [name, { summary }] of generateCertsCommand.subcommands!) {
    const { code, stdout } = await run(name, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: sallyport generate-certs ${name}`);
    const examples = stdout.slice(stdout.indexOf('Examples:')).match(/^ {2}sallyport generate-certs /gm);
    expect([name, examples?.length]).toEqual([name, 3]);
    expect((await run('--help')).stdout).toContain(summary);
  }
});
