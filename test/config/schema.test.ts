import { describe, expect, test } from 'vitest';
import { fileReferences } from '../../src/config/files.ts';
import { configJsonSchema, gatewayFileSchema } from '../../src/config/schema.ts';

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly additionalProperties?: unknown;
}

function walk(node: Node, path: string, visit: (node: Node, path: string) => void): void {
  visit(node, path);
  for (const [key, child] of Object.entries(node.properties ?? {}))
    walk(child, path === '' ? key : `${path}.${key}`, visit);
  if (node.items !== undefined) walk(node.items, `${path}[]`, visit);
  for (const choice of node.anyOf ?? []) walk(choice, path, visit);
}

describe('the JSON Schema of the gateway file', () => {
  test('refuses unknown keys in every object', () => {
    const open: string[] = [];
    walk(configJsonSchema() as Node, '', (node, path) => {
      if (node.properties !== undefined && node.additionalProperties !== false) open.push(path);
    });
    expect(open).toEqual([]);
  });

  test('describes every section and every key of sections that are declared here or in observe/', () => {
    const own =
      /^(?:version|policies|audit|log|drain|reload|insecure|store|limits\.(?:request|result))(?:\.|$)/;
    const silent: string[] = [];
    walk(configJsonSchema() as Node, '', (node, path) => {
      const top = path !== '' && !path.includes('.') && !path.includes('[');
      if (
        (top || own.test(path)) &&
        path !== '' &&
        node.description === undefined &&
        node.anyOf === undefined
      ) {
        silent.push(path);
      }
    });
    expect(silent.filter((path) => !isChoice(path))).toEqual([]);
  });
});

/** Choices of a union are described at the union. */
function isChoice(path: string): boolean {
  let described = false;
  walk(configJsonSchema() as Node, '', (node, at) => {
    if (at === path && node.description !== undefined) described = true;
  });
  return described;
}

test('every option that names a file is in the table of files', () => {
  const config = gatewayFileSchema.parse({
    version: 1,
    listeners: [
      { bind: '127.0.0.1:0', tls: { certificate: 'F', key: 'F', clients: { ca: ['F', 'F'], crl: 'F' } } },
    ],
    identity: [
      { certificate: { trust: [{ domain: 'acme.example', ca: 'F' }] } },
      { token: { issuer: 'i', audience: 'a', keys: 'F' } },
      { apiKeys: { file: 'F' } },
    ],
    upstreams: [
      {
        name: 'a',
        path: '/a',
        http: {
          url: 'https://a.example',
          ca: 'F',
          clientCertificate: { certificate: 'F', key: 'F' },
          credential: { file: 'F' },
        },
      },
      { name: 'b', path: '/b', http: { url: 'https://b.example', ca: ['F'] } },
    ],
    session: { keys: ['F'] },
    policies: 'F',
    audit: { file: 'F' },
  });
  const named = JSON.stringify(config).match(/"F"/g) ?? [];
  expect(fileReferences(config)).toHaveLength(named.length);
});
