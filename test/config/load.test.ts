import { unlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/document/problems.ts';
import { type ConfigFolder, createConfigFolder, wellFormed } from './folder.ts';

let folder: ConfigFolder;

beforeEach(async () => {
  folder = await createConfigFolder();
});
afterEach(() => folder.remove());

type Environment = Record<string, string | undefined>;

async function load(text?: string, environment: Environment = {}, flags: readonly string[] = []) {
  if (text !== undefined) await folder.write('sallyport.yaml', text);
  return loadConfig(folder.file, environment, flags);
}

async function loaded(text?: string, environment: Environment = {}, flags: readonly string[] = []) {
  const result = await load(text, environment, flags);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

/** Problems as an operator reads them, without the folder. */
async function problems(text?: string, environment: Environment = {}, flags: readonly string[] = []) {
  const result = await load(text, environment, flags);
  if (result.ok) throw new Error('it loaded');
  return result.problems.map((problem) => formatProblem(problem).replaceAll(`${folder.path}/`, ''));
}

const swap = (from: string, to: string) => {
  if (!wellFormed.includes(from)) throw new Error(`no such text: ${from}`);
  return wellFormed.replace(from, to);
};

describe('a well-formed file', () => {
  test('gives defaults, sizes in bytes, times in milliseconds', async () => {
    const config = await loaded();
    expect(config.admin.bind).toBe('127.0.0.1:9090');
    expect(config.audit).toMatchObject({
      level: 'metadata',
      onFailure: 'deny',
      sync: 'none',
      maxRecordBytes: 65_536,
    });
    expect(config.drain).toEqual({ delay: 0, deadline: 20_000 });
    expect(config.limits.request.maxDepth).toBe(64);
    expect(config.limits.frames.framesPerExchange).toBe(10_000);
    expect(config.session.maxAge).toBe(86_400_000);
    expect(config.log.level).toBe('info');
    expect(config.warnings).toEqual([]);
  });

  test('gives absolute paths, beside the file and not beside the process', async () => {
    const config = await loadConfig(relative(process.cwd(), folder.file), {});
    if (!config.ok) throw new Error(config.problems.map(formatProblem).join('\n'));
    expect(config.config).toMatchObject({
      file: folder.file,
      folder: folder.path,
      policies: join(folder.path, 'policies'),
      audit: { file: join(folder.path, 'audit/sallyport.jsonl') },
      listeners: [
        {
          tls: {
            certificate: join(folder.path, 'certs/tls.crt'),
            key: join(folder.path, 'certs/tls.key'),
            clients: { ca: [join(folder.path, 'certs/ca.crt')], crl: [join(folder.path, 'certs/ca.crl')] },
          },
        },
      ],
      identity: [{}, { apiKeys: { file: join(folder.path, 'secrets/api-keys.yaml') } }],
      upstreams: [{ http: { credential: { file: join(folder.path, 'secrets/upstream') } } }],
    });
  });

  test('is frozen all the way down', async () => {
    const config = await loaded();
    expect(() => Object.assign(config.upstreams[0]?.http.timeouts ?? {}, { total: 1 })).toThrow(TypeError);
    expect(() => (config.listeners as unknown[]).push({})).toThrow(TypeError);
  });
});

describe('problems', () => {
  test('come all at once, with file, line, column, and a guess at what was meant', async () => {
    const text = swap('policies: policies/', 'polices: policies/')
      .replace('version: 1', 'version: 2')
      .replace('file: audit/sallyport.jsonl', 'file: audit/sallyport.jsonl, onFailure: ignore')
      .replace('bind: 0.0.0.0:8443', 'bind: everywhere');
    const found = await problems(text);
    expect(found).toHaveLength(4);
    expect(found[0]).toMatch(/^sallyport\.yaml:1:10: version: /);
    expect(found[1]).toMatch(/^sallyport\.yaml:3:11: listeners\[0\]\.bind: expected host:port/);
    expect(found[2]).toMatch(/^sallyport\.yaml:18:1: polices: .*did you mean "policies"\?/);
    expect(found[3]).toMatch(/^sallyport\.yaml:19:\d+: audit\.onFailure: .*"deny".*"drop"/);
  });

  test('name a file that is missing', async () => {
    await unlink(join(folder.path, 'certs/ca.crl'));
    await unlink(join(folder.path, 'secrets/upstream'));
    expect(await problems()).toEqual([
      'sallyport.yaml:7:42: listeners[0].tls.clients.crl[0]: certs/ca.crl cannot be read (ENOENT)',
      expect.stringMatching(
        /upstreams\[0\]\.http\.credential\.file: secrets\/upstream cannot be read \(ENOENT\)$/,
      ),
    ]);
  });

  test('tell that the gateway file itself is missing', async () => {
    const result = await loadConfig(join(folder.path, 'nope.yaml'), {});
    expect(result).toMatchObject({ ok: false, problems: [{ message: 'the file cannot be read (ENOENT)' }] });
  });

  const wrong: readonly [what: string, text: string, problem: RegExp][] = [
    [
      'plain HTTP on the network',
      wellFormed.replace(/ {4}tls:[\s\S]*crl: [^\n]*\n/, '').replace(/ {2}- certificate: [^\n]*\n/, ''),
      /listeners\[0\]\.bind: without tls only loopback/,
    ],
    ['no host names on the network', swap('    hosts: [localhost]\n', ''), /listeners\[0\].*host names/],
    [
      'no identity',
      wellFormed.replace(/identity:[\s\S]*?upstreams:/, 'identity: []\nupstreams:'),
      /identity: nobody could be authenticated/,
    ],
    [
      'certificates that no listener asks for',
      swap('crl: [certs/ca.crl] }', 'crl: [certs/ca.crl], mode: none }'),
      /identity\[0\]\.certificate: no listener asks/,
    ],
    [
      'a requirement that cannot be met',
      `${wellFormed}require: [[certificate, token]]\n`,
      /require\[0\]\[1\]: identity has no token entry/,
    ],
    [
      'an upstream path without slash',
      swap('/warehouse/mcp', 'warehouse/mcp'),
      /upstreams\[0\]\.path: must begin with \//,
    ],
    ['a path with dots', swap('/warehouse/mcp', '/a/../mcp'), /upstreams\[0\]\.path: no \. or \.\. segments/],
    ['a path with escapes', swap('/warehouse/mcp', '/a%2fmcp'), /upstreams\[0\]\.path: plain segments only/],
    [
      'a path with an empty segment',
      swap('/warehouse/mcp', '//mcp'),
      /upstreams\[0\]\.path: plain segments only/,
    ],
    [
      'a folder without policies',
      swap('policies/', 'certs/'),
      /policies: the folder certs holds no policy file/,
    ],
    [
      'a file as policies folder',
      swap('policies: policies/', 'policies: certs/tls.crt'),
      /policies: .*is not a folder/,
    ],
    ['a folder as certificate', swap('certs/tls.crt', 'certs'), /certificate: certs is a folder/],
    ['a folder as audit file', swap('audit/sallyport.jsonl', 'certs'), /audit\.file: certs is a folder/],
    [
      'a short audit record',
      swap('file: audit/', 'maxRecordBytes: 1KiB, file: audit/'),
      /audit\.maxRecordBytes: .*at least 16384/,
    ],
    ['a time without unit', `${wellFormed}drain: { deadline: 20 }\n`, /drain\.deadline: .*time span/],
    [
      'admin on the address of a listener',
      `${wellFormed}admin: { bind: "0.0.0.0:8443" }\n`,
      /admin\.bind: another listener/,
    ],
    ['a key given twice', `${wellFormed}version: 1\n`, /given twice/],
    [
      'a variable that is not set',
      swap('policies/', `'\${NO_SUCH}'`),
      /the environment variable NO_SUCH is not set/,
    ],
  ];
  test.each(wrong)('refuse %s', async (_what, text, problem) => {
    expect((await problems(text)).join('\n')).toMatch(problem);
  });

  test('refuse two upstreams that share a name or a path, in any case of letters', async () => {
    const other = (name: string, path: string) =>
      swap(
        'policies:',
        `  - { name: ${name}, path: ${path}, http: { url: "http://127.0.0.1:1/" } }\npolicies:`,
      );
    expect(await problems(other('warehouse', '/other'))).toEqual([
      expect.stringContaining('upstreams[1].name'),
    ]);
    expect(await problems(other('other', '/Warehouse/MCP'))).toEqual([
      expect.stringContaining('upstreams[1].path'),
    ]);
    await loaded(other('other', '/other'));
  });
});

describe('what weakens the gateway warns', () => {
  test.each([
    [`${wellFormed}insecure: { anonymous: guest }\n`, /insecure\.anonymous: .*"guest"/],
    [`${wellFormed}insecure: { plaintext: true }\n`, /insecure\.plaintext/],
    [`${wellFormed}admin: { bind: "0.0.0.0:9090" }\n`, /admin\.bind/],
    [swap('file: audit/', 'onFailure: drop, file: audit/'), /audit\.onFailure: drop/],
    [
      swap('http://127.0.0.1:3001', 'http://mcp.internal:3001'),
      /credential for "warehouse" travels over plain HTTP/,
    ],
  ])('%#', async (text, warning) => {
    expect((await loaded(text)).warnings).toEqual([expect.stringMatching(warning)]);
  });

  test('a secret file that others can read', async () => {
    for (const name of ['certs/tls.key', 'secrets/api-keys.yaml', 'secrets/upstream']) {
      await folder.write(name, 'x', 0o640);
    }
    const { warnings } = await loaded();
    expect(warnings).toHaveLength(3);
    for (const warning of warnings) expect(warning).toMatch(/open to others than its owner \(mode 0640\)$/);
  });

  test('plain HTTP is fine on loopback', async () => {
    const text = wellFormed
      .replace(/ {4}tls:[\s\S]*crl: [^\n]*\n/, '')
      .replace(/ {2}- certificate: [^\n]*\n/, '')
      .replace('0.0.0.0:8443', '127.0.0.1:8443');
    expect((await loaded(text)).warnings).toEqual([]);
  });
});

describe('precedence', () => {
  test('default < file < environment < flag', async () => {
    expect((await loaded()).drain.deadline).toBe(20_000);
    const text = `${wellFormed}drain: { deadline: 30s }\n`;
    expect((await loaded(text)).drain.deadline).toBe(30_000);
    const environment = { SALLYPORT_DRAIN__DEADLINE: '40s' };
    expect((await loaded(text, environment)).drain.deadline).toBe(40_000);
    expect((await loaded(text, environment, ['drain.deadline=50s'])).drain.deadline).toBe(50_000);
    expect((await loaded(text, {}, ['drain.deadline=50s', 'drain.deadline=60s'])).drain.deadline).toBe(
      60_000,
    );
  });

  test.each([
    ['SALLYPORT_LISTENERS__0__BIND', '127.0.0.1:1', (c: Loaded) => c.listeners[0]?.bind, '127.0.0.1:1'],
    ['SALLYPORT_AUDIT__ON_FAILURE', 'drop', (c: Loaded) => c.audit.onFailure, 'drop'],
    ['SALLYPORT_AUDIT__ONFAILURE', 'drop', (c: Loaded) => c.audit.onFailure, 'drop'],
    [
      'SALLYPORT_LISTENERS__0__LIMITS__CONNECTIONS_PER_ADDRESS',
      '7',
      (c: Loaded) => c.listeners[0]?.limits.connectionsPerAddress,
      7,
    ],
    ['SALLYPORT_LISTENERS__0__HOSTS', '["a.example"]', (c: Loaded) => c.listeners[0]?.hosts, ['a.example']],
    [
      'SALLYPORT_LISTENERS__0__HOSTS__1',
      'b.example',
      (c: Loaded) => c.listeners[0]?.hosts,
      ['localhost', 'b.example'],
    ],
    [
      'SALLYPORT_UPSTREAMS__0__HTTP__TIMEOUTS__TOTAL',
      '5s',
      (c: Loaded) => c.upstreams[0]?.http.timeouts.total,
      5000,
    ],
    ['SALLYPORT_RELOAD__WATCH', 'false', (c: Loaded) => c.reload.watch, false],
    ['SALLYPORT_LOG', '{"level":"debug"}', (c: Loaded) => c.log.level, 'debug'],
    [
      'SALLYPORT_UPSTREAMS__0__HTTP__SERVER_NAME',
      undefined,
      (c: Loaded) => c.upstreams[0]?.http.serverName,
      undefined,
    ],
  ])('%s = %s', async (name, value, read, expected) => {
    expect(read(await loaded(undefined, { [name]: value }))).toEqual(expected);
  });

  test('relative paths from the environment start at the folder of the file too', async () => {
    const config = await loaded(undefined, { SALLYPORT_AUDIT__FILE: 'elsewhere.jsonl' });
    expect(config.audit.file).toBe(join(folder.path, 'elsewhere.jsonl'));
  });

  test('a wrong override is a problem that names it, and does not repeat its value', async () => {
    const found = await problems(undefined, { SALLYPORT_ADMIN__BIND: 'my-secret' }, ['log.level=my-secret']);
    expect(found).toHaveLength(2);
    expect(found.join('\n')).toContain('(set by SALLYPORT_ADMIN__BIND)');
    expect(found.join('\n')).toContain('(set by --set log.level)');
    expect(found.join('\n')).not.toContain('my-secret');
  });

  test.each([
    [
      'a key that does not exist',
      { SALLYPORT_ADMIN__BINT: 'x' },
      [],
      /did you mean "bind"\?.*SALLYPORT_ADMIN__BINT/,
    ],
    ['a section that does not exist', { SALLYPORT_ADMIM__BIND: 'x' }, [], /did you mean "admin"\?/],
    [
      'a hole in a list',
      { SALLYPORT_LISTENERS__5__BIND: 'x' },
      [],
      /SALLYPORT_LISTENERS__5__BIND.*no such place/,
    ],
    ['a prototype', {}, ['__proto__.polluted=1'], /not a path of configuration keys/],
    ['a constructor', {}, ['constructor.prototype.polluted=1'], /not a path of configuration keys/],
    [
      'a prototype inside JSON',
      {},
      ['log={"__proto__":{"level":"debug"},"levle":1}'],
      /did you mean "level"\?/,
    ],
    ['a flag without value', {}, ['log.level'], /write PATH=VALUE/],
    ['an empty path', {}, ['=x'], /not a path/],
    ['an empty step', { SALLYPORT_ADMIN____BIND: 'x' }, [], /not a path/],
  ])('%s is refused', async (_what, environment, flags, problem) => {
    expect((await problems(undefined, environment, flags)).join('\n')).toMatch(problem);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test.each([
    'SALLYPORT_CONFIG',
    'SALLYPORT_VERSION',
    'SALLYPORT_SERVICE_HOST',
    'SALLYPORT_SERVICE_PORT_HTTPS',
    'SALLYPORT_PORT',
    'SALLYPORT_PORT_8443_TCP_ADDR',
    'SALLYPORT_ADMIN_SERVICE_HOST',
    'SALLYPORT_ADMIN_PORT_9090_TCP',
    'OTHER__THING',
  ])('%s is not ours: Kubernetes, commands or images set it', async (name) => {
    await loaded(undefined, { [name]: 'tcp://10.0.0.1:8443' });
  });
});

describe('a reference to the environment', () => {
  test('is filled in values, and its value cannot add structure', async () => {
    const text = swap(
      'credential: { file: secrets/upstream, scheme: Bearer }',
      `credential: { value: "\${UP}" }`,
    );
    const config = await loaded(text, { UP: 'Bearer abc # not a comment' });
    expect(config.upstreams[0]?.http.credential?.value).toBe('Bearer abc # not a comment');
  });

  test('may name a variable that begins like ours: it is no override then', async () => {
    const text = swap(
      'credential: { file: secrets/upstream, scheme: Bearer }',
      `credential: { value: "\${SALLYPORT_UPSTREAM_TOKEN}" }`,
    );
    const config = await loaded(text, { SALLYPORT_UPSTREAM_TOKEN: 'abc' });
    expect(config.upstreams[0]?.http.credential?.value).toBe('abc');
    expect(await problems(wellFormed, { SALLYPORT_UPSTREAM_TOKEN: 'abc' })).toEqual([
      expect.stringContaining('set by SALLYPORT_UPSTREAM_TOKEN'),
    ]);
  });
});

type Loaded = Awaited<ReturnType<typeof loaded>>;
