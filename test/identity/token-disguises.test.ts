import {
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
  sign as signBytes,
} from 'node:crypto';
import fc from 'fast-check';
import { CompactEncrypt, FlattenedSign, GeneralSign } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { createIdentity, type Identity } from '../../src/identity/identity.ts';
import { authenticatorsOptions } from '../../src/identity/options.ts';
import { audience, encode, good, issuer, makeIssuer, now, type TestIssuer } from './issuer.ts';
import { evidenceOf } from './support.ts';

/** Everything that could be taken for a good token and is none: not one of them may name a caller. */

const otherIssuer = 'https://other.example';
const time = now * 1000;

let idp: TestIssuer;
let other: TestIssuer;
let identity: Identity;
let keys: Record<string, KeyPairKeyObjectResult>;

beforeAll(async () => {
  idp = await makeIssuer('k1');
  other = await makeIssuer('other-key');
  keys = {
    rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    weak: generateKeyPairSync('rsa', { modulusLength: 1024 }),
    p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    ed: generateKeyPairSync('ed25519'),
    x25519: generateKeyPairSync('x25519'),
  };
  const published = Object.entries(keys).map(([kid, { publicKey }]) => ({
    ...publicKey.export({ format: 'jwk' }),
    kid,
  }));
  const jwks = JSON.stringify({ keys: [...JSON.parse(idp.jwks).keys, ...published] });
  const algorithms = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA', 'Ed25519'];
  identity = createIdentity(
    {
      authenticators: authenticatorsOptions.parse([
        { token: { issuer, audience, keys: 'idp.json', algorithms } },
        { token: { issuer: otherIssuer, audience, keys: 'other.json' } },
      ]),
    },
    { readFile: (path) => (path === 'idp.json' ? jwks : other.jwks) },
  );
});

async function show(token: string): Promise<string> {
  const answer = await identity.authenticate(evidenceOf({ authorization: `Bearer ${token}`, time }));
  return answer.ok ? `in: ${answer.principal.id}` : `refused: ${answer.error.code}`;
}

const refused = 'refused: credential-invalid';
const alice = `in: token:${issuer}#alice`;

const p1363 = (key: KeyObject) => ({ key, dsaEncoding: 'ieee-p1363' as const });

/** Signs whatever bytes stand before the second dot, as ES256 does. */
function signed(header: unknown, payload: string | Buffer, key: KeyObject = idp.privateKey): string {
  const text = `${encode(header)}.${Buffer.from(payload as string).toString('base64url')}`;
  return `${text}.${signBytes('sha256', Buffer.from(text), p1363(key)).toString('base64url')}`;
}

const head = { alg: 'ES256', typ: 'at+jwt', kid: 'k1' };
const claims = JSON.stringify(good);
const withClaims = (members: Record<string, unknown>) => JSON.stringify({ ...good, ...members });
/** Claims with one member written as a test wants it, JSON or not. */
const written = (member: string) => `${claims.slice(0, -1)},${member}}`;
const without = (name: string) => JSON.stringify({ ...good, [name]: undefined });

describe('honest variations are let in', () => {
  const honest: readonly (readonly [string, () => string | Promise<string>])[] = [
    ['as the issuer writes it', () => idp.sign()],
    ['as bytes of our own', () => signed(head, claims)],
    [
      'without a kid where one key fits its algorithm',
      () => other.sign({ iss: otherIssuer }, { kid: undefined }),
    ],
    ['with white space in its JSON', () => signed(head, JSON.stringify(good, null, 2))],
    ['with escapes in its JSON', () => signed(head, claims.replace('alice', '\\u0061lice'))],
    ['with its members in another order', () => signed({ kid: 'k1', alg: 'ES256', typ: 'JWT' }, claims)],
    ['with several audiences', () => signed(head, withClaims({ aud: ['https://a.example', audience] }))],
    ['with a fraction of a second', () => signed(head, withClaims({ exp: now + 300.5, iat: now - 0.5 }))],
    ['with claims that nobody knows', () => signed(head, withClaims({ x: { y: [1, null, { z: 'é😀' }] } }))],
    ['of a subject with letters of all kinds', () => signed(head, withClaims({ sub: 'Ålice 王😀' }))],
    ['with a header that nobody knows', () => signed({ ...head, x: 1 }, claims)],
    [
      'of a workload that is its own subject',
      () => signed(head, withClaims({ sub: 'etl', client_id: 'etl' })),
    ],
    ['signed with RS256', () => idp.sign({}, { alg: 'RS256', kid: 'rsa' }, keys['rsa']!.privateKey)],
    ['signed with PS256', () => idp.sign({}, { alg: 'PS256', kid: 'rsa' }, keys['rsa']!.privateKey)],
    ['signed with ES384', () => idp.sign({}, { alg: 'ES384', kid: 'p384' }, keys['p384']!.privateKey)],
    ['signed with EdDSA', () => idp.sign({}, { alg: 'EdDSA', kid: 'ed' }, keys['ed']!.privateKey)],
  ];
  test.each(honest)('%s', async (_, make) => {
    expect(await show(await make())).toMatch(/^in: token:https:\/\//);
  });
});

describe('none and HMAC', () => {
  const spellings = ['none', 'None', 'NONE', 'nOnE', 'none\0', ' none', 'none ', 'nоne', 'no\u006ee', ''];
  test.each([...spellings, null, 0, false, [], {}, ['none'], ['ES256'], { alg: 'ES256' }])(
    'alg %j',
    async (alg) => {
      const signature = (await idp.sign()).split('.')[2];
      const text = `${encode({ ...head, alg })}.${encode(claims)}`;
      const hmac = createHmac('sha256', '').update(text).digest('base64url');
      for (const token of [
        text,
        `${text}.`,
        `${text}..`,
        `${text}.${signature}`,
        `${text}.${hmac}`,
        `${text}.AA`,
      ]) {
        expect(await show(token)).toBe(refused);
      }
    },
  );

  test.each([
    'HS256',
    'HS384',
    'HS512',
    'hs256',
    'HS1',
    'RS256',
    'ES256',
    'ES256K',
    'PS256',
    'EdDSA',
    'dir',
    'A128KW',
  ])('the public key in any form as the secret of an HMAC called %s', async (alg) => {
    const jwk = idp.publicKey.export({ format: 'jwk' });
    const rsa = keys['rsa']!.publicKey;
    const secrets = [
      ...[idp.publicKey, rsa].flatMap((key) => {
        const pem = key.export({ format: 'pem', type: 'spki' }) as string;
        return [pem, pem.trim(), pem.replaceAll('\n', '\r\n'), key.export({ format: 'der', type: 'spki' })];
      }),
      rsa.export({ format: 'pem', type: 'pkcs1' }) as string,
      JSON.stringify(jwk),
      idp.jwks,
      jwk.x!,
      Buffer.from(jwk.x!, 'base64url'),
      rsa.export({ format: 'jwk' }).n!,
      Buffer.from(rsa.export({ format: 'jwk' }).n!, 'base64url'),
      'k1',
      '',
      '\0',
      'secret',
    ];
    for (const secret of secrets) {
      for (const kid of ['k1', 'rsa', undefined]) {
        for (const hash of ['sha256', 'sha512']) {
          const text = `${encode({ ...head, alg, kid })}.${encode(claims)}`;
          const token = `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
          expect(await show(token)).toBe(refused);
        }
      }
    }
  });
});

describe('keys that the token names or brings', () => {
  test.each([
    '../../../dev/null',
    '/dev/null',
    'file:///dev/null',
    'https://evil.example/key.pem',
    "k1' OR '1'='1",
    "' UNION SELECT 'key' --",
    'k1; cat /etc/passwd',
    '$(id)',
    'k1\0',
    'k1 ',
    ' k1',
    'K1',
    'k%31',
    '__proto__',
    'constructor',
    'other-key',
    '0',
    '',
    ['k1'],
    { kid: 'k1' },
    1,
    true,
    null,
    'k'.repeat(257),
    'k'.repeat(5000),
  ])('kid %j', async (kid) => {
    expect(await show(signed({ ...head, kid }, claims))).toBe(refused);
    expect(await show(signed({ ...head, kid }, claims, other.privateKey))).toBe(refused);
  });

  test('the key of another issuer that is trusted here', async () => {
    expect(await show(await other.sign())).toBe(refused);
    expect(await show(await other.sign({}, { kid: 'k1' }))).toBe(refused);
    expect(await show(await idp.sign({ iss: otherIssuer }))).toBe(refused);
    expect(await show(await idp.sign({ iss: otherIssuer }, { kid: 'other-key' }))).toBe(refused);
  });

  test('a key in the header, under all names', async () => {
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = own.publicKey.export({ format: 'jwk' });
    const members: Record<string, unknown>[] = [
      { jwk },
      { jwk: null },
      { jwk: [jwk] },
      { jku: 'https://idp.example/jwks' },
      { jku: 'data:application/json,{}' },
      { x5u: 'https://idp.example/cert' },
      { x5c: ['AAAA'] },
      { x5c: [] },
      { jwk, jku: 'https://evil.example', x5c: ['AAAA'] },
    ];
    for (const extra of members) {
      for (const key of [own.privateKey, idp.privateKey]) {
        expect(await show(signed({ ...head, ...extra }, claims, key))).toBe(refused);
      }
    }
    // Names that nobody reads do not lend their keys either.
    for (const name of ['JWK', 'Jwk', 'key', 'x5t', 'cnf', 'keys', 'pem']) {
      expect(await show(signed({ ...head, [name]: jwk }, claims, own.privateKey))).toBe(refused);
    }
  });
});

describe('headers', () => {
  const headers: readonly (readonly [string, unknown])[] = [
    ['crit empty', { ...head, crit: [] }],
    ['crit of an unknown extension', { ...head, crit: ['x'], x: 1 }],
    ['crit of exp', { ...head, crit: ['exp'], exp: now + 300 }],
    ['crit of alg', { ...head, crit: ['alg'] }],
    ['crit as text', { ...head, crit: 'b64' }],
    ['crit null', { ...head, crit: null }],
    ['b64 false', { ...head, b64: false }],
    ['b64 false and critical', { ...head, b64: false, crit: ['b64'] }],
    ['b64 true and critical', { ...head, b64: true, crit: ['b64'] }],
    ['cty of a nested token', { ...head, cty: 'JWT' }],
    ['cty of anything', { ...head, cty: 'json' }],
    ['no typ', { alg: 'ES256', kid: 'k1' }],
    ...[
      '',
      'id+jwt',
      'logout+jwt',
      'dpop+jwt',
      'oauth-id-jag+jwt',
      'secevent+jwt',
      'JOSE',
      'JWTX',
      'at+jwt ',
      'at jwt',
    ].map((typ) => [`typ ${JSON.stringify(typ)}`, { ...head, typ }] as const),
    ...[
      'JWT\0',
      'ＪＷＴ',
      'text/jwt',
      'application/application/jwt',
      'application/jwt;x=1',
      ['JWT'],
      { typ: 'JWT' },
      1,
      null,
      true,
    ].map((typ) => [`typ ${JSON.stringify(typ)}`, { ...head, typ }] as const),
    ['an algorithm that is not configured', { ...head, alg: 'ES512' }],
    ['an algorithm that nobody has', { ...head, alg: 'XX999' }],
    ['an algorithm in lower case', { ...head, alg: 'es256' }],
    ['an algorithm of another curve', { ...head, alg: 'ES384' }],
    ['an algorithm of another kind', { ...head, alg: 'RS256' }],
    ['no algorithm', { typ: 'at+jwt', kid: 'k1' }],
    ['a list', [head]],
    ['a text', 'ES256'],
    ['null', null],
    ['alg twice', '{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"k1"}'],
    ['alg twice, the good one first', '{"alg":"ES256","alg":"none","typ":"at+jwt","kid":"k1"}'],
    ['kid twice', '{"alg":"ES256","typ":"at+jwt","kid":"k1","kid":"other-key"}'],
    ['typ twice, once escaped', '{"alg":"ES256","typ":"at+jwt","kid":"k1","t\\u0079p":"JWT"}'],
    ['the prototype', '{"__proto__":{"alg":"ES256"},"alg":"ES256","typ":"at+jwt","kid":"k1"}'],
    ['a byte order mark', `\ufeff${JSON.stringify(head)}`],
    ['something after it', `${JSON.stringify(head)} `.concat('{}')],
    ['a NUL after it', `${JSON.stringify(head)}\0`],
  ];
  test.each(headers)('%s', async (_, header) => {
    expect(await show(signed(header, claims))).toBe(refused);
  });

  test('an unencoded payload', async () => {
    const text = `${encode({ ...head, b64: false, crit: ['b64'] })}.${claims}`;
    const signature = signBytes('sha256', Buffer.from(text), p1363(idp.privateKey)).toString('base64url');
    expect(await show(`${text}.${signature}`)).toBe(refused);
  });
});

describe('claims', () => {
  const payloads: readonly (readonly [string, () => string | Buffer])[] = [
    ...[
      `${audience}/`,
      `${audience}?`,
      `${audience}#`,
      `${audience} `,
      `${audience}/sub`,
      audience.slice(0, -1),
      audience.toUpperCase(),
      audience.replace('mcp', 'MCP'),
      audience.replace('https', 'http'),
      audience.replace('.example', '.example:443'),
      audience.replace('.example', '.example.'),
      audience.replace('mcp', 'mсp'),
      `${audience},https://a.example`,
      `${audience} https://a.example`,
      `["${audience}"]`,
      '*',
      '',
      [],
      [[audience]],
      [audience, [audience]],
      [audience, null],
      { [audience]: true },
      { 0: audience, length: 1 },
      null,
      true,
      0,
    ].map((aud) => [`aud ${JSON.stringify(aud)}`, () => withClaims({ aud })] as const),
    ...[
      `${issuer}/`,
      issuer.toUpperCase(),
      issuer.replace('idp', 'IDP'),
      `${issuer}:443`,
      issuer.replace('https', 'http'),
      `${issuer}.`,
      `${issuer} `,
      ` ${issuer}`,
      `${issuer}\0`,
      `${issuer}/..`,
      `${issuer}#x`,
      issuer.replace('idp', 'іdp'),
      'https://xn--dp-lmc.example',
      `${issuer}.evil.example`,
      `https://evil.example/${issuer}`,
      [issuer],
      { iss: issuer },
      null,
      '',
    ].map((iss) => [`iss ${JSON.stringify(iss)}`, () => withClaims({ iss })] as const),
    ...['iss', 'aud', 'sub', 'exp'].map((name) => [`no ${name}`, () => without(name)] as const),
    ...[
      '""',
      'null',
      'true',
      `"${now + 300}"`,
      `[${now + 300}]`,
      `{"exp":${now + 300}}`,
      '1e400',
      '-1e400',
      '9e307',
      '1e300',
      '-1',
      '0',
      '-0',
      String(now - 31),
      // Milliseconds where seconds belong.
      String((now + 300) * 1000),
      String(now + 11 * 365 * 86_400),
      'NaN',
      'Infinity',
      '-Infinity',
      'undefined',
      '0x7fffffff',
      '+1900000000',
      '1900000000.',
      '01900000000',
    ].map((exp) => [`exp ${exp}`, () => without('exp').slice(0, -1).concat(`,"exp":${exp}}`)] as const),
    ...[`"${now}"`, 'null', '1e400', '[]', String(now + 31), String((now + 31) * 1000)].map(
      (nbf) => [`nbf ${nbf}`, () => written(`"nbf":${nbf}`)] as const,
    ),
    ...[`"${now}"`, 'null', '1e400', '-1e400', '{}', String(now + 31)].map(
      (iat) => [`iat ${iat}`, () => without('iat').slice(0, -1).concat(`,"iat":${iat}}`)] as const,
    ),
    ...[
      '',
      7,
      null,
      true,
      ['alice'],
      { sub: 'alice' },
      'alice\0',
      'alice\n',
      'alice\u2028',
      'a'.repeat(513),
    ].map((sub) => [`sub ${JSON.stringify(sub).slice(0, 30)}`, () => withClaims({ sub })] as const),
    ['no sub, but a client', () => withClaims({ sub: undefined, client_id: 'alice' })],
    ['half a surrogate pair as sub', () => claims.replace('alice', '\\ud800')],
    ['sub twice', () => written('"sub":"root"')],
    ['sub twice, once escaped', () => written('"s\\u0075b":"root"')],
    ['aud twice', () => written(`"aud":"${audience}"`)],
    ['exp twice', () => written(`"exp":${now + 300}`)],
    ['iss twice', () => written(`"iss":"${issuer}"`)],
    ['scope twice', () => written('"scope":"read","scope":"admin"')],
    ['a member twice inside another one', () => written('"cnf":{"jkt":"a","jkt":"b"}')],
    ['the prototype', () => written('"__proto__":{"admin":true}')],
    ['a byte order mark', () => `\ufeff${claims}`],
    [
      'bytes that are no UTF-8',
      () =>
        Buffer.concat([Buffer.from(`${claims.slice(0, -1)},"x":"`), Buffer.from([0xff]), Buffer.from('"}')]),
    ],
    [
      'an overlong slash',
      () =>
        Buffer.concat([
          Buffer.from(`${claims.slice(0, -1)},"x":"`),
          Buffer.from([0xc0, 0xaf]),
          Buffer.from('"}'),
        ]),
    ],
    ['UTF-16', () => Buffer.from(claims, 'utf16le')],
    ['two objects', () => `${claims}${claims}`],
    ['a trailing comma', () => `${claims.slice(0, -1)},}`],
    ['a comment', () => `${claims}/**/`],
    ['a list', () => `[${claims}]`],
    ['a text', () => JSON.stringify(claims)],
    ['null', () => 'null'],
    ['nothing but braces', () => '{}'],
    ['deeper than anybody nests', () => written(`"x":${'['.repeat(500)}${']'.repeat(500)}`)],
    ...[
      null,
      'x',
      [],
      {},
      { jkt: 'x' },
      { kid: 'x' },
      { jwk: {} },
      { 'x5t#S256': 'x' },
      { 'x5t#S256': 1 },
      { x5t: 'x' },
    ].map((cnf) => [`cnf ${JSON.stringify(cnf)}`, () => withClaims({ cnf })] as const),
  ];
  test.each(payloads)('%s', async (_, make) => {
    expect(await show(signed(head, make()))).toBe(refused);
  });
});

describe('shapes', () => {
  test('JSON serialisations, nested and encrypted tokens', async () => {
    const payload = Buffer.from(claims);
    const flattened = await new FlattenedSign(payload).setProtectedHeader(head).sign(idp.privateKey);
    const general = await new GeneralSign(payload)
      .addSignature(idp.privateKey)
      .setProtectedHeader(head)
      .sign();
    const token = await idp.sign();
    const encrypted = await new CompactEncrypt(Buffer.from(token))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT' })
      .encrypt(keys['rsa']!.publicKey);
    for (const shape of [
      JSON.stringify(flattened),
      encode(flattened),
      JSON.stringify(general),
      encode(general),
      encode(token),
      encrypted,
      signed(head, token),
      signed(head, JSON.stringify(token)),
      signed({ ...head, cty: 'JWT' }, token),
    ]) {
      expect(await show(shape)).toBe(refused);
    }
  });

  test('cut, joined, padded and decorated', async () => {
    const token = await idp.sign();
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const shapes = [
      `${token}.`,
      `.${token}`,
      `${token}..`,
      `${header}..${payload}.${signature}`,
      `${token}.${signature}`,
      `${token}.x.y`,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}..${signature}`,
      `.${payload}.${signature}`,
      '..',
      '...',
      header,
      `${token}=`,
      `${token}==`,
      `${header}=.${payload}.${signature}`,
      `${header}.${payload}==.${signature}`,
      `${token}\n`,
      `${token}\0`,
      `${token} `,
      ` ${token}`,
      `${header}. ${payload}.${signature}`,
      `${header}.${payload}.${signature.slice(0, 40)}\t${signature.slice(40)}`,
      `"${token}"`,
      `${token},${token}`,
      `${token}${token}`,
      `${header}.${payload}.${signature.replaceAll('-', '+').replaceAll('_', '/')}=`,
      `${header}.${payload}.${Buffer.from(signature, 'base64url').toString('hex')}`,
      encodeURIComponent(`${token}%`),
      token.toLowerCase(),
      [...token].reverse().join(''),
    ];
    for (const shape of shapes) expect([shape, await show(shape)]).toEqual([shape, refused]);
    for (let length = 0; length < token.length; length += 7) {
      expect(await show(token.slice(0, length))).toBe(refused);
    }
    expect(await show(token)).toBe(alice);
  });

  test('bits that base64url leaves over', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const parts = (await idp.sign()).split('.');
    for (const [index, part] of parts.entries()) {
      for (const last of alphabet) {
        const changed = parts.with(index, part.slice(0, -1) + last).join('.');
        expect(await show(changed)).toBe(changed === parts.join('.') ? alice : refused);
      }
    }
  });

  test('too long', async () => {
    expect(await show(signed(head, withClaims({ x: 'x'.repeat(8192) })))).toBe(refused);
    expect(await show(`${await idp.sign()}${'A'.repeat(9000)}`)).toBe(refused);
  });
});

describe('signatures', () => {
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const bytes32 = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');

  test('numbers that no honest signer writes', async () => {
    const [header, payload, signature] = (await idp.sign()).split('.') as [string, string, string];
    const raw = Buffer.from(signature, 'base64url');
    const [r, s] = [raw.subarray(0, 32), raw.subarray(32)];
    const [zero, one] = [Buffer.alloc(32), bytes32(1n)];
    const value = (part: Buffer) => BigInt(`0x${part.toString('hex')}`);
    const forged: Buffer[] = [
      Buffer.concat([zero, zero]),
      Buffer.concat([zero, one]),
      Buffer.concat([one, zero]),
      Buffer.concat([one, one]),
      Buffer.concat([bytes32(order), bytes32(order)]),
      Buffer.concat([r, zero]),
      Buffer.concat([zero, s]),
      Buffer.concat([s, r]),
      Buffer.concat([bytes32(order), s]),
      Buffer.concat([r, bytes32(order)]),
      Buffer.alloc(64, 0xff),
      Buffer.concat([Buffer.from([0]), raw]),
      Buffer.concat([raw, Buffer.from([0])]),
      Buffer.concat([raw, raw]),
      Buffer.concat([Buffer.alloc(1), r, Buffer.alloc(1), s]),
      // The signature of the same token as ASN.1.
      signBytes('sha256', Buffer.from(`${header}.${payload}`), idp.privateKey),
      signBytes('sha384', Buffer.from(`${header}.${payload}`), p1363(idp.privateKey)),
      signBytes('sha1', Buffer.from(`${header}.${payload}`), p1363(idp.privateKey)),
    ];
    if (value(r) + order < 1n << 256n) forged.push(Buffer.concat([bytes32(value(r) + order), s]));
    for (const bytes of forged) {
      expect(await show(`${header}.${payload}.${bytes.toString('base64url')}`)).toBe(refused);
    }
  });

  test('the other signature of the same words says nothing else', async () => {
    const [header, payload, signature] = (await idp.sign()).split('.') as [string, string, string];
    const raw = Buffer.from(signature, 'base64url');
    const s = order - BigInt(`0x${raw.subarray(32).toString('hex')}`);
    const twin = Buffer.concat([raw.subarray(0, 32), bytes32(s)]).toString('base64url');
    // ECDSA has two good signatures for everything. What they sign is the same, and so is the caller.
    expect(await show(`${header}.${payload}.${twin}`)).toBe(alice);
  });

  test('of keys that do not fit', async () => {
    const sign = (alg: string, kid: string, key: string, hash: string | null) => {
      const text = `${encode({ ...head, alg, kid })}.${encode(claims)}`;
      const signature = signBytes(hash, Buffer.from(text), p1363(keys[key]!.privateKey));
      return `${text}.${signature.toString('base64url')}`;
    };
    for (const token of [
      // Fewer than 2048 bits.
      sign('RS256', 'weak', 'weak', 'sha256'),
      // Another curve than the algorithm's.
      sign('ES256', 'p384', 'p384', 'sha256'),
      sign('ES384', 'k1', 'p384', 'sha384'),
      sign('ES256', 'k1', 'p384', 'sha256'),
      // Another kind of key.
      sign('EdDSA', 'k1', 'ed', null),
      sign('Ed25519', 'rsa', 'ed', null),
      sign('EdDSA', 'x25519', 'ed', null),
      sign('ES256', 'ed', 'ed', null),
      sign('RS256', 'k1', 'rsa', 'sha256'),
      sign('PS256', 'rsa', 'rsa', 'sha256'),
      sign('RS256', 'rsa', 'rsa', 'sha1'),
    ]) {
      expect(await show(token)).toBe(refused);
    }
  });
});

test('whatever character of a good token is changed, it is refused', async () => {
  const token = await idp.sign();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(token.length - 1),
      fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=~+/ '),
      fc.constantFrom('put', 'insert', 'drop'),
      async (index, character, how) => {
        const rest = token.slice(index + (how === 'insert' ? 0 : 1));
        const changed = token.slice(0, index) + (how === 'drop' ? '' : character) + rest;
        if (changed === token) return;
        expect(await show(changed)).toBe(refused);
      },
    ),
    { numRuns: 400 },
  );
  expect(await show(token)).toBe(alice);
});
