/** A whole gateway in this process, with every check switched on. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/document/problems.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';

export interface RichGateway {
  readonly gateway: Gateway;
  readonly folder: string;
  readonly url: string;
  close(): Promise<void>;
}

/** Asks of each call and each result all that a policy can ask. */
export const richPolicy = `
version: 1
roles:
  everything:
    allow:
      - { tools: ["*"], resources: ["**"], prompts: ["*"], methods: ["**"] }
      - { resources: ["**"], actions: [ask] }
    deny:
      - { tools: [text], when: { cel: "args.text.endsWith('not-to-be-said') || args.text.contains('aaaaaaab')" } }
bindings:
  - { roles: [everything], to: [{ any: true }] }
arguments:
  - { match: { tools: [free, contains] }, unknown: allow }
  - { match: { tools: [query] }, args: { sql: { sql: { dialect: postgresql, tables: [orders] } } } }
  - { match: { tools: [text] }, args: { text: { text: { ban: [bidi], normalization: nfc }, strip: [control, invisible], normalize: [trim] } } }
  - match: { tools: [contains] }
    args: { haystack: { text: {} }, needle: { text: {} } }
    relations:
      - that: "args.haystack.contains(args.needle) || (has(args.list) && args.list.exists(x, x.endsWith(args.needle)))"
        id: contains
        message: the needle is in the haystack
  - { match: { tools: [json] }, args: { json: { json: {} } } }
  - { match: { tools: [fetch] }, args: { url: { url: {} } } }
  - { match: { tools: [read] }, args: { path: { path: { within: /workspace, base: /workspace } } } }
  - { match: { tools: [run] }, args: { command: { command: { allow: [{ words: [ls], clusters: true, options: { -l: flag } }] } } } }
  - { match: { tools: [secret] }, args: { secret: { secret: { maxLength: 10000000 } } } }
  - { match: { tools: [stripped] }, args: { text: { text: { ban: [bidi] }, strip: [control, bidi, invisible, ansi] } } }
  - { match: { tools: [composed] }, args: { text: { text: {}, normalize: [nfc] } } }
  - { match: { tools: [spelt] }, args: { path: { normalize: [path] } } }
  - match: { tools: [lists] }
    args:
      "paths[*]": { path: { within: /workspace, base: /workspace } }
      "queries[*]": { sql: { dialect: sqlite, tables: [orders] } }
  - { match: { tools: [upload] }, args: { data: { base64: { maxBytes: 4MiB } } } }
results:
  - id: everything
    match: {}
    redact: [secrets, keys, cards, ibans, emails, phones, nationalNumbers]
    strip: [control, ansi, bidi, tags, invisible]
    escapeHtml: true
    label: true
flows:
  - { per: principal, hold: 10m }
tools:
  - { match: { tools: [send_mail] }, egress: true }
  - { match: { tools: [free] }, untrusted: true }
`;

const anything = '{"type":"object","additionalProperties":{}}';
const typed = JSON.stringify({
  type: 'object',
  properties: {
    code: { type: 'string', pattern: '^(?:[a-z][0-9])+$', maxLength: 100_000_000 },
    set: { type: 'array', uniqueItems: true },
    items: {
      type: 'array',
      items: {
        oneOf: [
          { type: 'object', properties: { kind: { const: 'a' } }, required: ['kind'] },
          { type: 'object', properties: { kind: { pattern: '^k[0-9]+$' }, value: { type: 'array' } } },
        ],
        unevaluatedProperties: false,
      },
    },
  },
});

/** Result of `tools/list` of the server behind it. */
export const toolsOfServer: string = `{"resultType":"complete","ttlMs":600000,"tools":[${[
  ...[
    'query',
    'text',
    'contains',
    'json',
    'fetch',
    'read',
    'run',
    'secret',
    'upload',
    'free',
    'send_mail',
    'stripped',
    'composed',
    'spelt',
    'lists',
  ].map((name) => `{"name":"${name}","inputSchema":${anything}}`),
  `{"name":"typed","inputSchema":${typed},"outputSchema":${typed}}`,
].join(',')}]}`;

export async function startRichGateway(upstream: string): Promise<RichGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-stalls-'));
  await mkdir(join(folder, 'policies'));
  await writeFile(join(folder, 'policies/policy.yaml'), richPolicy);
  await writeFile(join(folder, 'revoked.yaml'), 'version: 1\n');
  const file = join(folder, 'sallyport.yaml');
  const config = {
    version: 1,
    listeners: [{ bind: '127.0.0.1:0' }],
    insecure: { anonymous: 'tester' },
    upstreams: [{ name: 'server', path: '/mcp', http: { url: upstream } }],
    policies: 'policies/',
    revocations: { file: 'revoked.yaml' },
    audit: { file: 'audit.jsonl' },
    admin: { bind: '127.0.0.1:0' },
    log: { level: 'silent' },
    redaction: { phoneRegion: 'DE' },
  };
  await writeFile(file, JSON.stringify(config));
  const loaded = await loadConfig(file, {}, []);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  const started = await startGateway(loaded.config);
  if (!started.ok) throw new Error(started.problems.join('\n'));
  const { gateway } = started;
  return {
    gateway,
    folder,
    url: `${gateway.listeners[0]!.url}/mcp`,
    async close() {
      await gateway.drain();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
