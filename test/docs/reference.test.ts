import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorGroups } from '../../scripts/docs/error-causes.ts';
import { type JsonSchema, schemaAt } from '../../scripts/docs/json-schema.ts';
import { policyJsonSchema, policyParts } from '../../scripts/docs/reference.ts';
import { staleFiles } from '../../scripts/generate-docs.ts';
import { configJsonSchema } from '../../src/config/schema.ts';
import { errorTable } from '../../src/errors.ts';
import { auditFields } from '../../src/observe/audit-fields.ts';
import { metricDefinitions } from '../../src/observe/metric-definitions.ts';
import { firstCells, generatedPart, read, root } from './pages.ts';

/** Every key below a schema, found by a walk of its own. */
function pathsOf(node: JsonSchema, path: string): readonly string[] {
  const inside = (child: JsonSchema | undefined, at: string) =>
    child === undefined ? [] : pathsOf(child, at);
  return [
    ...Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
      const at = path === '' ? key : `${path}.${key}`;
      return [at, ...pathsOf(child, at)];
    }),
    ...inside(node.items, `${path}[]`),
    ...(node.anyOf ?? []).flatMap((choice) => pathsOf(choice, path)),
    ...inside(
      typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined,
      `${path}.*`,
    ),
  ];
}

/** Descriptions of every key, by path. */
function silentKeys(node: JsonSchema, path: string): readonly string[] {
  return [
    ...Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
      ...(child.description === undefined ? [`${path}.${key}`] : []),
      ...silentKeys(child, `${path}.${key}`),
    ]),
    ...(node.items === undefined ? [] : silentKeys(node.items, `${path}[]`)),
    ...(node.anyOf ?? []).flatMap((choice) => silentKeys(choice, path)),
    ...(typeof node.additionalProperties === 'object'
      ? silentKeys(node.additionalProperties, `${path}.*`)
      : []),
  ];
}

const sorted = (list: Iterable<string>): readonly string[] => [...list].sort();

test('what repeats the source is fresh: node scripts/generate-docs.ts writes it', () => {
  expect(staleFiles().map(({ file }) => file)).toEqual([]);
});

describe('docs/configuration.md', () => {
  const documented = firstCells(generatedPart(read('docs/configuration.md'), 'configuration keys'));

  test('has every key of the gateway file exactly once', () => {
    const keys = new Set(pathsOf(configJsonSchema() as JsonSchema, ''));
    expect(keys.size).toBeGreaterThan(100);
    expect(sorted(documented)).toEqual(sorted(keys));
  });

  test('says something about each', () => {
    expect(silentKeys(configJsonSchema() as JsonSchema, '')).toEqual([]);
  });
});

describe('docs/policy.md', () => {
  const part = generatedPart(read('docs/policy.md'), 'policy keys');

  test('has every key of a policy file exactly once in its part', () => {
    const schema = policyJsonSchema();
    const parts = part.split(/^### .*$/m).slice(1);
    expect(parts).toHaveLength(policyParts.length);
    const told = policyParts.flatMap(({ at }, index) =>
      firstCells(parts[index]!).map((cell) => (at === '' ? cell : `${at}.${cell}`)),
    );
    expect(new Set(told).size).toBe(told.length);
    const keys = new Set(pathsOf(schema, '').map(canonical));
    expect(keys.size).toBeGreaterThan(50);
    expect(sorted(told)).toEqual(sorted(keys));
  });

  test('may tell these shapes once, because they are the same', () => {
    const schema = policyJsonSchema();
    const at = (path: string) => schemaAt(schema, path);
    expect(at('roles.*.deny[]')).toEqual(at('roles.*.allow[]'));
    expect(at('acl[].deny[]')).toEqual(at('acl[].allow[]'));
    expect(at('acl[].allow[].when').properties).toEqual(at('roles.*.allow[].when').properties);
  });

  test('may tell roles inside `json` once, because they are those outside', () => {
    const schema = policyJsonSchema();
    const outside = schemaAt(schema, 'arguments[].args.*').properties!;
    const inside = schemaAt(schema, 'arguments[].args.*.json.args.*').properties!;
    expect(Object.keys(inside).length).toBeGreaterThan(20);
    expect(Object.entries(inside)).toEqual(Object.keys(inside).map((key) => [key, outside[key]]));
  });

  test('may tell words of commands once, because they are the same', () => {
    const schema = policyJsonSchema();
    const propertiesAt = (path: string) => {
      const found = schemaAt(schema, `arguments[].args.*.${path}`);
      return [found, ...(found.anyOf ?? [])].find(({ properties }) => properties !== undefined)?.properties;
    };
    const word = propertiesAt('command.allow[].operands[]')!;
    expect(Object.keys(word)).toEqual(['int', 'id', 'path', 'enum', 'text']);
    for (const other of ['options.*', 'operands.each']) {
      expect(propertiesAt(`command.allow[].${other}`)).toEqual(word);
    }
    expect(word.id!.properties).toEqual(propertiesAt('id'));
    expect(word.path!.properties).toEqual(propertiesAt('path'));
  });

  test('says something about each', () => {
    expect(silentKeys(policyJsonSchema(), '')).toEqual([]);
  });

  /** Shapes that stand in several places count at the place where they are told. */
  function canonical(path: string): string {
    return path
      .replace('roles.*.deny[]', 'roles.*.allow[]')
      .replace('acl[].deny[]', 'acl[].allow[]')
      .replace('acl[].allow[].when.', 'roles.*.allow[].when.')
      .replace('roles.*.allow[].when.claims.*', 'roles.*.allow[].when.args.*')
      .replace('bindings[].to[]', 'bindings[].to')
      .replace('bindings[].to.token.claims.*', 'roles.*.allow[].when.args.*')
      .replace('arguments[].args.*.json.args.*.', 'arguments[].args.*.')
      .replace(/(?<=\.command\.allow\[\])\.(?:options\.\*|operands\.each)\./, '.operands[].')
      .replace(/\.command\.allow\[\]\.operands\[\](?=\.(?:id|path)\.)/, '');
  }
});

describe('docs/errors.md', () => {
  test('has every code exactly once', () => {
    const documented = firstCells(generatedPart(read('docs/errors.md'), 'error codes'));
    expect(documented).toEqual(Object.keys(errorTable));
    expect(errorGroups.flatMap(({ codes }) => codes)).toEqual(Object.keys(errorTable));
  });

  test('gives each the sentence that the client reads', () => {
    const page = read('docs/errors.md');
    const missing = Object.values(errorTable).filter(({ text }) => !page.includes(`| ${text} |`));
    expect(missing).toEqual([]);
  });
});

test('docs/audit.md has every field of a record exactly once', () => {
  const documented = firstCells(generatedPart(read('docs/audit.md'), 'audit fields'));
  expect(documented).toEqual(auditFields.map(({ name }) => name));
});

test('docs/audit.md has every check that leaves findings', () => {
  const [, part] = read('docs/audit.md').split('## Findings');
  const documented = firstCells(part!.split('\n## ')[0]!);
  const filters = readdirSync(join(root, 'src/filters')).map((name) => read(`src/filters/${name}`));
  const noted = filters.flatMap((text) =>
    [...text.matchAll(/\bcheck: '([a-z-]+)'/g)].map((match) => match[1]!),
  );
  expect(noted.length).toBeGreaterThan(5);
  expect(sorted(documented)).toEqual(sorted(new Set(noted)));
});

describe('docs/audit.md, the example', () => {
  const line = /^\{"schema":"sallyport\.audit\/v1".*\}$/m.exec(read('docs/audit.md'))![0];

  test('has only fields that records have, and all that each has', () => {
    const names = leaves(JSON.parse(line) as Record<string, unknown>, '');
    const known = new Set(auditFields.map(({ name }) => name));
    expect(names.filter((name) => !known.has(name))).toEqual([]);
    const always = auditFields.filter((field) => field.always).map(({ name }) => name);
    expect(always.filter((name) => !names.includes(name))).toEqual([]);
  });

  function leaves(value: unknown, path: string): readonly string[] {
    if (Array.isArray(value)) return value.flatMap((item) => leaves(item, `${path}[]`));
    if (typeof value !== 'object' || value === null) return [path];
    return Object.entries(value).flatMap(([key, child]) =>
      leaves(child, path === '' ? key : `${path}.${key}`),
    );
  }
});

describe('docs/metrics.md', () => {
  const page = read('docs/metrics.md');

  test('has every metric exactly once', () => {
    expect(firstCells(generatedPart(page, 'metrics'))).toEqual(metricDefinitions.map(({ name }) => name));
  });

  test('alerts on metrics and labels that exist', () => {
    const known = new Map(metricDefinitions.map(({ name, labels }) => [name, labels as readonly string[]]));
    const uses = [...page.matchAll(/(sallyport_[a-z_]+)(?:\{([a-z]+)=)?/g)];
    expect(uses.length).toBeGreaterThan(metricDefinitions.length);
    const wrong = uses
      .filter(([, name, label]) => {
        const labels = known.get(name!);
        return labels === undefined || (label !== undefined && !labels.includes(label));
      })
      .map(([use]) => use);
    expect(wrong).toEqual([]);
  });
});
