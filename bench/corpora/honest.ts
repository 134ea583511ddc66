// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are texts, not templates.
import type { Random } from './random.ts';
import {
  code,
  columns,
  commands,
  documents,
  extensions,
  folders,
  hosts,
  nouns,
  people,
  projects,
  queries,
  sentences,
  stems,
  tables,
  topics,
  verbs,
} from './words.ts';

export interface HonestCall {
  readonly source: string;
  readonly class: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Roles that a careful operator would declare. */
  readonly roles?: Readonly<Record<string, string>>;
}

type Make = (random: Random) => Omit<HonestCall, 'source'>;

/** Fills `{slot}`s; other braces stay. */
function fill(template: string, random: Random): string {
  const n = random.int(1, 40);
  const n2 = random.int(2, 99);
  const slots: Record<string, () => string | number> = {
    n: () => n,
    n2: () => n2,
    n3: () => random.int(100, 99_999),
    d: () => random.int(1, 9),
    product: () => n * n2,
    hex: () => random.hex(8),
    port: () => random.pick([3000, 5173, 8000, 8080, 9229]),
    hour: () => random.int(8, 18),
    day: () => random.pick(['Monday', 'Dienstag', 'mercredi', '5 March', '2026-04-01']),
    country: () => random.pick(['France', "Côte d'Ivoire", 'Österreich', 'Japan', 'the U.S.', 'Perú']),
    verb: () => random.pick(verbs),
    noun: () => random.pick(nouns),
    noun2: () => random.pick(nouns),
    person: () => random.pick(people),
    person2: () => random.pick(people),
    project: () => random.pick(projects),
    prefix: () => random.pick(['{id', '{name', '{prefix']),
    table: () => random.pick(tables),
    table2: () => random.pick(tables),
    col: () => random.pick(columns),
    col2: () => random.pick(columns),
    cols: () => random.some(columns, random.int(1, 4)).join(', '),
    folder: () => random.pick(folders),
    file: () => `${random.pick(['main', 'index', 'user_service', 'parse_args'])}.${random.pick(extensions)}`,
    ext: () => random.pick(extensions),
    host: () => random.pick(hosts),
    word: () =>
      random.pick([
        'build',
        'lint',
        'ann',
        'draft',
        'selection',
        'union',
        'order',
        'drop-in',
        'execute',
        'null',
      ]),
    kebab: () => `${random.pick(projects)}-${random.pick(['report', 'config', 'notes', 'export', 'v2'])}`,
    snake: () =>
      `${random.pick(['load', 'save', 'parse', 'sum'])}_${random.pick(['rows', 'user', 'price', 'date'])}`,
    snake2: () => `${random.pick(['to', 'from', 'is'])}_${random.pick(['text', 'json', 'valid'])}`,
    camel: () =>
      `${random.pick(['load', 'save', 'parse', 'sum', 'merge'])}${random.pick(['Rows', 'User', 'Price', 'Options'])}`,
    camel2: () => `${random.pick(['format', 'render', 'read'])}${random.pick(['Label', 'Page', 'Key'])}`,
    pascal: () =>
      `${random.pick(['Order', 'User', 'Price', 'Cache'])}${random.pick(['Service', 'Table', 'Entry', 'Store'])}`,
    pascal2: () => `${random.pick(['Line', 'Row', 'Page'])}${random.pick(['Item', 'View', 'Key'])}`,
    lower: () => random.pick(['store', 'api', 'cache', 'main']),
  };
  return template.replace(/\{([a-z]+[0-9]?)\}/g, (whole, name: string) =>
    Object.hasOwn(slots, name) ? String(slots[name]!()) : whole,
  );
}

function relativePath(random: Random): string {
  const parts = random.some(folders, random.int(1, 2));
  return `${parts.join('/')}/${random.pick(stems)}${random.chance(0.5) ? `_${random.int(1, 400)}` : ''}.${random.pick(extensions)}`;
}

function absolutePath(random: Random): string {
  return `/workspace/${relativePath(random)}`;
}

function publicUrl(random: Random): string {
  const path = random.chance(0.9) ? `/${random.pick(topics)}` : '';
  const query = random.pick([
    '',
    '',
    `?page=${random.int(1, 50)}`,
    `?q=${encodeURIComponent(fill(random.pick(['{noun}', "it's {verb}", 'a+b & c', 'or 1 and 2', '100%', '{person}']), random))}`,
    `?from=2026-01-${random.int(10, 28)}&to=2026-02-${random.int(10, 28)}&sort=-${random.pick(columns)}`,
    '?redirect=%2Fhome%2F',
    '#section-3',
  ]);
  const port = random.chance(0.05) ? ':8443' : '';
  return `https://${random.pick(hosts)}${port}${path}${query}`;
}

const languages = Object.keys(code) as (keyof typeof code)[];

function snippet(random: Random): { readonly language: string; readonly text: string } {
  const language = random.pick(languages);
  const parts = Array.from({ length: random.int(1, 2) }, () => fill(random.pick(code[language]), random));
  return { language, text: parts.join('\n') };
}

function prose(random: Random, most = 3): string {
  return Array.from({ length: random.int(1, most) }, () => fill(random.pick(sentences), random)).join(' ');
}

function json(random: Random, depth = 2): unknown {
  switch (random.int(0, depth === 0 ? 3 : 5)) {
    case 0:
      return random.int(-5, 1_000_000);
    case 1:
      return fill(
        random.pick([
          '{noun}',
          '{person}',
          '{kebab}',
          '{host}',
          'ann@example.com',
          '2026-03-0{d}T10:00:00Z',
          '{hex}',
        ]),
        random,
      );
    case 2:
      return random.chance(0.5);
    case 3:
      return null;
    case 4:
      return Array.from({ length: random.int(0, 3) }, () => json(random, depth - 1));
    default:
      return Object.fromEntries(
        random.some(columns, random.int(1, 4)).map((key) => [key, json(random, depth - 1)]),
      );
  }
}

const makers: readonly (readonly [weight: number, Make])[] = [
  [
    6,
    (r) => ({
      class: 'path',
      tool: 'read_file',
      arguments: { path: absolutePath(r), ...(r.chance(0.3) ? { head: r.int(1, 200) } : {}) },
      roles: { path: 'path' },
    }),
  ],
  [
    3,
    (r) => ({
      class: 'path',
      tool: 'read_multiple_files',
      arguments: { paths: Array.from({ length: r.int(1, 3) }, () => absolutePath(r)) },
    }),
  ],
  [
    3,
    (r) => ({
      class: 'path',
      tool: 'move_file',
      arguments: { source: absolutePath(r), destination: absolutePath(r) },
      roles: { source: 'path', destination: 'path' },
    }),
  ],
  [
    3,
    (r) => ({
      class: 'path',
      tool: 'search_files',
      arguments: {
        path: `/workspace/${r.pick(folders)}`,
        pattern: r.pick([
          `**/*.${r.pick(extensions)}`,
          `*${r.pick(projects)}*`,
          '*.{ts,tsx}',
          '[a-z]*.md',
          '?(index|main).*',
        ]),
        excludePatterns: r.some(['node_modules', '.git', 'dist/**', '../**'], r.int(0, 2)),
      },
      roles: { path: 'path' },
    }),
  ],
  [
    4,
    (r) => ({
      class: 'code',
      tool: 'write_file',
      arguments: { path: absolutePath(r), content: snippet(r).text },
      roles: { path: 'path', content: 'code' },
    }),
  ],
  [
    4,
    (r) => ({
      class: 'code',
      tool: 'edit_file',
      arguments: {
        path: absolutePath(r),
        edits: [{ oldText: snippet(r).text, newText: snippet(r).text }],
        dryRun: r.chance(0.5),
      },
    }),
  ],
  [
    4,
    (r) => {
      const { language, text } = snippet(r);
      return {
        class: 'code',
        tool: 'run_code',
        arguments: { language, code: text, timeout: r.int(1, 60) },
        roles: { code: 'code' },
      };
    },
  ],
  [
    8,
    (r) => ({
      class: 'sql',
      tool: 'query',
      arguments: { sql: fill(r.pick(queries), r) },
      roles: { sql: 'sql' },
    }),
  ],
  [
    3,
    (r) => ({
      class: 'sql',
      tool: 'run_report',
      arguments: {
        database: r.pick(['replica', 'warehouse', 'main']),
        query: fill(r.pick(queries), r),
        max_rows: r.int(10, 1000),
      },
    }),
  ],
  [
    6,
    (r) => ({
      class: 'shell',
      tool: 'execute_command',
      arguments: { command: fill(r.pick(commands), r), cwd: `/workspace/${r.pick(projects)}` },
    }),
  ],
  [
    6,
    (r) => ({
      class: 'url',
      tool: 'fetch',
      arguments: { url: publicUrl(r), max_length: r.int(1, 20) * 500 },
      roles: { url: 'url' },
    }),
  ],
  [
    3,
    (r) => ({
      class: 'url',
      tool: 'browser_navigate',
      arguments: { url: publicUrl(r) },
      roles: { url: 'url' },
    }),
  ],
  [
    2,
    (r) => ({
      class: 'url',
      tool: 'browser_navigate',
      arguments: {
        url: r.pick([
          `http://localhost:${r.pick([3000, 5173, 8080])}/${r.pick(topics)}`,
          `http://127.0.0.1:${r.int(3000, 9000)}/`,
          `file:///workspace/${relativePath(r).replaceAll(' ', '%20')}`,
        ]),
      },
    }),
  ],
  [
    5,
    (r) => ({
      class: 'markdown',
      tool: 'create_page',
      arguments: { title: fill('{verb} {noun}', r), body: fill(r.pick(documents), r) },
      roles: { title: 'text', body: 'markdown' },
    }),
  ],
  [
    4,
    (r) => ({
      class: 'markdown',
      tool: 'create_issue',
      arguments: {
        owner: r.pick(projects),
        repo: r.pick(projects),
        title: fill('{verb} {noun}; {noun2}', r),
        body: `${fill(r.pick(documents), r)}\n\n${prose(r, 2)}`,
        labels: r.some(['bug', 'p1', 'good first issue', 'area/api'], r.int(0, 3)),
      },
      roles: { owner: 'id', repo: 'id', title: 'text', body: 'markdown' },
    }),
  ],
  [
    6,
    (r) => ({
      class: 'prose',
      tool: 'send_message',
      arguments: { channel: `#${r.pick(projects)}`, text: prose(r) },
      roles: { text: 'text' },
    }),
  ],
  [
    4,
    (r) => ({
      class: 'prose',
      tool: 'translate',
      arguments: { text: prose(r, 4), target: r.pick(['de', 'fr', 'ja', 'pt-BR', 'ar']) },
      roles: { text: 'text', target: 'id' },
    }),
  ],
  [
    4,
    (r) => ({
      class: 'prose',
      tool: 'search_web',
      arguments: {
        query: r.chance(0.5)
          ? prose(r, 1)
          : fill(
              r.pick([
                '{noun} {project} site:{host}',
                '"{noun}" -{word}',
                'how to {verb} {noun}',
                '{word} OR {word} AND {kebab}',
                'select * from {table} where slow',
                'what is ../.. in a path',
                "{person}'s law",
                'C:\\Users\\{word} not found',
                '${PATH} vs $PATH',
                '{{ mustache }} syntax',
                'union select injection explained',
              ]),
              r,
            ),
        count: r.int(1, 20),
      },
      roles: { query: 'text' },
    }),
  ],
  [
    3,
    (r) => ({
      class: 'prose',
      tool: 'send_email',
      arguments: {
        to: `${r.pick(['ann', 'o.brien', 'sales+eu', 'mei'])}@${r.pick(['example.com', 'example.org'])}`,
        subject: fill('{verb} {noun}', r),
        body: prose(r, 4),
      },
      roles: { to: 'email', subject: 'text', body: 'text' },
    }),
  ],
  [
    5,
    (r) => ({
      class: 'json',
      tool: 'http_request',
      arguments: {
        method: r.pick(['GET', 'POST', 'PATCH']),
        url: publicUrl(r),
        headers: { accept: 'application/json' },
        body: json(r, 3),
      },
    }),
  ],
  [
    3,
    (r) => ({
      class: 'json',
      tool: 'upsert_record',
      arguments: { collection: r.pick(tables), id: r.hex(12), data: JSON.stringify(json(r, 3)) },
    }),
  ],
  [
    4,
    (r) => ({
      class: 'id',
      tool: 'get_issue',
      arguments: { owner: r.pick(projects), repo: r.pick(projects), issue_number: r.int(1, 9_999) },
      roles: { owner: 'id', repo: 'id' },
    }),
  ],
  [
    3,
    (r) => ({
      class: 'id',
      tool: 'list_pods',
      arguments: {
        namespace: r.pick(projects),
        labelSelector: `app=${r.pick(projects)},tier!=${r.pick(['web', 'db'])}`,
      },
      roles: { namespace: 'id' },
    }),
  ],
  [
    2,
    (r) => ({
      class: 'id',
      tool: 'git_checkout',
      arguments: {
        repo_path: `/workspace/${r.pick(projects)}`,
        branch_name: r.pick([
          `feature/${r.pick(projects)}-${r.int(1, 999)}`,
          `release-${r.int(1, 9)}.${r.int(0, 20)}`,
          'main',
          `fix_${r.hex(7)}`,
        ]),
      },
      roles: { repo_path: 'path' },
    }),
  ],
  [
    3,
    (r) => ({
      class: 'number',
      tool: 'calculate',
      arguments: {
        expression: r.pick([
          `${r.int(1, 99)} * ${r.int(1, 99)} + ${r.int(1, 9)}`,
          `(${r.int(1, 9)} + ${r.int(1, 9)}) / ${r.int(1, 9)}`,
          `sqrt(${r.int(1, 999)})`,
          `sum(A${r.int(1, 9)}:B${r.int(10, 90)})`,
          `=IF(A${r.int(1, 9)}>${r.int(1, 50)};"yes";"no")`,
        ]),
      },
    }),
  ],
  [
    3,
    (r) => ({
      class: 'date',
      tool: 'create_event',
      arguments: {
        title: fill('{verb} {noun} with {person}', r),
        start: `2026-0${r.int(1, 9)}-${r.int(10, 28)}T${r.int(10, 18)}:00:00+02:00`,
        minutes: r.pick([15, 30, 60]),
        attendees: r.some(['ann@example.com', 'mei@example.org', 'b@example.net'], r.int(1, 3)),
      },
      roles: { title: 'text' },
    }),
  ],
  [
    2,
    (r) => ({
      class: 'template',
      tool: 'render_template',
      arguments: {
        template: r.pick([
          'Hello {{name}},\n\nyour {{plan}} plan ends on {{date}}.',
          '{% if user.admin %}<b>{{ user.name | upper }}</b>{% endif %}',
          'Total: <%= total %> for <%- name %>',
          '${greeting}, ${user.firstName}!',
          '#{user.name} ordered #{count} items',
          '{{#each rows}}{{this.name}}: {{this.price}}\n{{/each}}',
          'image: {{ .Values.image.repository }}:{{ .Values.image.tag }}',
        ]),
        values: { name: r.pick(people), plan: 'pro', n: r.int(1, 999) },
      },
    }),
  ],
];

/** Calls as honest clients make them; no two alike. */
export function makeHonest(random: Random, count: number): readonly HonestCall[] {
  const bag = makers.flatMap(([weight, make]) => Array<Make>(weight).fill(make));
  const seen = new Set<string>();
  const calls: HonestCall[] = [];
  for (let tries = 0; calls.length < count && tries < count * 50; tries += 1) {
    const call = { source: 'own', ...random.pick(bag)(random) };
    const key = JSON.stringify([call.tool, call.arguments]);
    if (seen.has(key)) continue;
    seen.add(key);
    calls.push(call);
  }
  return calls;
}
