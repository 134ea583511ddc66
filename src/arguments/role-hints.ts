import { type JsonObject, own } from '../values/json.ts';
import type { ArgumentShape } from './argument-shapes.ts';
import type { RoleName } from './role.ts';

/** What the name, format or description of an argument suggests. */
export interface RoleHint {
  readonly role: RoleName;
  /** Specifications to try, strictest first. */
  readonly ladder: readonly JsonObject[];
  readonly why: string;
  readonly byName: boolean;
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
  ['date', [{ date: {} }, { date: { time: 'allow' } }]],
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

/** @returns undefined where nothing suggests anything but text */
export function roleHint(shape: ArgumentShape, tool: { readonly name: string }): RoleHint | undefined {
  const format = shape.schema === undefined ? undefined : own(shape.schema, 'format');
  const declared = typeof format === 'string' ? formats.get(format) : undefined;
  if (declared !== undefined) return hint(declared, `the schema declares the format "${format}"`, false);
  const name = toWords(shape.name);
  if (/sql/.test(toWords(tool.name)) && (name === 'query' || name === 'statement')) {
    return hint('sql', `the tool and the name "${shape.name}"`, true);
  }
  const found = words.find(([pattern]) => pattern.test(name));
  return found === undefined ? undefined : hint(found[1], `the name "${shape.name}"`, true);
}

function hint(role: RoleName, why: string, byName: boolean): RoleHint {
  return { role, ladder: ladders.get(role) ?? [], why, byName };
}

/** `filePath`, `FILE-PATH` and `file_path` are the same words. */
function toWords(name: string): string {
  return name
    .slice(0, 128)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_');
}
