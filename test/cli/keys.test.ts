import {
  existsSync,
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
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseApiKeyFile } from '../../src/identity/api-key-file.ts';
import { hashApiKey } from '../../src/identity/api-key-format.ts';
import { parseRevocations } from '../../src/identity/revocation-list.ts';
import { run } from './run-command.ts';

const dayMs = 86_400_000;
const noGatewayFile = { SALLYPORT_CONFIG: '/nowhere/sallyport.yaml' };

describe('keys', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-keys-'));
    file = join(folder, 'keys.yaml');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const keys = (...args: string[]) => run(['keys', ...args, '--file', file], noGatewayFile);
  const read = () => readFileSync(file, 'utf8');
  const entries = () => {
    const parsed = parseApiKeyFile({ file, text: read() });
    if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join());
    return parsed.value.keys;
  };
  const create = async (...args: string[]) => {
    const { code, stdout, stderr } = await keys('create', ...args);
    expect(code, stderr).toBe(0);
    return stdout.trim();
  };

  describe('create', () => {
    it('shows the key once, alone on standard output, and keeps only its hash', async () => {
      const { code, stdout, stderr } = await keys(
        'create',
        'report',
        '--expires',
        '90d',
        '--role',
        'b',
        '--role',
        'a',
      );
      expect(code).toBe(0);
      expect(stdout).toMatch(/^spk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}\n$/);
      const key = stdout.trim();
      expect(stderr).not.toContain(key);
      expect(read()).not.toContain(key.slice(13));
      const [entry] = entries();
      expect(entry).toMatchObject({
        name: 'report',
        prefix: key.slice(4, 12),
        hash: hashApiKey(key),
        roles: ['b', 'a'],
      });
      expect(Date.parse(entry!.expiresAt!) - Date.parse(entry!.createdAt!)).toBe(90 * dayMs);
      expect(Math.abs(Date.now() - Date.parse(entry!.createdAt!))).toBeLessThan(60_000);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readdirSync(folder)).toEqual(['keys.yaml']);
    });

    it('gives JSON for programs', async () => {
      const { stdout } = await keys('create', 'report', '--json', '--expires', '2999-01-31T00:00:00Z');
      const { key, ...rest } = JSON.parse(stdout) as Record<string, string>;
      const [entry] = entries();
      expect(hashApiKey(key!)).toBe(entry!.hash);
      expect(rest).toEqual({
        name: 'report',
        prefix: entry!.prefix,
        createdAt: entry!.createdAt,
        expiresAt: '2999-01-31T00:00:00.000Z',
        file,
      });
    });

    it('does not make a second key for a name, unless the first has expired', async () => {
      await create('report');
      const before = read();
      expect(await keys('create', 'report')).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('rotate'),
      });
      expect(read()).toBe(before);
      writeFileSync(file, read().replace(/createdAt: .*/, '$&\n    expiresAt: 2020-01-01T00:00:00Z'));
      await create('report');
      expect(entries()).toHaveLength(2);
    });

    it('leaves comments, order and the keys of others as they are', async () => {
      const first = `# Keys of the night shift. Ask ops.
keys:
  # cron on host seven
  - name: report
    prefix: abcd1234 # found in the wiki once
    hash: "sha256:${'a'.repeat(64)}"

  # nobody knows
  - { name: "old", prefix: "00000000", hash: 'sha256:${'b'.repeat(64)}' }
`;
      writeFileSync(file, first);
      await create('new');
      expect(read().startsWith(first.trimEnd())).toBe(true);
      expect(entries().map(({ name }) => name)).toEqual(['report', 'old', 'new']);
      expect((await keys('revoke', 'new')).code).toBe(0);
      expect(read()).toBe(first);
    });

    it.each(['{"keys":[]}', '{ "keys": [\n] }\n'])('keeps %j JSON', async (text) => {
      writeFileSync(file, text);
      await create('a', '--role', 'r');
      await create('b');
      expect((JSON.parse(read()) as { keys: { name: string }[] }).keys.map(({ name }) => name)).toEqual([
        'a',
        'b',
      ]);
    });

    it.each(['keys: []\n', '# none yet\nkeys: []\n', 'keys: [] # none\n'])(
      'writes lines into %j',
      async (text) => {
        writeFileSync(file, text);
        await create('a');
        expect(read()).toMatch(/^ {2}- name: a$/m);
      },
    );

    it('keeps who may read the file, takes what others may, and follows a link', async () => {
      for (const [before, after] of [
        [0o400, 0o400],
        [0o640, 0o640],
        [0o644, 0o640],
        [0o666, 0o640],
      ] as const) {
        writeFileSync(file, 'keys: []\n');
        (await import('node:fs')).chmodSync(file, before);
        const link = join(folder, 'link.yaml');
        if (!existsSync(link)) symlinkSync(file, link);
        expect((await run(['keys', 'create', 'a', '--file', link], noGatewayFile)).code).toBe(0);
        expect(statSync(file).mode & 0o777).toBe(after);
        expect(entries()).toHaveLength(1);
        rmSync(file);
      }
    });
  });

  describe('a file that is wrong, or held by another', () => {
    it.each([
      ['no YAML', 'keys: ['],
      ['an unknown member', 'keys: []\nmore: 1\n'],
      [
        'two keys with one prefix',
        `keys:\n${`  - { name: a, prefix: abcd1234, hash: "sha256:${'a'.repeat(64)}" }\n`.repeat(2)}`,
      ],
      [
        'an anchor that is used elsewhere',
        `keys:\n  - &first { name: a, prefix: abcd1234, hash: &h "sha256:${'a'.repeat(64)}" }\n  - { name: b, prefix: abcd1235, hash: *h }\n`,
      ],
    ])('is not written: %s', async (_, text) => {
      writeFileSync(file, text);
      const { code, stdout, stderr } = await keys('revoke', 'a');
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toContain('keys.yaml');
      expect(stderr).toContain('nothing was written');
      expect(read()).toBe(text);
      expect(readdirSync(folder)).toEqual(['keys.yaml']);
    });

    it.each(['spk_abcdefgh', 'SPK_x', `spk_abcdefgh_${'A'.repeat(43)}`])(
      'takes no name that could be a key or its prefix: %s',
      async (name) => {
        const { code, stdout, stderr } = await keys('create', name);
        expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
        expect(stderr).not.toContain(name);
        expect(existsSync(file)).toBe(false);
      },
    );

    it('has one lock for a file and the links to it', async () => {
      writeFileSync(file, 'keys: []\n');
      const link = join(folder, 'link.yaml');
      symlinkSync(file, link);
      writeFileSync(`${file}.lock`, '1');
      const { code, stderr } = await run(['keys', 'create', 'x', '--file', link], noGatewayFile);
      expect(code).toBe(3);
      expect(stderr).toContain(`${file}.lock`);
    });

    it('lets no two commands lose one another’s keys', async () => {
      const names = Array.from({ length: 12 }, (_, index) => `key-${index}`);
      const made = await Promise.all(names.map((name) => keys('create', name)));
      expect(made.map(({ code }) => code)).toEqual(names.map(() => 0));
      expect(
        entries()
          .map(({ name }) => name)
          .sort(),
      ).toEqual([...names].sort());
    });

    it('stays locked while somebody else holds it, and says who', async () => {
      writeFileSync(`${file}.lock`, '4711');
      const { code, stdout, stderr } = await keys('create', 'a');
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toContain('keys.yaml.lock: held by process 4711');
      expect(existsSync(file)).toBe(false);
    }, 15_000);
  });

  describe('list', () => {
    it('shows names, prefixes, ages, expiries and roles, no hash, and warns of what has expired', async () => {
      const ago = (days: number) => new Date(Date.now() - days * dayMs - 1000).toISOString();
      const hash = `sha256:${'a'.repeat(64)}`;
      const old = { name: 'old', prefix: 'aaaaaaaa', hash, createdAt: ago(40), expiresAt: ago(10) };
      const good = {
        name: 'good',
        prefix: 'bbbbbbbb',
        hash,
        createdAt: ago(0),
        expiresAt: ago(-30),
        roles: ['r', 's'],
      };
      writeFileSync(file, JSON.stringify({ keys: [old, good, { name: 'plain', prefix: 'cccccccc', hash }] }));
      const { code, stdout, stderr } = await keys('list');
      expect(code).toBe(0);
      expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
        ['NAME', 'PREFIX', 'AGE', 'EXPIRES', 'ROLES'],
        ['old', 'spk_aaaaaaaa', '40d', 'expired', '-'],
        ['good', 'spk_bbbbbbbb', '0m', 'in 29d', 'r, s'],
        ['plain', 'spk_cccccccc', '-', 'never', '-'],
        [''],
      ]);
      expect(stderr).toBe('warning: old spk_aaaaaaaa has expired: `sallyport keys revoke spk_aaaaaaaa`\n');
      const json = await keys('list', '--json');
      expect(json.stdout).not.toContain('sha256');
      expect(
        json.stdout
          .trim()
          .split('\n')
          .map((line) => (JSON.parse(line) as { expired: boolean }).expired),
      ).toEqual([true, false, false]);
    });
  });

  describe('rotate', () => {
    it('makes a new key with the same roles and as long a life, and lets the old one go on for the grace', async () => {
      const old = await create('report', '--role', 'r', '--expires', '30d');
      const fresh = (await keys('rotate', 'report', '--grace', '2h')).stdout.trim();
      const [first, second] = entries();
      expect(first!.hash).toBe(hashApiKey(old));
      expect(second!.hash).toBe(hashApiKey(fresh));
      expect(second!.roles).toEqual(['r']);
      expect(Date.parse(second!.expiresAt!) - Date.parse(second!.createdAt!)).toBe(30 * dayMs);
      expect(Date.parse(first!.expiresAt!) - Date.parse(second!.createdAt!)).toBe(2 * 3_600_000);
    });

    it('lengthens no life: what ends sooner than the grace ends when it would have', async () => {
      await create('report', '--expires', '1h');
      const before = entries()[0]!.expiresAt;
      await keys('rotate', 'report');
      expect(entries()[0]!.expiresAt).toBe(before);
      await keys('rotate', 'report', '--grace', '0');
      expect(entries().map(({ expiresAt }) => Date.parse(expiresAt!) <= Date.now())).toEqual([
        true,
        true,
        false,
      ]);
    });

    const old = (more: string) =>
      writeFileSync(
        file,
        `keys:\n  - name: report\n    prefix: aaaaaaaa\n    hash: sha256:${'0'.repeat(64)}\n${more}`,
      );

    it.each([
      ['has expired, and nobody knows when it was made', "    expiresAt: '2020-01-01T00:00:00Z'\n"],
      [
        'expired before it was made',
        "    createdAt: '2021-01-01T00:00:00Z'\n    expiresAt: '2020-01-01T00:00:00Z'\n",
      ],
      [
        'lives longer than there are years',
        "    createdAt: '0001-01-01T00:00:00Z'\n    expiresAt: '9999-12-31T00:00:00Z'\n",
      ],
    ])('shows no key that would not work, where the old one %s', async (_what, more) => {
      old(more);
      const before = read();
      const { code, stdout, stderr } = await keys('rotate', 'report');
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('--expires');
      expect(read()).toBe(before);
      expect((await keys('rotate', 'report', '--expires', '1d')).code).toBe(0);
    });

    it('rotates only what is there', async () => {
      expect(await keys('rotate', 'nobody')).toMatchObject({ code: 1, stderr: 'no key is named nobody\n' });
      expect(existsSync(file)).toBe(false);
    });
  });

  describe('revoke', () => {
    it('takes out every key of a name, or the one of a prefix in each of its forms', async () => {
      await create('a');
      await keys('rotate', 'a');
      await create('b');
      expect(await keys('revoke', 'a')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^revoked: a spk_.{8}\nrevoked: a spk_.{8}\n$/),
      });
      expect(entries().map(({ name }) => name)).toEqual(['b']);
      for (const form of [
        (key: string) => key,
        (key: string) => key.slice(0, 12),
        (key: string) => key.slice(4, 12),
      ]) {
        const key = await create('c');
        const { code, stdout } = await keys('revoke', form(key));
        expect({ code, stdout }).toEqual({ code: 0, stdout: `revoked: c ${key.slice(0, 12)}\n` });
      }
      expect(entries().map(({ name }) => name)).toEqual(['b']);
    });

    it('does not guess between a name and a prefix', async () => {
      const prefix = (await create('a')).slice(4, 12);
      await create(prefix);
      expect(await keys('revoke', prefix)).toMatchObject({ code: 2, stdout: '' });
      expect((await keys('revoke', `spk_${prefix}`)).stdout).toBe(`revoked: a spk_${prefix}\n`);
      expect(await keys('revoke', prefix)).toMatchObject({ code: 0 });
    });

    it('with --deny-file writes the deny list as well, once, and keeps its comments', async () => {
      const denied = join(folder, 'revoked.yaml');
      writeFileSync(denied, '# why: see wiki\ncertificates:\n  - serial: "0A" # laptop\n');
      const key = await create('a');
      const revoke = ['revoke', key.slice(0, 12), '--deny-file', denied, '--reason', 'in a log: "x"'];
      expect((await keys(...revoke)).code).toBe(0);
      expect((await keys(...revoke)).code).toBe(0);
      const text = readFileSync(denied, 'utf8');
      expect(text).toContain('# why: see wiki');
      expect(text).toContain('"0A" # laptop');
      const parsed = parseRevocations({ file: denied, text }, []);
      expect(parsed.ok && parsed.list.counts).toEqual({
        tokens: 0,
        subjects: 0,
        apiKeys: 1,
        certificates: 1,
      });
      expect(entries()).toEqual([]);
    });

    it('says so where the deny list was written and the key file could not be', async () => {
      const hash = `sha256:${'0'.repeat(64)}`;
      writeFileSync(
        file,
        `keys:\n  - &one { name: a, prefix: aaaaaaaa, hash: &h "${hash}" }\n  - { name: b, prefix: bbbbbbbb, hash: *h }\n`,
      );
      const before = read();
      const deny = join(folder, 'revoked.yaml');
      const { code, stderr } = await keys('revoke', 'a', '--deny-file', deny);
      expect(code).toBe(3);
      expect(stderr).toContain(`only ${deny} was written`);
      expect(stderr).not.toContain('nothing was written');
      expect(readFileSync(deny, 'utf8')).toContain('aaaaaaaa');
      expect(read()).toBe(before);
    });

    it('writes neither file where the deny list is wrong', async () => {
      const denied = join(folder, 'revoked.yaml');
      writeFileSync(denied, 'certificates: [{ serial: 12 }]\n');
      await create('a');
      const before = read();
      expect(await keys('revoke', 'a', '--deny-file', denied)).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/revoked\.yaml:1:/),
      });
      expect(read()).toBe(before);
    });
  });

  it.each([
    [[], /Say what to do/],
    [['destroy', 'a'], /Say what to do/],
    [['constructor'], /Say what to do/],
    [['create'], /Give a name/],
    [['create', 'a b'], /Give a name/],
    [['create', '../a'], /Give a name/],
    [['create', 'a', 'b'], /One name at a time/],
    [['list', 'a'], /list takes no name/],
    [['create', 'a', '--expires', 'soon'], /--expires: expected a time span/],
    [['create', 'a', '--expires', '2030-01-01'], /--expires: expected a time span/],
    [['create', 'a', '--expires', '2030-13-01T00:00:00Z'], /--expires: there is no such time/],
    [['create', 'a', '--expires', '2031-02-29T00:00:00Z'], /--expires: there is no such time/],
    [['create', 'a', '--expires', '2020-01-01T00:00:00Z'], /--expires: is in the past/],
    [['create', 'a', '--expires', '0'], /--expires/],
    [['create', 'a', '--expires', '9999d'], /--expires/],
    [['create', 'a', '--role', 'x y'], /--role/],
    [['rotate', 'a', '--grace', '1y'], /--grace/],
    [['list', '--role', 'r'], /--role does not go with list/],
    [['create', 'a', '--deny'], /--deny does not go with create/],
    [['revoke', 'a', '--reason', 'x'], /--reason goes with --deny/],
  ])('%j is a wrong command line, and writes nothing', async (args, message) => {
    expect(await keys(...args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says so where no file is named and none is configured', async () => {
    expect(await run(['keys', 'list'], noGatewayFile)).toMatchObject({ code: 3, stdout: '' });
    const gone = await run(['keys', 'create', 'a', '--file', join(folder, 'no', 'keys.yaml')], noGatewayFile);
    expect(gone).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('ENOENT') });
  });
});
