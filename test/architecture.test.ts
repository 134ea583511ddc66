import { readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** The rules of the house, re-derived from the source. If one stops you, the code is in the wrong room. */

const root = resolve(fileURLToPath(new URL('..', import.meta.url)));
const src = join(root, 'src');

/** What is known without sockets: what bytes, values, callers and policies mean. */
const inner = [
  'errors',
  'values',
  'document',
  'addresses',
  'dialer',
  'redaction',
  'schemas',
  'signatures',
  'flows',
  'arguments',
  'results',
  'pins',
  'limits',
  'state',
  'mcp',
  'policy',
  'identity',
];

/** Which rooms a room may import from, beside itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  values: [],
  document: ['values'],
  addresses: [],
  dialer: ['addresses', 'document', 'values'],
  expressions: ['values'],
  redaction: ['document', 'values'],
  schemas: ['document', 'values'],
  signatures: ['values'],
  flows: ['document', 'values', 'redaction'],
  sql: ['values'],
  arguments: ['addresses', 'document', 'values', 'expressions', 'redaction', 'sql'],
  results: ['document', 'values', 'redaction'],
  pins: ['document', 'values'],
  lookups: ['document', 'values'],
  limits: ['errors', 'values'],
  state: [],
  redis: ['limits', 'state', 'document', 'values'],
  workers: ['limits', 'state', 'document', 'values'],
  overload: ['document', 'values'],
  mcp: ['errors', 'values', 'document'],
  policy: ['errors', 'values', 'document', 'expressions', 'arguments', 'results', 'flows'],
  identity: ['errors', 'document', 'values', 'dialer', 'state'],
  pipeline: [...inner],
  filters: [...inner, 'pipeline', 'lookups'],
  listener: [...inner, 'pipeline'],
  upstream: [...inner, 'pipeline'],
  observe: [...inner, 'pipeline'],
  config: [...inner, 'filters', 'listener', 'upstream', 'observe', 'lookups', 'redis', 'workers', 'overload'],
};

/** Rooms that only the composition root and what stands above it may import. */
const outer = ['config', 'gateway', 'cli', 'main'];

/** Each third-party package has its rooms. */
const packageRooms: Readonly<Record<string, readonly string[]>> = {
  fastify: ['listener'],
  undici: ['upstream', 'dialer'],
  jose: ['identity', 'upstream'],
  oauth4webapi: ['identity', 'upstream'],
  yaml: ['document'],
  zod: [
    'document',
    'policy',
    'identity',
    'listener',
    'upstream',
    'filters',
    'observe',
    'config',
    'mcp',
    'arguments',
    'results',
    'flows',
    'pins',
    'schemas',
    'redaction',
    'lookups',
    'dialer',
    'redis',
    'workers',
    'overload',
  ],
  re2js: ['policy', 'arguments', 'schemas', 'expressions'],
  'ajv-formats': ['schemas'],
  '@marcbachmann/cel-js': ['expressions'],
  validator: ['arguments', 'redaction'],
  'ipaddr.js': ['addresses'],
  'libphonenumber-js': ['redaction'],
  'libpg-query': ['sql'],
  'sqlite3-parser': ['sql'],
  '@prometheus-io/client': ['observe'],
  pino: ['observe'],
  redis: ['redis'],
  '@peculiar/x509': ['cli'],
  pkijs: ['cli'],
  asn1js: ['cli'],
  // The container inside @peculiar/x509 refuses to load without it.
  'reflect-metadata': ['cli'],
};

/** Pure: no node: I/O, no clock. */
const pureRooms = [
  'values',
  'addresses',
  'expressions',
  'redaction',
  'schemas',
  'signatures',
  'flows',
  'sql',
  'arguments',
  'results',
  'pins',
  'state',
  'mcp',
  'policy',
  'pipeline',
];
const pureFiles = ['observe/redact.ts'];
const harmlessBuiltins = ['node:buffer', 'node:crypto', 'node:util'];

interface Source {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly imports: readonly { readonly from: string; readonly typeOnly: boolean }[];
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : path.endsWith('.ts') ? [path] : [];
  });
}

const importPattern =
  /^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

function readSource(path: string): Source {
  const text = readFileSync(path, 'utf8');
  const imports = [...text.matchAll(importPattern)].map((match) => ({
    from: match[2] ?? match[3] ?? match[4]!,
    typeOnly: match[1] !== undefined,
  }));
  return { path: relative(src, path), room: roomOf(relative(src, path)), text, imports };
}

function roomOf(path: string): string {
  const [first, second] = path.split('/');
  return second === undefined ? first!.replace(/\.ts$/, '') : first!;
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? `${parts[0]}/${parts[1]}` : parts[0]!;
}

const sources = filesBelow(src).map(readSource);

describe('the house', () => {
  it('has sources to look at', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(200);
  });

  it('imports one way only', () => {
    const wrong = sources.flatMap(({ path, room, imports }) =>
      imports
        .filter(({ from }) => from.startsWith('.'))
        .map(({ from }) => roomOf(relative(src, resolve(src, dirname(path), from))))
        .filter((target) => target !== room)
        .filter((target) => {
          const allowed = mayImport[room];
          if (allowed !== undefined) return !allowed.includes(target);
          // gateway sees all rooms; cli sees gateway; main sees cli.
          return outer.indexOf(target) > outer.indexOf(room);
        })
        .map((target) => `${path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('lets config import only the option schemas of the rooms that it configures', () => {
    const wrong = sources
      .filter(({ room }) => room === 'config')
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ from }) => /\.\.\/(?!document\/|values\/|errors)[a-z]+\//.test(from))
          .filter(({ from, typeOnly }) => !typeOnly && !from.endsWith('/options.ts'))
          .map(({ from }) => `${path} imports ${from}`),
      );
    expect(wrong).toEqual([]);
  });

  it('keeps filters apart: none imports another', () => {
    const list = sources.find(({ path }) => path === 'filters/index.ts');
    expect(list).toBeDefined();
    const filters = list!.imports
      .map(({ from }) => from)
      .filter((from) => from.startsWith('./'))
      .map((from) => from.slice(2));
    const files = sources.filter(({ path }) => filters.some((file) => path === `filters/${file}`));
    const enforced = files.filter(({ text }) => /\):\s*Filter\b/.test(text));
    expect(enforced.length).toBeGreaterThanOrEqual(8);
    const names = new Set(enforced.map(({ path }) => `./${path.slice('filters/'.length)}`));
    const wrong = enforced.flatMap(({ path, imports }) =>
      imports.filter(({ from }) => names.has(from)).map(({ from }) => `${path} imports ${from}`),
    );
    expect(wrong).toEqual([]);
  });

  it('gives each third-party package its rooms', () => {
    const wrong = sources.flatMap(({ path, room, imports }) =>
      imports
        .map(({ from }) => from)
        .filter((from) => !from.startsWith('.') && !from.startsWith('node:'))
        .filter((from) => !packageRooms[packageOf(from)]?.includes(room))
        .map((from) => `${path} imports ${from}`),
    );
    expect(wrong).toEqual([]);
  });

  it('names every runtime dependency of package.json, and no other', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(Object.keys(packageRooms).sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });

  it('writes built-in modules with their node: prefix', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ from }) => builtinModules.includes(from))
        .map(({ from }) => `${path} imports ${from}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps the pure rooms free of I/O and of clocks', () => {
    const pure = sources.filter(({ path, room }) => pureRooms.includes(room) || pureFiles.includes(path));
    expect(pure.length).toBeGreaterThan(20);
    // How long a turn has worked says when others have theirs, and nothing of what comes out.
    const turns = 'values/steps.ts';
    const clock = /\bperformance\./;
    const wrong = pure.flatMap(({ path, text, imports }) => [
      ...imports
        .filter(({ from }) => from.startsWith('node:') && !harmlessBuiltins.includes(from))
        .map(({ from }) => `${path} imports ${from}`),
      ...[/\bDate\.now\(/, clock, /\bprocess\./, /\bsetTimeout\(/, /\bsetInterval\(/, /new Date\(\)/]
        .filter((pattern) => pattern.test(withoutComments(text)) && !(path === turns && pattern === clock))
        .map((pattern) => `${path} has ${pattern.source}`),
    ]);
    expect(wrong).toEqual([]);
  });

  it('asks the method table instead of naming methods: only initialize, which opens a session, stands elsewhere', () => {
    const wrong = sources
      .filter(({ path }) => path !== 'mcp/methods.ts')
      .flatMap(({ path, text }) =>
        [
          ...withoutComments(text).matchAll(
            /=== '((?:tools|prompts|resources|tasks|sampling)\/[a-zA-Z/]+)'/g,
          ),
        ].map((match) => `${path} compares with ${match[1]}`),
      );
    expect(wrong).toEqual([]);
  });

  it('has no file that is two ideas', () => {
    const long = sources
      .map(({ path, text }) => ({ path, lines: text.split('\n').length }))
      .filter(({ lines }) => lines > 320);
    expect(long).toEqual([]);
  });

  it('leaves no marks of unfinished work', () => {
    const marks = sources
      .filter(({ text }) => /\b(TODO|FIXME|XXX|HACK)\b/.test(text))
      .map(({ path }) => path);
    expect(marks).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
