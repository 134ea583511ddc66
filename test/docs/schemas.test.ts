import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { blocksOf, pages, read, root } from './pages.ts';

/** What editors are given must accept what the gateway accepts: a false complaint teaches people to ignore them. */

const schemaOf = (name: string) =>
  new Ajv2020({ strict: false, validateFormats: false }).compile(
    JSON.parse(read(`docs/schemas/${name}.schema.json`)),
  );
const gateway = schemaOf('sallyport');
const policy = schemaOf('policy');
const yaml = (file: string): unknown => parse(readFileSync(join(root, file), 'utf8'));

describe('the published JSON Schema', () => {
  test.each(['sallyport.yaml', 'deploy/kustomize/base/sallyport.yaml', 'bench/sallyport-mtls.yaml'])(
    'of the gateway file accepts %s',
    (file) => {
      gateway(yaml(file));
      expect(gateway.errors).toBeNull();
    },
  );

  test.each(['everything', 'callers', 'content'])('of policies accepts policies/%s.yaml', (name) => {
    policy(yaml(`policies/${name}.yaml`));
    expect(policy.errors).toBeNull();
  });

  const shown = pages().flatMap((page) =>
    blocksOf(read(page)).flatMap(({ info, text, line }) =>
      info === 'yaml policy' ? [[`${page}:${line}`, text] as const] : [],
    ),
  );
  test.each(shown)('of policies accepts %s', (_place, text) => {
    policy(parse(text));
    expect(policy.errors).toBeNull();
  });

  test('refuses a key that does not exist', () => {
    expect(gateway({ ...(yaml('sallyport.yaml') as object), listenerz: [] })).toBe(false);
    expect(policy({ version: 1, rolez: {} })).toBe(false);
  });

  test.each([
    'sallyport.yaml',
    ...['everything', 'callers', 'content'].map((name) => `policies/${name}.yaml`),
  ])('is named in the first line of %s, where it stands', (file) => {
    const named = /^# yaml-language-server: \$schema=(\S+)\n/.exec(read(file))?.[1];
    expect(() => JSON.parse(readFileSync(join(root, file, '..', named ?? ''), 'utf8'))).not.toThrow();
  });
});
