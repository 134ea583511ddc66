import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { loadAssertionKeys } from '../../../src/upstream/credentials/assertion-keys.ts';
import { folder } from '../certificates.ts';
import { failureOf, httpServer, message, pong, upstreamAt } from '../harness.ts';
import { caller, principalOf } from './support.ts';

const issuer = 'https://gateway.example';
const audience = 'warehouse';

const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const p256 = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const ed25519 = (): KeyObject => generateKeyPairSync('ed25519').privateKey;

async function setup(key: KeyObject = p256(), options: object = {}) {
  const files = folder();
  const keys = await loadAssertionKeys({ issuer, keys: [files.write('key.pem', pem(key))] }, Date.now);
  const seen: string[][] = [];
  const { url } = await httpServer((request, response) => {
    seen.push(request.rawHeaders);
    response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
  });
  const port = upstreamAt(url, { assertion: { audience, ...options } }, { assertionKeys: keys });
  const assertion = (index = -1, header = 'sallyport-identity'): string => {
    const raw = seen.at(index)!;
    const at = raw.findIndex((name, place) => place % 2 === 0 && name.toLowerCase() === header);
    return raw[at + 1]!;
  };
  /** As a server would. */
  const verify = (token: string) =>
    jwtVerify(token, createLocalJWKSet({ keys: [...keys.published().keys] }), {
      issuer,
      audience,
      typ: 'sallyport-identity+jwt',
      algorithms: ['ES256', 'EdDSA'],
      requiredClaims: ['sub', 'jti', 'exp', 'iat'],
      maxTokenAge: 60,
    });
  return { files, keys, seen, port, assertion, verify };
}

describe('an identity assertion', () => {
  for (const [kind, key] of Object.entries({ 'P-256': p256(), Ed25519: ed25519() })) {
    it(`says who called, for what, and for how long (${kind})`, async () => {
      const { port, assertion, verify } = await setup(key);
      await port.send(message({ caller: caller() }));
      const { payload, protectedHeader } = await verify(assertion());
      const { iat, exp, jti, ...claims } = payload;
      expect(claims).toEqual({
        iss: issuer,
        aud: audience,
        sub: 'token:https://idp.example#alice',
        method: 'tools/call',
        target: 'echo',
        client_id: 'desktop',
        trace_id: '0af7651916cd43dd8448eb211c80319c',
        upstream: 'test',
      });
      expect(exp! - iat!).toBe(60);
      expect(jti).toMatch(/^[\w-]{22}$/);
      expect(Object.keys(protectedHeader).sort()).toEqual(['alg', 'kid', 'typ']);
    });
  }

  it('is another one for each call, also for the same message again', async () => {
    const { port, assertion, verify } = await setup();
    const same = message({ caller: caller() });
    for (let i = 0; i < 3; i++) await port.send(same);
    const ids = await Promise.all(
      [0, 1, 2].map(async (index) => (await verify(assertion(index))).payload.jti),
    );
    expect(new Set(ids).size).toBe(3);
  });

  it('says that the gateway asks for itself, with a name that no caller has', async () => {
    const { port, assertion, verify } = await setup();
    await port.send(message());
    const { payload } = await verify(assertion());
    expect(payload.sub).toBe('gateway');
    expect(payload['method']).toBeUndefined();
    expect(payload['client_id']).toBeUndefined();
  });

  it('passes on the claims that are named, and no others, under a member of their own', async () => {
    const { port, assertion, verify } = await setup(p256(), {
      claims: ['groups', 'roles', 'missing', '__proto__'],
    });
    await port.send(message({ caller: caller() }));
    const { payload } = await verify(assertion());
    expect(payload['claims']).toEqual({ groups: ['staff', 'ops'], roles: ['reader'] });
    expect(JSON.stringify(payload)).not.toContain('not asked for');
  });

  it('is not changed by claims of the caller that have the names of its own', async () => {
    const names = ['sub', 'iss', 'aud', 'exp', 'upstream', 'method', 'jti'];
    const { port, assertion, verify } = await setup(p256(), { claims: names });
    const principal = principalOf('mallory');
    const [credential] = principal.credentials;
    const claims = Object.fromEntries(names.map((name) => [name, 'forged']));
    const forged = { ...principal, credentials: [{ ...credential!, claims }] } as typeof principal;
    await port.send(message({ caller: caller({ principal: forged }) }));
    const { payload } = await verify(assertion());
    expect(payload).toMatchObject({ sub: principal.id, upstream: 'test', method: 'tools/call' });
    expect(payload['claims']).toEqual(claims);
  });

  const targets = [
    'a"b',
    'line\r\nsallyport-identity: forged',
    'caf\u00e9 \u{1f980}',
    '\u202etxet',
    '"}.{"sub":"root',
    '\u0000',
    '\u2028',
    'x'.repeat(3000),
  ];
  for (const target of targets) {
    it(`holds the target ${JSON.stringify(target.slice(0, 30))} as it is, in one header`, async () => {
      const { port, assertion, verify, seen } = await setup();
      await port.send(message({ caller: caller({ target }) }));
      expect((await verify(assertion())).payload['target']).toBe(target);
      const names = seen[0]!.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
      expect(names.filter((name) => name === 'sallyport-identity')).toHaveLength(1);
    });
  }

  it('that would be too long for a header is refused, and not cut', async () => {
    const { port, seen } = await setup();
    const failure = await failureOf(port.send(message({ caller: caller({ target: 'x'.repeat(10_000) }) })));
    expect(failure.code).toBe('credential-unavailable');
    expect(seen).toEqual([]);
  });

  it('travels in the header that is configured, and a message cannot bring one of its own', async () => {
    const { port, assertion, verify, seen } = await setup(p256(), { header: 'X-Caller' });
    await port.send(message({ caller: caller() }));
    await verify(assertion(-1, 'x-caller'));
    for (const header of ['x-caller', 'X-CALLER', 'sallyport-identity', 'Sallyport-Identity']) {
      const failure = await failureOf(port.send(message({ caller: caller(), headers: [header, 'forged'] })));
      expect(failure.code).toBe('internal');
    }
    expect(seen).toHaveLength(1);
  });

  it('is told to the call that it was made for', async () => {
    const { port, assertion } = await setup();
    const told: string[] = [];
    await port.send(message({ caller: caller(), onSecret: (secret) => told.push(secret) }));
    expect(told).toEqual([assertion()]);
  });

  it('can be checked across a change of keys: the new one signs, the old one stays published', async () => {
    const [first, second] = [p256(), ed25519()];
    const { port, assertion, verify, keys, files } = await setup(first);
    await port.send(message({ caller: caller() }));
    const before = assertion();
    files.write('key.pem', pem(second));
    await keys.reload();
    await port.send(message({ caller: caller() }));
    expect(decodeProtectedHeader(assertion()).alg).toBe('EdDSA');
    await verify(assertion());
    await verify(before);
    expect(keys.published().keys.map(({ alg }) => alg)).toEqual(['EdDSA', 'ES256']);
    // Back again: no key stands there twice.
    files.write('key.pem', pem(first));
    await keys.reload();
    expect(keys.published().keys.map(({ alg }) => alg)).toEqual(['ES256', 'EdDSA']);
  });
});

describe('the keys of assertions', () => {
  it('are taken back some minutes after they are gone from their file, and never pile up', async () => {
    const files = folder();
    const file = files.write('key.pem', pem(p256()));
    let time = 0;
    const keys = await loadAssertionKeys({ issuer, keys: [file] }, () => time);
    for (let i = 0; i < 30; i++) {
      files.write('key.pem', pem(ed25519()));
      await keys.reload();
    }
    expect(keys.published().keys.length).toBe(17);
    time += 419_000;
    expect(keys.published().keys.length).toBe(17);
    time += 1000;
    expect(keys.published().keys.length).toBe(1);
  });

  it('are all published and the first signs', async () => {
    const files = folder();
    const given = [ed25519(), p256(), p256()];
    const paths = given.map((key, index) => files.write(`${index}`, pem(key)));
    const keys = await loadAssertionKeys({ issuer, keys: paths }, Date.now);
    expect(keys.published().keys).toHaveLength(3);
    expect(keys.signing().id).toBe(keys.published().keys[0]!.kid);
    expect(keys.signing().algorithm).toBe('EdDSA');
  });

  const sources: Readonly<Record<string, () => string>> = {
    'P-256 in PKCS#8': () => pem(p256()),
    'P-256 in SEC1': () => p256().export({ type: 'sec1', format: 'pem' }) as string,
    'P-256 as a JWK': () =>
      JSON.stringify({ ...p256().export({ format: 'jwk' }), kid: 'mine', k: 'x', oth: [] }),
    'Ed25519 in PKCS#8': () => pem(ed25519()),
    'Ed25519 as a JWK': () => JSON.stringify(ed25519().export({ format: 'jwk' })),
  };
  for (const [what, text] of Object.entries(sources)) {
    it(`show nothing private (${what})`, async () => {
      const files = folder();
      const keys = await loadAssertionKeys({ issuer, keys: [files.write('key', text())] }, Date.now);
      for (const jwk of keys.published().keys) {
        const members = new Set(['kty', 'crv', 'x', 'y', 'kid', 'use', 'alg']);
        expect(Object.keys(jwk).filter((name) => !members.has(name))).toEqual([]);
        expect(createPublicKey({ key: jwk as never, format: 'jwk' }).type).toBe('public');
        expect(jwk).toMatchObject({ use: 'sig' });
        expect(jwk.kid).toMatch(/^[\w-]{43}$/);
      }
    });
  }

  const unusable: Readonly<Record<string, () => string>> = {
    'an RSA key': () => pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    'a P-384 key': () => pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey),
    'a secp256k1 key': () => pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey),
    'an X25519 key': () => pem(generateKeyPairSync('x25519').privateKey),
    'a public key': () => createPublicKey(p256()).export({ type: 'spki', format: 'pem' }) as string,
    'a public JWK': () => JSON.stringify(createPublicKey(p256()).export({ format: 'jwk' })),
    'a symmetric JWK': () => JSON.stringify({ kty: 'oct', k: 'c2VjcmV0LXdvcmQ' }),
    'a key set': () => JSON.stringify({ keys: [p256().export({ format: 'jwk' })] }),
    'an encrypted key': () =>
      p256().export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }) as string,
    'broken JSON': () => '{"kty": "EC", "d": "c2VjcmV0LXdvcmQ"',
    nothing: () => '',
    words: () => 'c2VjcmV0LXdvcmQ',
  };
  for (const [what, text] of Object.entries(unusable)) {
    it(`should NOT be ${what}; the error names the file and not what is in it`, async () => {
      const files = folder();
      const file = files.write('key', text());
      const failure = await loadAssertionKeys({ issuer, keys: [file] }, Date.now).then(
        () => undefined,
        (error: Error) => error,
      );
      expect(failure?.message.startsWith(`${file}: `)).toBe(true);
      expect(`${failure?.stack}${String(failure?.cause)}`).not.toContain('c2VjcmV0LXdvcmQ');
    });
  }

  it('stay as they were where a file is not usable', async () => {
    const files = folder();
    const file = files.write('key', pem(p256()));
    const keys = await loadAssertionKeys({ issuer, keys: [file] }, Date.now);
    const before = keys.published();
    files.write('key', 'nonsense');
    await expect(keys.reload()).rejects.toThrow(file);
    expect(keys.published()).toEqual(before);
  });

  it('are not the same one twice', async () => {
    const files = folder();
    const key = pem(p256());
    const [one, two] = [files.write('one', key), files.write('two', key)];
    await expect(loadAssertionKeys({ issuer, keys: [one, two] }, Date.now)).rejects.toThrow(
      `${two}: the same key as in ${one}`,
    );
  });
});
