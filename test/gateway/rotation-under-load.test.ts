import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../cli/run-command.ts';
import { type Outcome, type PacedLoad, startPacedLoad, type Way } from '../support/paced-load.ts';
import { send } from '../support/raw-client.ts';
import {
  newSigningKey,
  policyAgainst,
  type RotationStage,
  type Standing,
  setRotationStage,
} from '../support/rotation-stage.ts';
import { formatRotations, type Rotation } from '../support/rotation-table.ts';

/** A pace, not a claim: a slower machine sends fewer, and what was sent is reported. */
const rate = Number(process.env['ROTATION_RATE'] ?? 200);
/** How often each caller is asked after each change, at least. */
const roundsAfter = Number(process.env['ROTATION_ROUNDS'] ?? 2);
const printTable = process.env['ROTATION_TABLE'] !== undefined;

/** A bound on a broken test: a busy machine starts the gateway in a third of it. */
const busy = 90_000;

/** What a certificate gets that does not count (any more): at one listener a failed handshake, at the other 401. */
const refusedCertificate: readonly Outcome[] = ['cut', 'unauthenticated'];

describe('credentials that are replaced under load', { timeout: busy }, () => {
  let stage: RotationStage;
  let load: PacedLoad;
  const streams = new Map<string, Standing>();
  const rotations: Rotation[] = [];
  /** Fingerprints of the server certificates that new connections saw since the last change of one. */
  const served = new Map<string, Set<string>>();
  const readiness = { asked: 0, notReady: 0 };
  let probing: NodeJS.Timeout | undefined;

  beforeAll(async () => {
    stage = await setRotationStage();
    load = startPacedLoad(rate, (socket) => {
      const port = String(socket.remotePort);
      const seen = served.get(port) ?? new Set();
      served.set(port, seen);
      seen.add(socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase());
    });
    const { required, requested } = stage;
    const withCertificate = async (
      name: string,
      authority: 'standing' | 'added' | 'dropped',
      url: string,
      way: Way,
      ...may: Outcome[]
    ) => {
      const tls = stage.as(await stage.certificate(name, authority));
      load.add({ name: `${name}, ${way}`, url, way, tls, headers: () => ({}) }, ...may);
    };
    const withHeaders = (name: string, way: Way, headers: () => Record<string, string>, ...may: Outcome[]) =>
      load.add({ name: `${name}, ${way}`, url: requested, way, tls: stage.as(), headers }, ...may);

    for (const way of ['h1', 'h2', 'fresh'] as const) {
      await withCertificate('alice', 'standing', way === 'h2' ? requested : required, way, 'passed');
      await withCertificate('mallory', 'standing', way === 'h2' ? required : requested, way, 'passed');
      await withCertificate('dora', 'dropped', way === 'h2' ? requested : required, way, 'passed');
    }
    await withCertificate('adam', 'added', required, 'fresh', ...refusedCertificate);
    await withCertificate('denis', 'standing', required, 'h2', 'passed');
    await withCertificate('denis', 'standing', required, 'fresh', 'passed');
    await withCertificate('paula', 'standing', required, 'h1', 'passed');

    // A few tokens in turn: most requests find theirs verified already, some do not.
    const tokens = async (subject: string, signer: 'before' | 'after' | 'unknown') => {
      const made = await Promise.all(
        Array.from({ length: 20 }, (_, index) => stage.token(`${subject}-${index}`, signer)),
      );
      let turn = 0;
      return () => ({ authorization: `Bearer ${made[turn++ % made.length]}` });
    };
    withHeaders('old signing key', 'h2', await tokens('old', 'before'), 'passed');
    withHeaders('old signing key', 'fresh', await tokens('older', 'before'), 'passed');
    withHeaders('new signing key', 'h1', await tokens('new', 'after'), 'unauthenticated');
    withHeaders('unknown signing key', 'h2', await tokens('unknown', 'unknown'), 'unauthenticated');
    const tess = await stage.token('tess', 'before');
    withHeaders('denied subject', 'h1', () => ({ authorization: `Bearer ${tess}` }), 'passed');

    for (const name of ['standing', 'rotated', 'revoked', 'denied'] as const) {
      const headers = () => ({ 'x-api-key': stage.apiKeys[name].key });
      withHeaders(`key ${name}`, name === 'revoked' ? 'h2' : 'h1', headers, 'passed');
    }
    withHeaders(
      'key invented',
      'h2',
      () => ({ 'x-api-key': `spk_aaaaaaaa_${'a'.repeat(43)}` }),
      'unauthenticated',
    );

    const open = async (
      caller: string,
      url: string,
      tls: Parameters<RotationStage['open']>[2],
      headers = {},
    ) => streams.set(caller, await stage.open(caller, url, tls, headers));
    await open('alice', required, stage.as(await stage.certificate('alice', 'standing')));
    await open('alice asked', requested, stage.as(await stage.certificate('alice', 'standing')));
    await open('mallory', required, stage.as(await stage.certificate('mallory', 'standing')));
    await open('dora', required, stage.as(await stage.certificate('dora', 'dropped')));
    await open('denis', required, stage.as(await stage.certificate('denis', 'standing')));
    await open('tess', requested, stage.as(), { authorization: `Bearer ${tess}` });
    for (const name of ['standing', 'rotated', 'revoked', 'denied'] as const) {
      await open(`key ${name}`, requested, stage.as(), { 'x-api-key': stage.apiKeys[name].key });
    }
    probing = setInterval(() => {
      readiness.asked += 1;
      const count = ({ status }: { readonly status: number }) => {
        if (status !== 200) readiness.notReady += 1;
      };
      send('GET', `${stage.gateway.adminUrl}/readyz`).then(count, () => count({ status: 0 }));
    }, 200);
    await load.rounds(['alice, h1', 'alice, h2', 'alice, fresh', 'key standing, h1', 'adam, fresh'], 2);
  }, busy);

  afterAll(async () => {
    clearInterval(probing);
    await load?.stop();
    for (const stream of streams.values()) stream.abort();
    await stage?.stop();
  });

  /** What a change means: for whom, and what they get once it is in force. */
  type Effect = readonly [callers: readonly string[], ...after: readonly Outcome[]];

  /** Makes a change, waits until it is in force, and until everybody concerned was asked again. */
  async function change(
    what: string,
    make: () => unknown,
    effects: readonly Effect[],
    reason: 'files' | 'signal' = 'files',
  ) {
    const before = stage.reloads(reason);
    const written = performance.now();
    for (const [callers, ...after] of effects)
      for (const caller of callers) load.expect([caller], ...load.allowed(caller), ...after);
    await make();
    if (reason === 'signal') stage.gateway.signal('SIGHUP');
    await until(() => stage.reloads(reason) > before);
    const done = performance.now();
    for (const [callers, ...after] of effects) load.expect(callers, ...after);
    const concerned = effects.flatMap(([callers]) => callers);
    await load.rounds([...concerned, 'alice, fresh', 'alice, h1', 'alice, h2'], roundsAfter);
    const end = performance.now();
    rotations.push({ what, window: done - written, report: () => load.report(written, end) });
    const { wrong } = load.report(written, end);
    expect(wrong).toEqual([]);
  }

  const ended = async (...callers: string[]): Promise<void> => {
    for (const caller of callers) await streams.get(caller)!.ended;
  };
  const keys = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(['keys', ...args, '--config', stage.folder.file]);
    expect(code, stderr).toBe(0);
    return stdout.trim();
  };
  const portOf = (url: string): string => new URL(url).port;

  it('server certificate and key, by a swap of ..data', async () => {
    const next = await stage.newServerCertificate();
    await change(
      'server certificate and key (`..data`)',
      () => stage.publish('served', { 'tls.crt': next.certPem, 'tls.key': next.keyPem }),
      [],
    );
    served.clear();
    await load.rounds(['alice, fresh'], roundsAfter);
    expect([...served.get(portOf(stage.required))!]).toEqual([next.fingerprint256]);
  });

  it('server certificate and key, one file after the other', async () => {
    const next = await stage.newServerCertificate();
    const make = async () => {
      stage.replace('certs/server.crt', next.certPem);
      await sleep(50);
      stage.replace('certs/server.key', next.keyPem);
    };
    await change('server certificate, then its key', make, []);
    served.clear();
    await load.rounds(['mallory, fresh'], roundsAfter);
    expect([...served.get(portOf(stage.requested))!]).toEqual([next.fingerprint256]);
  });

  it('client CAs: one more', async () => {
    const { standing, added, dropped } = stage.authorities;
    const make = async () => {
      stage.replace(
        'certs/clients.crl',
        (await standing.crl()) + (await dropped.crl()) + (await added.crl()),
      );
      stage.replace('certs/clients.crt', standing.caPem + added.caPem + dropped.caPem);
    };
    await change('client CA added', make, [[['adam, fresh'], 'passed']]);
  });

  it('client CAs: one less', async () => {
    const { standing, added } = stage.authorities;
    const make = () => stage.replace('certs/clients.crt', standing.caPem + added.caPem);
    await change('client CA dropped', make, [
      [['dora, h1', 'dora, h2', 'dora, fresh'], ...refusedCertificate],
    ]);
    await ended('dora');
  });

  const lists = async (revoked: readonly string[], standingEnds?: Date): Promise<string> => {
    const { standing, added } = stage.authorities;
    return (await standing.crl(revoked, standingEnds)) + (await added.crl());
  };

  it('a CRL with one more client on it, while the issuer of tokens hangs', async () => {
    const { serial } = await stage.certificate('mallory', 'standing');
    const held = stage.keyServer.hold();
    const make = async () => {
      stage.replace('certs/clients.crl', await lists([serial]));
      await ended('mallory');
      // A revocation waits for nobody else.
      expect(held.waiting()).toBeGreaterThan(0);
      held.release();
    };
    await change('CRL: one client revoked', make, [
      [['mallory, h1', 'mallory, h2', 'mallory, fresh'], ...refusedCertificate],
    ]);
  });

  it('a CRL that has expired, and one that has not', async () => {
    const { serial } = await stage.certificate('mallory', 'standing');
    const text = await lists([serial], new Date(Date.now() - 60_000));
    const handshakes = ['alice, fresh', 'denis, fresh'];
    await change('CRL: expired', () => stage.replace('certs/clients.crl', text), [
      [handshakes, ...refusedCertificate],
    ]);
    const good = await lists([serial]);
    await change('CRL: replaced', () => stage.replace('certs/clients.crl', good), [[handshakes, 'passed']]);
  });

  it('keys of an issuer, under a flood of unknown ones', async () => {
    const { before, after } = stage.signers;
    const asked = stage.keyServer.asked();
    const publish = () => stage.keyServer.publish(before, after);
    await change('issuer publishes a new key', publish, [[['new signing key, h1'], 'passed']], 'signal');
    const withdraw = () => stage.keyServer.publish(after);
    const old = ['old signing key, h2', 'old signing key, fresh', 'denied subject, h1'];
    await change('issuer withdraws the old key', withdraw, [[old, 'unauthenticated']], 'signal');
    expect(stage.keyServer.asked()).toBeGreaterThan(asked);
    await change('issuer publishes it again', publish, [[old, 'passed']], 'signal');
  });

  it('API keys, by commands', async () => {
    let graceEnds = 0;
    const rotate = async () => {
      const fresh = await keys('rotate', 'rotated', '--grace', '2s');
      const entry = stage
        .read('keys.yaml')
        .split('\n')
        .find((line) => line.includes(stage.apiKeys.rotated.key.slice(4, 12)));
      graceEnds = Date.parse(/expiresAt: "?([^",} ]+)/.exec(entry!)![1]!);
      const headers = () => ({ 'x-api-key': fresh });
      load.add(
        { name: 'key new, h2', url: stage.requested, way: 'h2', tls: stage.as(), headers },
        'passed',
        'unauthenticated',
      );
      // Until the file is read, nobody knows that the old key has an end.
      load.expectAt(graceEnds, 20, ['key rotated, h1'], 'passed', 'unauthenticated');
    };
    await change('API key rotated', rotate, []);
    load.expect(['key new, h2'], 'passed');
    load.expectAt(Math.max(graceEnds, Date.now()), 20, ['key rotated, h1'], 'unauthenticated');
    await load.rounds(['key new, h2'], roundsAfter);
    await change('API key revoked', () => keys('revoke', stage.apiKeys.revoked.key.slice(0, 12)), [
      [['key revoked, h2'], 'unauthenticated'],
    ]);
    await ended('key revoked', 'key rotated');
    expect(Date.now()).toBeGreaterThanOrEqual(graceEnds);
    await load.rounds(['key rotated, h1'], roundsAfter);
  });

  it('entries of the deny list', async () => {
    const { fingerprint256 } = await stage.certificate('denis', 'standing');
    const list = {
      certificates: [{ fingerprint: fingerprint256 }],
      subjects: [{ issuer: stage.keyServer.url, subject: 'tess' }],
      apiKeys: [{ prefix: stage.apiKeys.denied.key.slice(4, 12) }],
    };
    await change(
      'deny list: certificate, subject, API key',
      () => stage.replace('revoked.yaml', JSON.stringify(list)),
      [
        [['denis, h2', 'denis, fresh'], ...refusedCertificate],
        [['denied subject, h1', 'key denied, h1'], 'unauthenticated'],
      ],
    );
    await ended('denis', 'key denied', 'tess');
  });

  it('policies', async () => {
    await change('policy: denied', () => stage.replace('policies/policy.yaml', policyAgainst(['paula'])), [
      [['paula, h1'], 'denied'],
    ]);
    await change('policy: allowed again', () => stage.replace('policies/policy.yaml', policyAgainst([])), [
      [['paula, h1'], 'passed'],
    ]);
  });

  it('keys that assertions are signed with', async () => {
    const { requests } = stage.recorder;
    const kidOf = (assertion: string) => decodeProtectedHeader(assertion).kid;
    const latest = () => requests.findLast(({ verb }) => verb === 'POST')!.headers['sallyport-identity']!;
    const before = latest();
    await change('assertion key', () => stage.replace('secrets/assertion.pem', newSigningKey()), []);
    await until(() => kidOf(latest()) !== kidOf(before));
    const published = await send(
      'GET',
      `${new URL(stage.requested).origin}/.well-known/sallyport/jwks.json`,
      {
        tls: stage.as(),
      },
    );
    const set = createLocalJWKSet(published.json() as unknown as JSONWebKeySet);
    for (const assertion of [before, latest()]) {
      await jwtVerify(assertion, set, { audience: 'recorder', clockTolerance: '5m' });
    }
  });

  it('files that are written in place, in two pieces, quickly or slowly', async () => {
    const comment = `# again\n`;
    const whole: Record<string, string> = {};
    for (const path of [
      'certs/clients.crt',
      'certs/clients.crl',
      'certs/server.crt',
      'certs/server.key',
      'secrets/assertion.pem',
    ]) {
      whole[path] = `${comment}${stage.read(path)}`;
    }
    for (const path of ['keys.yaml', 'revoked.yaml', 'policies/policy.yaml'])
      whole[path] = `${comment}${stage.read(path)}`;
    const write = async (pause: () => Promise<unknown>) => {
      const cut = (text: string): number => text.trimEnd().length - 12;
      for (const [path, text] of Object.entries(whole)) {
        const file = join(stage.folder.folder, path);
        writeFileSync(file, '');
        writeFileSync(file, text.slice(0, cut(text)));
      }
      await pause();
      for (const [path, text] of Object.entries(whole)) {
        writeFileSync(join(stage.folder.folder, path), text.slice(cut(text)), { flag: 'a' });
      }
    };
    await change('in two pieces, quickly', () => write(() => sleep(100)), []);
    for (const path of Object.keys(whole)) whole[path] = `${comment}${whole[path]}`;
    const failed = stage.failedReloads();
    await change('in two pieces, slowly', () => write(() => until(() => stage.failedReloads() > failed)), []);
  });

  it('fail nobody who should pass, pass nobody who should fail, and leave good streams open', async () => {
    await load.rounds(['alice, fresh', 'alice, h1', 'alice, h2', 'key new, h2', 'adam, fresh'], roundsAfter);
    await load.stop();
    clearInterval(probing);
    const report = load.report();
    if (printTable) console.log(formatRotations(rotations, report));
    expect(report.wrong).toEqual([]);
    expect(report.exact).toBeGreaterThan(0.5 * report.requests);
    expect(readiness.asked).toBeGreaterThan(0);
    expect(readiness.notReady).toBe(0);
    const good = [...streams.values()].filter(({ isOpen }) => isOpen());
    expect(good.map(({ caller }) => caller)).toEqual(['alice', 'alice asked', 'key standing']);
    stage.speak();
    await until(() => good.every(({ events }) => events() === 2));
  });
});

/** Waits for what must come. */
async function until(holds: () => boolean): Promise<void> {
  await expect.poll(holds, { interval: 20, timeout: 20_000 }).toBe(true);
}
