import { type JsonObject, own } from '../values/json.ts';
import type { ArgumentShape } from './argument-shapes.ts';
import type { RoleName } from './role.ts';

/** What the name, format or description of an argument suggests. */
export interface RoleHint {
  readonly role: RoleName;
  /** Specifications to try, strictest first. */
  readonly ladder: readonly JsonObject[];
  /** Where in the ladder what is usual begins; what stands before needs many values that fit. */
  readonly usual: number;
  readonly why: string;
  readonly byName: boolean;
  /** The name says it without any value: `url`, `owner`. Others, such as `since` or `branch`, hold other things as often. */
  readonly certain: boolean;
}

/** Formats of JSON Schema that are roles. */
const formats: ReadonlyMap<string, RoleName> = new Map([
  ['uri', 'url'],
  ['url', 'url'],
  ['iri', 'url'],
  ['email', 'email'],
  ['uuid', 'uuid'],
  ['date', 'date'],
  ['date-time', 'date'],
  ['password', 'secret'],
]);

const anySize = { schemes: ['https', 'http'], ports: 'any' };

const anyFolder = { within: ['/'], base: '/' };
const asPath = (path: JsonObject): JsonObject => ({ path });

const ladders: ReadonlyMap<RoleName, readonly JsonObject[]> = new Map<RoleName, readonly JsonObject[]>([
  ['secret', [{ secret: {} }]],
  ['uuid', [{ uuid: {} }]],
  ['date', [{ date: {} }, { date: { time: 'allow' } }, { date: { time: 'allow', offset: 'allow' } }]],
  ['email', [{ email: {} }]],
  [
    'url',
    [
      { url: {} },
      { url: { schemes: ['https', 'http'] } },
      { url: anySize },
      { url: { ...anySize, addresses: 'any' } },
    ],
  ],
  [
    'path',
    [anyFolder, { ...anyFolder, style: 'posix' }, { ...anyFolder, style: 'posix', uri: true }].map(asPath),
  ],
  [
    'id',
    [{ id: {} }, { id: { preset: 'branch' } }, { id: { preset: 'image' } }, { id: { preset: 'resource' } }],
  ],
  ['sql', ['postgresql', 'mysql', 'sqlite'].map((dialect) => ({ sql: { dialect } }))],
]);

const usual: ReadonlyMap<RoleName, number> = new Map<RoleName, number>([
  ['date', 2],
  ['url', 2],
  ['path', 2],
  ['id', 3],
]);

/** Whole words of a name, and the role that they suggest. The first that matches counts. */
const words: readonly (readonly [RegExp, RoleName])[] = [
  [
    /^(?:password|passwd|secret|token|api_?key|access_?key|credentials?)$|_(?:password|secret|token|api_?key)$/,
    'secret',
  ],
  [/(?:^|_)(?:uuid|guid)$/, 'uuid'],
  [/(?:^|_)e?mail(?:_address)?$/, 'email'],
  [/(?:^|_)(?:ur[il]|link|href|endpoint|webhook|homepage)$/, 'url'],
  [/(?:^|_)(?:path|file|filename|filepath|file_path|dir|directory|folder|cwd|workdir)s?$/, 'path'],
  [/^(?:sql|sql_query)$/, 'sql'],
  [/(?:^|_)(?:date|since|until|start_date|end_date|due|created_at|updated_at)$/, 'date'],
  [
    /(?:^|_)(?:id|ids|slug|branch|repo|repository|owner|org|namespace|pod|container|bucket|table|database|schema|tag|sha|ref|username|login|project_key|issue_key)$/,
    'id',
  ],
];

/** Names that hold one thing nearly everywhere. */
const certain =
  /(?:^|_)(?:uuid|guid|e?mail|email_address|ur[il]|href|webhook|path|file_?path|filename|sql|sql_query|owner|repo|repository|namespace|bucket)s?$|^(?:password|passwd|secret|token|api_?key|access_?key)$/;

/** Tools that open pages: their users open local ones as often. */
const opensPages =
  /(?:^|_)(?:browser|browse|navigate|goto|screenshot|puppeteer|playwright|open|page|tab)(?:_|$)/;

/** @returns undefined where nothing suggests anything but text */
export function roleHint(
  shape: Pick<ArgumentShape, 'name' | 'schema'>,
  tool: { readonly name: string },
): RoleHint | undefined {
  const format = shape.schema === undefined ? undefined : own(shape.schema, 'format');
  const declared = typeof format === 'string' ? formats.get(format) : undefined;
  if (declared !== undefined) return hint(declared, `the schema declares the format "${format}"`);
  const name = toWords(shape.name);
  // `issue_id_or_url`: two things, and nothing fits both.
  if (/_or_/.test(name)) return undefined;
  if (/sql/.test(toWords(tool.name)) && (name === 'query' || name === 'statement')) {
    return hint('sql', `the tool and the name "${shape.name}"`, true);
  }
  const found = words.find(([pattern]) => pattern.test(name));
  if (found === undefined) return undefined;
  const [, role] = found;
  const isCertain = certain.test(name) && !(role === 'url' && opensPages.test(toWords(tool.name)));
  return hint(role, `the name "${shape.name}"`, isCertain);
}

/** @param nameIsCertain undefined where the role is not read from a name */
function hint(role: RoleName, why: string, nameIsCertain?: boolean): RoleHint {
  return {
    role,
    ladder: ladders.get(role) ?? [],
    usual: usual.get(role) ?? 0,
    why,
    byName: nameIsCertain !== undefined,
    certain: nameIsCertain ?? true,
  };
}

/** `filePath`, `FILE-PATH` and `file_path` are the same words. */
function toWords(name: string): string {
  return name
    .slice(0, 128)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_');
}
