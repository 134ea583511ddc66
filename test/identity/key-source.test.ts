import { beforeAll, describe, expect, test } from 'vitest';
import type { Dial } from '../../src/dialer/contract.ts';
import { createKeySource, needDial } from '../../src/identity/key-source.ts';
import { tokenOptions } from '../../src/identity/options.ts';
import { issuer, makeIssuer, type TestIssuer } from './issuer.ts';

let idp: TestIssuer;
beforeAll(async () => {
  idp = await makeIssuer();
});

const introspection = { endpoint: `${issuer}/ask`, clientId: 'c', secret: 'f' };

/** Answers each address with a key set or with metadata that name where that is. */
function dialOf(asked: string[]): Dial {
  return async (url) => {
    asked.push(String(url));
    const metadata = { issuer, jwks_uri: `${issuer}/found` };
    return new Response(String(url).includes('.well-known') ? JSON.stringify(metadata) : idp.jwks);
  };
}

describe('the keys of a token entry', () => {
  test.each<[string, object, readonly string[]]>([
    ['its URL', { jwks: `${issuer}/jwks` }, [`${issuer}/jwks`]],
    [
      'what the metadata name',
      { discovery: true },
      [`${issuer}/.well-known/oauth-authorization-server`, `${issuer}/found`],
    ],
  ])('come from %s', async (_, entry, expected) => {
    const asked: string[] = [];
    const source = createKeySource(tokenOptions.parse({ issuer, ...entry }), { dial: dialOf(asked) })!;
    expect(source.current(0)).toBeUndefined();
    await source.refresh(0);
    expect(asked).toEqual(expected);
    const set = source.current(0);
    expect(set).toBeDefined();
    // The same keys are the same object.
    await source.reload();
    expect(source.current(1)).toBe(set);
    source.close();
  });

  test('come from its file, which is read again at a reload and not otherwise', async () => {
    let text = idp.jwks;
    const files: string[] = [];
    const source = createKeySource(tokenOptions.parse({ issuer, keys: 'jwks.json' }), {
      readFile: (path) => {
        files.push(path);
        return text;
      },
    })!;
    const set = source.current(0);
    await source.refresh(1_000_000_000);
    expect(source.current(1_000_000_000)).toBe(set);
    expect(files).toEqual(['jwks.json']);
    text = '{"keys":[]}';
    await expect(source.reload()).rejects.toThrow('jwks.json: holds no public key that checks signatures');
    expect(source.current(0)).toBe(set);
    text = idp.jwks;
    await source.reload();
    expect(source.current(0)).not.toBe(set);
    source.close();
  });

  test('are none where its issuer is asked about every token', () => {
    expect(createKeySource(tokenOptions.parse({ issuer, introspection }), {})).toBeUndefined();
  });

  test('are never fetched by anything but the dialer', () => {
    const message = 'A token entry that asks its issuer needs a dialer';
    expect(() => needDial(undefined)).toThrow(new TypeError(message));
    for (const entry of [{ jwks: `${issuer}/jwks` }, { discovery: true }]) {
      expect(() => createKeySource(tokenOptions.parse({ issuer, ...entry }), {})).toThrow(message);
    }
    const dial = dialOf([]);
    expect(needDial(dial)).toBe(dial);
  });
});
