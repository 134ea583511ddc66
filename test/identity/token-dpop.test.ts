import { createHmac, generateKeyPairSync, randomUUID, sign as signBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { createIdentity, type Identity } from '../../src/identity/identity.ts';
import { authenticatorsOptions, dpopOptions, resourceOptions } from '../../src/identity/options.ts';
import type { ReplayMetrics } from '../../src/identity/token.ts';
import { type Holder, hashOf, makeHolder, target } from './holder.ts';
import { encode, issuer, makeIssuer, now, type TestIssuer } from './issuer.ts';
import { evidenceOf, type Presented } from './support.ts';

/** Proofs of possession (RFC 9449): each check of section 4.3 broken one at a time. */

const time = now * 1000;

let idp: TestIssuer;
let holder: Holder;
let thief: Holder;
let token: string;

beforeAll(async () => {
  [idp, holder, thief] = await Promise.all([makeIssuer(), makeHolder(), makeHolder()]);
  token = await bound(holder);
});

const bound = (to: Holder, claims: Record<string, unknown> = {}) =>
  idp.sign({ aud: target, cnf: { jkt: to.thumbprint }, ...claims });

const resources = new Map([
  ['warehouse', resourceOptions.parse({ resource: target })],
  ['payroll', resourceOptions.parse({ resource: 'https://mcp.example/payroll', audiences: [target] })],
]);

function identityOf(
  dpop: Record<string, unknown> = {},
  entry: Record<string, unknown> = {},
  metrics: ReplayMetrics = { replayMemoryFull: () => {} },
): Identity {
  const parts = { issuer, audience: target, keys: 'jwks', dpop, ...entry };
  const authenticators = authenticatorsOptions.parse([{ token: JSON.parse(JSON.stringify(parts)) }]);
  return createIdentity(
    { authenticators, resources },
    { readFile: () => idp.jwks, nonceKeys: [Buffer.alloc(32, 7)], metrics },
  );
}

async function show(identity: Identity, proof: string | undefined, presented: Presented = {}) {
  return identity.authenticate(
    evidenceOf({
      authorization: `DPoP ${token}`,
      time,
      ...(proof === undefined ? {} : { dpop: proof }),
      ...presented,
    }),
  );
}

async function verdict(identity: Identity, proof: string | undefined, presented: Presented = {}) {
  const answer = await show(identity, proof, presented);
  return answer.ok ? 'in' : answer.reason;
}

const challengeOf = (answer: Awaited<ReturnType<typeof show>>) =>
  answer.ok ? undefined : answer.error.headers?.['WWW-Authenticate'];

describe('a proof of the key that the token names', () => {
  test('lets its caller in, again and again, each time with a new one', async () => {
    const identity = identityOf();
    for (let round = 0; round < 3; round++) {
      const answer = await show(identity, await holder.prove(token));
      expect(answer).toMatchObject({ ok: true, principal: { credentials: [{ bound: 'dpop' }] } });
    }
  });

  test.each(['EdDSA', 'RS256'] as const)('may be made with %s', async (alg) => {
    const other = await makeHolder(alg);
    const theirs = await bound(other);
    const proof = await other.prove(theirs);
    expect(await verdict(identityOf(), proof, { authorization: `dpop ${theirs}` })).toBe('in');
  });

  test.each<[string, Record<string, unknown>, Presented]>([
    ['for GET', { htm: 'GET' }, { verb: 'GET' }],
    ['for DELETE', { htm: 'DELETE' }, { verb: 'DELETE' }],
    ['with a query in its target', { htu: `${target}?x=1` }, {}],
    ['with a default port', { htu: 'https://mcp.example:443/warehouse' }, {}],
    ['with capitals in its host', { htu: 'https://MCP.example/warehouse' }, {}],
    ['nearly too old', { iat: now - 59 }, {}],
    ['of a clock that is ahead', { iat: now + 30 }, {}],
    ['with claims that nobody asked for', { nonce: 'x', x: 1 }, {}],
    ['with an id of 256 characters', { jti: 'x'.repeat(256) }, {}],
    ['with an id of one character', { jti: 'x' }, {}],
    ['for another route', { htu: 'https://mcp.example/payroll' }, { upstream: 'payroll' }],
  ])('%s', async (_, claims, presented) => {
    expect(await verdict(identityOf(), await holder.prove(token, claims), presented)).toBe('in');
  });
});

test('a proof of 4096 bytes is read, and a longer one is not', async () => {
  // Text in base64 cannot have every length: the header has its part in it.
  const sized = async (length: number) => {
    for (const kid of ['', 'k', 'kk']) {
      const about = async (padding: number) => holder.prove(token, { x: 'x'.repeat(padding) }, { kid });
      const empty = (await about(0)).length;
      for (let padding = Math.floor(((length - empty) * 3) / 4) - 2; padding < 4096; padding++) {
        const proof = await about(padding);
        if (proof.length === length) return proof;
        if (proof.length > length) break;
      }
    }
    throw new Error('no proof has this length');
  };
  expect(await verdict(identityOf(), await sized(4096))).toBe('in');
  expect(await verdict(identityOf(), await sized(4097))).toBe('dpop-proof-too-large');
});

describe('each check of section 4.3, broken alone', () => {
  const breaks: readonly (readonly [string, () => Promise<string | undefined> | string, string])[] = [
    ['no proof', () => Promise.resolve(undefined), 'dpop-proof-missing'],
    ['an empty one', () => '', 'dpop-proof-malformed'],
    [
      'two in one',
      async () => `${await holder.prove(token)}, ${await holder.prove(token)}`,
      'dpop-proof-malformed',
    ],
    ['the access token', () => token, 'dpop-proof-type'],
    ['one part', async () => (await holder.prove(token)).split('.')[0], 'dpop-proof-malformed'],
    ['no signature', async () => (await holder.prove(token)).replace(/[^.]+$/, ''), 'dpop-proof-malformed'],
    [
      'no payload',
      async () => (await holder.prove(token)).replace(/\.[^.]+\./, '..'),
      'dpop-proof-malformed',
    ],
    ['white space', async () => ` ${await holder.prove(token)}`, 'dpop-proof-malformed'],
    ['padding', async () => `${await holder.prove(token)}=`, 'dpop-proof-malformed'],
    ['too long', () => holder.prove(token, { x: 'x'.repeat(4096) }), 'dpop-proof-too-large'],
    ...['jti', 'htm', 'htu', 'iat', 'ath'].map(
      (name) =>
        [
          `no ${name}`,
          () => holder.prove(token, { [name]: undefined }),
          {
            jti: 'dpop-proof-id',
            htm: 'dpop-proof-method',
            htu: 'dpop-proof-target',
            iat: 'dpop-proof-time',
            ath: 'dpop-proof-token',
          }[name]!,
        ] as const,
    ),
    ...[undefined, 'JWT', 'at+jwt', 'DPOP+JWT', 'application/dpop+jwt', 'dpop+jwt ', ['dpop+jwt'], null].map(
      (typ) =>
        [`typ ${JSON.stringify(typ)}`, () => holder.prove(token, {}, { typ }), 'dpop-proof-type'] as const,
    ),
    ...['none', 'HS256', 'ES384', 'ES512', 'es256', '', null, ['ES256']].map(
      (alg) =>
        [
          `alg ${JSON.stringify(alg)}`,
          () => forge({ alg, typ: 'dpop+jwt', jwk: holder.jwk }),
          'dpop-proof-algorithm',
        ] as const,
    ),
    ...['crit', 'b64', 'cty', 'jku', 'x5u', 'x5c'].map(
      (name) =>
        [
          `a ${name}`,
          () => forge({ alg: 'ES256', typ: 'dpop+jwt', jwk: holder.jwk, [name]: [] }),
          'dpop-proof-header',
        ] as const,
    ),
    ['no key', () => holder.prove(token, {}, { jwk: undefined }), 'dpop-proof-key'],
    ['null for a key', () => forge({ alg: 'ES256', typ: 'dpop+jwt', jwk: null }), 'dpop-proof-key'],
    ['a key as text', () => holder.prove(token, {}, { jwk: JSON.stringify(holder.jwk) }), 'dpop-proof-key'],
    ['a list of keys', () => holder.prove(token, {}, { jwk: [holder.jwk] }), 'dpop-proof-key'],
    [
      'the private key',
      () => holder.prove(token, {}, { jwk: holder.privateKey.export({ format: 'jwk' }) }),
      'dpop-proof-key',
    ],
    ['a private member', () => holder.prove(token, {}, { jwk: { ...holder.jwk, d: '' } }), 'dpop-proof-key'],
    [
      'a private member null',
      () => holder.prove(token, {}, { jwk: { ...holder.jwk, d: null } }),
      'dpop-proof-key',
    ],
    [
      'a symmetric key',
      () => forge({ alg: 'ES256', typ: 'dpop+jwt', jwk: { kty: 'oct', k: 'AAAA' } }),
      'dpop-proof-key',
    ],
    [
      'a key of no kind',
      () => holder.prove(token, {}, { jwk: { ...holder.jwk, kty: 'EC2' } }),
      'dpop-proof-key',
    ],
    [
      'a key without y',
      () => holder.prove(token, {}, { jwk: { ...holder.jwk, y: undefined } }),
      'dpop-proof-key',
    ],
    [
      'a key with a number for x',
      () => holder.prove(token, {}, { jwk: { ...holder.jwk, x: 1 } }),
      'dpop-proof-key',
    ],
    ['the key of a thief', () => thief.prove(token), 'dpop-key'],
    [
      'the right key, signed by a thief',
      () => holder.prove(token, {}, {}, thief.privateKey),
      'dpop-proof-signature',
    ],
    [
      'a thief’s key under the right name',
      () => thief.prove(token, {}, { jwk: { ...thief.jwk, kid: holder.thumbprint } }),
      'dpop-key',
    ],
    ['another curve', () => holder.prove(token, {}, { jwk: { ...holder.jwk, crv: 'P-384' } }), 'dpop-key'],
    [
      'two keys in one',
      () =>
        forge(
          `{"alg":"ES256","typ":"dpop+jwt","jwk":${JSON.stringify(thief.jwk)},"jwk":${JSON.stringify(holder.jwk)}}`,
        ),
      'dpop-proof-malformed',
    ],
    ...['get', 'post', 'Post', 'GET', 'PUT', 'POST ', '', ['POST'], null, 1].map(
      (htm) =>
        [`htm ${JSON.stringify(htm)}`, () => holder.prove(token, { htm }), 'dpop-proof-method'] as const,
    ),
    ...[
      'https://mcp.example/payroll',
      'https://mcp.example/warehouse/',
      'https://mcp.example/Warehouse',
      'https://mcp.example/warehouse/x/..',
      'https://mcp.example/warehouse%2F',
      'http://mcp.example/warehouse',
      'https://mcp.example:8443/warehouse',
      'https://mcp.example.evil.example/warehouse',
      'https://evil.example/warehouse',
      'https://mcp.example@evil.example/warehouse',
      'https://evil.example\\@mcp.example/warehouse',
      'https://mcp.example\\warehouse',
      'https://ｍcp.example/warehouse',
      'http://127.0.0.1:3001/warehouse',
      '/warehouse',
      'warehouse',
      '',
      [target],
      null,
      {},
    ].map(
      (htu) =>
        [`htu ${JSON.stringify(htu)}`, () => holder.prove(token, { htu }), 'dpop-proof-target'] as const,
    ),
    ...[now - 60, now - 86_400, now + 31, now * 1000, -now, 0, String(now), [now], true, null].map(
      (iat) => [`iat ${JSON.stringify(iat)}`, () => holder.prove(token, { iat }), 'dpop-proof-time'] as const,
    ),
    ...['', 'x'.repeat(257), 1, null, ['x'], {}].map(
      (jti) =>
        [
          `jti ${JSON.stringify(jti).slice(0, 20)}`,
          () => holder.prove(token, { jti }),
          'dpop-proof-id',
        ] as const,
    ),
    [
      'the hash of another token',
      async () => holder.prove(await bound(holder, { sub: 'bob' })),
      'dpop-proof-token',
    ],
    [
      'the hash in hexadecimal',
      () => holder.prove(token, { ath: Buffer.from(hashOf(token), 'base64url').toString('hex') }),
      'dpop-proof-token',
    ],
    ['the hash in base64', () => holder.prove(token, { ath: `${hashOf(token)}=` }), 'dpop-proof-token'],
    ['the hash in a list', () => holder.prove(token, { ath: [hashOf(token)] }), 'dpop-proof-token'],
    ['the token for its hash', () => holder.prove(token, { ath: token.slice(0, 40) }), 'dpop-proof-token'],
  ];

  /** Signed with the holder's own key, whatever the header says. */
  function forge(header: unknown): string {
    const claims = { jti: randomUUID(), htm: 'POST', htu: target, iat: now, ath: hashOf(token) };
    const text = `${encode(header)}.${encode(claims)}`;
    const key = { key: holder.privateKey, dsaEncoding: 'ieee-p1363' as const };
    return `${text}.${signBytes('sha256', Buffer.from(text), key).toString('base64url')}`;
  }

  test.each(breaks)('%s', async (_, make, reason) => {
    const identity = identityOf();
    const proof = await make();
    const answer = await show(identity, proof);
    expect(answer.ok ? 'in' : answer.reason).toBe(reason);
    expect(challengeOf(answer)).toMatch(/^DPoP .*error="invalid_dpop_proof"/);
    // The same once the token is remembered: a good proof opens the door for itself alone.
    expect(await verdict(identity, await holder.prove(token))).toBe('in');
    expect(await verdict(identity, proof)).toBe(reason);
  });

  test('the public key as the secret of an HMAC', async () => {
    const claims = { jti: randomUUID(), htm: 'POST', htu: target, iat: now, ath: hashOf(token) };
    for (const alg of ['HS256', 'ES256']) {
      for (const secret of [JSON.stringify(holder.jwk), holder.jwk.x!, '']) {
        const text = `${encode({ alg, typ: 'dpop+jwt', jwk: holder.jwk })}.${encode(claims)}`;
        const proof = `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
        expect(await verdict(identityOf(), proof)).toMatch(/^dpop-proof-(algorithm|key|signature)$/);
      }
    }
  });

  test('a key that is too weak', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const jwk = publicKey.export({ format: 'jwk' });
    const { calculateJwkThumbprint } = await import('jose');
    const weakly = await idp.sign({ aud: target, cnf: { jkt: await calculateJwkThumbprint(jwk) } });
    const claims = { jti: 'x', htm: 'POST', htu: target, iat: now, ath: hashOf(weakly) };
    const text = `${encode({ alg: 'RS256', typ: 'dpop+jwt', jwk })}.${encode(claims)}`;
    const proof = `${text}.${signBytes('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
    expect(await verdict(identityOf(), proof, { authorization: `DPoP ${weakly}` })).toBe('dpop-proof-key');
  });
});

describe('a proof passes once', () => {
  test('also with a token that is remembered, and in another guise', async () => {
    const identity = identityOf();
    const proof = await holder.prove(token, { jti: 'once' });
    expect(await verdict(identity, proof)).toBe('in');
    for (let round = 0; round < 3; round++) expect(await verdict(identity, proof)).toBe('dpop-replayed');
    // ECDSA signs the same words in as many ways as one likes: the id is what counts.
    expect(await verdict(identity, await holder.prove(token, { jti: 'once' }))).toBe('dpop-replayed');
    expect(await verdict(identity, await holder.prove(token, { jti: 'once', iat: now - 1, x: 1 }))).toBe(
      'dpop-replayed',
    );
    expect(await verdict(identity, await holder.prove(token, { jti: 'twice' }))).toBe('in');
  });

  test('of many that come at the same time, one passes', async () => {
    for (const warm of [false, true]) {
      const identity = identityOf();
      if (warm) await show(identity, await holder.prove(token));
      const proof = await holder.prove(token);
      const verdicts = await Promise.all(Array.from({ length: 20 }, () => verdict(identity, proof)));
      expect(verdicts.filter((each) => each === 'in')).toHaveLength(1);
      expect(verdicts.filter((each) => each === 'dpop-replayed')).toHaveLength(19);
    }
  });

  test('until it is too old, at the very moment', async () => {
    const identity = identityOf();
    const proof = await holder.prove(token);
    expect(await verdict(identity, proof)).toBe('in');
    expect(await verdict(identity, proof, { time: time + 59_999 })).toBe('dpop-replayed');
    expect(await verdict(identity, proof, { time: time + 60_000 })).toBe('dpop-proof-time');
    expect(await verdict(identity, proof, { time })).not.toBe('in');
  });

  test('one of another holder may have the same id', async () => {
    const identity = identityOf();
    const theirs = await bound(thief, { sub: 'mallory' });
    expect(await verdict(identity, await holder.prove(token, { jti: 'same' }))).toBe('in');
    const proof = await thief.prove(theirs, { jti: 'same' });
    expect(await verdict(identity, proof, { authorization: `DPoP ${theirs}` })).toBe('in');
  });

  test('one that failed takes no room, and its id may be used', async () => {
    const identity = identityOf({ replay: 100 });
    for (let index = 0; index < 150; index++) {
      expect(
        await verdict(identity, await holder.prove(token, { jti: `i${index}` }, {}, thief.privateKey)),
      ).toBe('dpop-proof-signature');
    }
    expect(await verdict(identity, await holder.prove(token, { jti: 'i0' }))).toBe('in');
  });

  test('one caller, with whatever keys, fills its share, and keeps nobody else out', async () => {
    const full: string[] = [];
    const identity = identityOf({ replay: 100 }, {}, { replayMemoryFull: (upstream) => full.push(upstream) });
    const second = await makeHolder();
    const used: string[] = [];
    for (let index = 0; index < 20; index++) {
      const [key, itsToken] = index % 2 === 0 ? [holder, token] : [second, await bound(second)];
      used.push(await key.prove(itsToken));
      expect(await verdict(identity, used.at(-1), { authorization: `DPoP ${itsToken}` })).toBe('in');
    }
    for (const key of [holder, second, await makeHolder()]) {
      const itsToken = key === holder ? token : await bound(key);
      const presented = { authorization: `DPoP ${itsToken}` };
      expect(await verdict(identity, await key.prove(itsToken), presented)).toBe('dpop-replay-memory-full');
    }
    expect(full).toEqual(['warehouse', 'warehouse', 'warehouse']);
    const theirs = await bound(thief, { sub: 'bob' });
    expect(await verdict(identity, await thief.prove(theirs), { authorization: `DPoP ${theirs}` })).toBe(
      'in',
    );
    expect(await verdict(identity, used[0])).toBe('dpop-replayed');
    const later = { time: time + 70_000 };
    expect(await verdict(identity, await holder.prove(token, { iat: now + 70 }), later)).toBe('in');
  });
});

describe('the scheme is part of the proof', () => {
  test('a bound token is refused as Bearer, with a proof and without', async () => {
    const identity = identityOf();
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const presented = { authorization: `${scheme} ${token}` };
      expect(await verdict(identity, undefined, presented)).toBe('dpop-scheme');
      expect(await verdict(identity, await holder.prove(token), presented)).toBe('dpop-scheme');
    }
    expect(await verdict(identity, await holder.prove(token))).toBe('in');
    expect(await verdict(identity, undefined, { authorization: `Bearer ${token}` })).toBe('dpop-scheme');
  });

  test('a token that is bound to no key is refused as DPoP', async () => {
    const identity = identityOf();
    for (const cnf of [undefined, { 'x5t#S256': 'x' }]) {
      const free = await idp.sign({ aud: target, cnf });
      const presented = { authorization: `DPoP ${free}` };
      expect(await verdict(identity, await holder.prove(free), presented)).toBe('dpop-token-unbound');
      expect(await verdict(identity, undefined, presented)).toBe('dpop-token-unbound');
    }
  });

  test('a proof beside another scheme is nobody’s business', async () => {
    const identity = identityOf();
    const free = await idp.sign({ aud: target });
    for (const proof of [await holder.prove(free), 'nonsense']) {
      expect(await verdict(identity, proof, { authorization: `Bearer ${free}` })).toBe('in');
    }
  });

  test('a proof without a token is nothing', async () => {
    const answer = await identityOf().authenticate(evidenceOf({ dpop: await holder.prove(token), time }));
    expect(answer).toMatchObject({ ok: false, reason: 'nothing-presented' });
  });

  test('without dpop, neither scheme takes a bound token', async () => {
    const identity = identityOf({}, { dpop: undefined });
    expect(await verdict(identity, await holder.prove(token))).toBe('authorization-unclaimed');
    expect(await verdict(identity, undefined, { authorization: `Bearer ${token}` })).toBe(
      'token-binding-unsupported',
    );
  });

  test('at a route without a public URL no proof holds', async () => {
    expect(await verdict(identityOf(), await holder.prove(token), { upstream: 'bare' })).toBe(
      'dpop-resource-unknown',
    );
  });

  test('what is wrong with the token is said of the token', async () => {
    const old = await bound(holder, { exp: now - 60 });
    const answer = await show(identityOf(), await holder.prove(old), { authorization: `DPoP ${old}` });
    expect(answer).toMatchObject({ ok: false, reason: 'token-expired' });
    expect(challengeOf(answer)).toMatch(/^DPoP .*error="invalid_token"/);
    expect(challengeOf(answer)).toContain('algs="ES256 EdDSA Ed25519 PS256 RS256"');
  });
});

test('what is wrong with a token that came as Bearer is said to Bearer', async () => {
  const old = await idp.sign({ aud: target, exp: now - 60 });
  const answer = await show(identityOf(), undefined, { authorization: `Bearer ${old}` });
  expect(answer).toMatchObject({ ok: false, reason: 'token-expired' });
  expect(challengeOf(answer)).toMatch(/^Bearer .*error="invalid_token", DPoP algs=/);
  expect(challengeOf(answer)).not.toMatch(/DPoP error/);
});

test('nothing but a full memory is counted as one', async () => {
  const full: string[] = [];
  const identity = identityOf({}, {}, { replayMemoryFull: (upstream) => full.push(upstream) });
  const proof = await holder.prove(token);
  expect(await verdict(identity, proof)).toBe('in');
  expect(await verdict(identity, proof)).toBe('dpop-replayed');
  expect(await verdict(identity, undefined)).toBe('dpop-proof-missing');
  expect(full).toEqual([]);
});

describe('tokens that are bound to nobody', () => {
  test('a binding that nobody checks cannot be required', () => {
    const entry = { issuer, audience: target, keys: 'jwks', requireBinding: ['dpop'] };
    expect(authenticatorsOptions.safeParse([{ token: entry }]).success).toBe(false);
    expect(authenticatorsOptions.safeParse([{ token: { ...entry, dpop: {} } }]).success).toBe(true);
  });

  const thumbprint = Buffer.from('ab'.repeat(32), 'hex').toString('base64url');
  const certificate = { raw: Buffer.alloc(0), fingerprint256: 'ab'.repeat(32), anchorFingerprint256: '' };

  test.each<[readonly string[], readonly string[]]>([
    [['dpop'], ['dpop']],
    [['certificate'], ['certificate']],
    [
      ['certificate', 'dpop'],
      ['certificate', 'dpop'],
    ],
  ])('are refused where %j is required', async (requireBinding, accepted) => {
    const identity = identityOf({}, { requireBinding });
    const free = await idp.sign({ aud: target });
    expect(await verdict(identity, undefined, { authorization: `Bearer ${free}` })).toBe('token-unbound');
    const byCertificate = await idp.sign({ aud: target, cnf: { 'x5t#S256': thumbprint } });
    expect(
      await verdict(identity, undefined, { authorization: `Bearer ${byCertificate}`, certificate }),
    ).toBe(accepted.includes('certificate') ? 'in' : 'token-unbound');
    expect(await verdict(identity, await holder.prove(token))).toBe(
      accepted.includes('dpop') ? 'in' : 'token-unbound',
    );
  });
});

describe('nonces', () => {
  test('are asked for, and then let in', async () => {
    const identity = identityOf({ nonce: 'required' });
    const first = await show(identity, await holder.prove(token));
    expect(first).toMatchObject({ ok: false, reason: 'dpop-nonce' });
    expect(challengeOf(first)).toMatch(/^DPoP .*error="use_dpop_nonce"/);
    const nonce = first.ok ? '' : first.error.headers?.['DPoP-Nonce'];
    expect(nonce).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await verdict(identity, await holder.prove(token, { nonce }))).toBe('in');
    // A proof that was refused for its nonce was not used up.
    for (const wrong of ['', 'x', nonce?.toLowerCase(), [nonce], null]) {
      expect(await verdict(identity, await holder.prove(token, { nonce: wrong }))).toBe('dpop-nonce');
    }
    const later = { time: time + 120_000 };
    expect(await verdict(identity, await holder.prove(token, { nonce, iat: now + 120 }), later)).toBe(
      'dpop-nonce',
    );
  });

  test('are not spoken of where nobody asks for them', async () => {
    const answer = await show(identityOf(), undefined);
    expect(answer.ok ? {} : answer.error.headers).not.toHaveProperty('DPoP-Nonce');
  });
});

test.each<[string, unknown]>([
  ['a symmetric algorithm', { algorithms: ['HS256'] }],
  ['none', { algorithms: ['none'] }],
  ['no algorithm', { algorithms: [] }],
  ['a window beyond five minutes', { window: '301s' }],
  ['no window', { window: '0s' }],
  ['no memory', { replay: 0 }],
  ['a memory without end', { replay: 1e9 }],
  ['a nonce of another kind', { nonce: 'sometimes' }],
  ['a key that is not known', { windows: '60s' }],
])('cannot be configured: %s', (_, options) => {
  expect(dpopOptions.safeParse(options).success).toBe(false);
});
