import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeApproval } from '../../src/lookups/approvals.ts';
import { startEverythingFixture } from '../support/everything-fixture.ts';
import { openPolicy } from '../support/gateway.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { openStream, post, type RawAnswer, send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { askThenAnswer, defaultAnswer, result } from '../support/recorder-answers.ts';
import { startRedis, type TestRedis, until } from '../support/redis.ts';
import { type Replica, type Replicas, startReplicas } from '../support/replicas.ts';
import { openSession } from '../support/workers.ts';

const limits = (quota: number, perHour: number): string => `${openPolicy}
limits:
  - { name: counted, match: { tools: [counted] }, per: tool, quota: ${quota}/month, onStoreLoss: deny }
  - { name: paced, match: { tools: [paced] }, per: tool, rate: ${perHour}/hour, burst: 4, onStoreLoss: deny }
  - { name: busy, match: { tools: [busy] }, per: tool, rate: 5000/s, burst: 5000 }
  - { name: held, match: { tools: [held] }, per: tool, concurrency: 4 }
tools:
  - { match: { tools: [fetch] }, untrusted: true }
  - { match: { tools: [send_out] }, egress: true }
flows:
  - { per: principal, hold: 10m, effect: approve }
`;

/** Both replicas in turn, and the same again the other way round. */
const rounds = 6;

describe('replicas with one Redis', () => {
  let redis: TestRedis;
  let recorder: Recorder;
  let everything: Awaited<ReturnType<typeof startEverythingFixture>>;
  let replicas: Replicas;
  let one: Replica;
  let two: Replica;
  /** Another policy, the same keys. */
  let differing: Replica;
  /** The same policy, other session keys. */
  let stranger: Replica;
  const approvals = mkdtempSync(join(tmpdir(), 'sallyport-approvals-'));

  beforeAll(async () => {
    [redis, recorder, everything] = await Promise.all([
      startRedis(),
      startRecorder(),
      startEverythingFixture(),
    ]);
    const upstreams = { recorder: recorder.url, everything: everything.url };
    const usual = { upstreams, policy: limits(10, 60), config: { flows: { approvals } } };
    replicas = await startReplicas(redis, [
      usual,
      usual,
      { ...usual, policy: limits(4, 120) },
      { ...usual, files: { 'session.key': 'a key of another gateway, which has its own' } },
    ]);
    [one, two, differing, stranger] = replicas.all as [Replica, Replica, Replica, Replica];
  }, 90_000);

  afterAll(async () => {
    await replicas?.close();
    await recorder?.close();
    await everything?.close();
    await redis?.stop();
    rmSync(approvals, { recursive: true, force: true });
  });

  const call = (replica: Replica, name: string, args: object = {}): Promise<RawAnswer> => {
    const { headers, body } = modern('tools/call', { name, arguments: args });
    return post(replica.url('recorder'), body, { headers });
  };
  /** Undefined for a result. */
  const codeOf = (answer: RawAnswer): number | undefined =>
    answer.json<{ error?: { code: number } }>().error?.code;
  /** A store that is late once on a busy machine refuses: asked again, it counts. */
  const admittedOf = async (replica: Replica, name: string, calls: number): Promise<number> => {
    let admitted = 0;
    for (let number = 0; number < calls; number += 1) {
      let code: number | undefined;
      await until('the store answers', async () => {
        code = codeOf(await call(replica, name));
        return code !== 5030;
      });
      if (code === undefined) admitted += 1;
    }
    return admitted;
  };
  const inTurn = (round: number): readonly [Replica, Replica] => (round % 2 === 0 ? [one, two] : [two, one]);

  it('a call that was held at one and approved passes once, however many replicas it comes to at once', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const [here, there] = inTurn(round);
      await until('it is returned', async () => codeOf(await call(here, 'fetch')) === undefined);
      const refused = await call(there, 'send_out', { round });
      const ticket = refused.json<{ error: { data: { approval: string } } }>().error.data.approval;
      expect(ticket).toMatch(/^[0-9a-f]{32}$/);
      await writeApproval(approvals, ticket, Date.now() + 60_000);
      // For this call, and for no other.
      expect(codeOf(await call(here, 'send_out', { round: -round - 1 }))).toBe(codeOf(refused));
      const seen = recorder.requests.length;
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, index) => call(index % 2 === 0 ? here : there, 'send_out', { round })),
      );
      expect(answers.filter((answer) => codeOf(answer) === undefined)).toHaveLength(1);
      expect(recorder.requests).toHaveLength(seen + 1);
      for (const replica of [here, there, differing])
        expect(codeOf(await call(replica, 'send_out', { round }))).toBe(codeOf(refused));
    }
  });

  it('a session that was ended at one is unknown at the other', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const [here, there] = inTurn(round);
      const headers = await openSession(here.url('everything'));
      const ping = (replica: Replica) => post(replica.url('everything'), legacy('ping'), { headers });
      expect((await ping(there)).status).toBe(200);
      expect((await ping(stranger)).status).toBe(404);
      expect((await send('DELETE', there.url('everything'), { headers })).status).toBe(200);
      for (const replica of [here, there, differing]) expect((await ping(replica)).status).toBe(404);
    }
  });

  it('an answer to a question reaches the server once, however many replicas it comes to at once', async () => {
    let reached = 0;
    // Where the store was late on a busy machine none does, or the question is not put: then another one is asked.
    for (let round = 0; reached < rounds; round += 1) {
      const [here, there] = inTurn(round);
      const headers = await openSession(here.url('recorder'));
      const over = Promise.withResolvers<string>();
      recorder.on('tools/call', ({ id }) => askThenAnswer(`q${round}`, id, over.promise));
      const asking = await openStream('POST', here.url('recorder'), {
        headers,
        body: legacy('tools/call', { name: 'ask' }, 7),
      });
      const isPut = (await asking.next())?.data.includes(`"q${round}"`);
      const answer = { jsonrpc: '2.0', id: `q${round}`, result: { action: 'accept', content: {} } };
      const told = await Promise.all(
        Array.from({ length: isPut === true ? 8 : 0 }, (_, index) =>
          post((index % 2 === 0 ? there : here).url('recorder'), answer, { headers }),
        ),
      );
      const accepted = told.filter(({ status }) => status === 202).length;
      expect(accepted).toBeLessThanOrEqual(1);
      over.resolve('');
      await asking.rest();
      recorder.on('tools/call', undefined);
      expect(
        recorder.messages.filter(({ id, result }) => id === `q${round}` && result !== undefined),
      ).toHaveLength(accepted);
      reached += accepted;
    }
  });

  it('a cursor of one opens at the other, and at no gateway that has other keys', async () => {
    recorder.on('tools/list', ({ id, params }) => ({
      kind: 'json',
      body: result(id, {
        resultType: 'complete',
        ttlMs: 0,
        cacheScope: 'private',
        tools: [
          { name: params?.['cursor'] === undefined ? 'first' : 'second', inputSchema: { type: 'object' } },
        ],
        ...(params?.['cursor'] === undefined ? { nextCursor: 'page-2' } : {}),
      }),
    }));
    try {
      const list = async (replica: Replica, cursor?: string) => {
        const { headers, body } = modern('tools/list', cursor === undefined ? {} : { cursor });
        return post(replica.url('recorder'), body, { headers });
      };
      for (let round = 0; round < rounds; round += 1) {
        const [here, there] = inTurn(round);
        const cursor = (await list(here)).json<{ result: { nextCursor: string } }>().result.nextCursor;
        expect(cursor).not.toContain('page-2');
        expect((await list(there, cursor)).json()).toMatchObject({ result: { tools: [{ name: 'second' }] } });
        expect((await list(stranger, cursor)).json()).toHaveProperty('error');
      }
    } finally {
      recorder.on('tools/list', undefined);
    }
  });

  it('a quota that another policy writes otherwise is one count, which each replica holds to what it reads', async () => {
    expect(await admittedOf(one, 'counted', 3)).toBe(3);
    // Three of its four are used up.
    expect(await admittedOf(differing, 'counted', 3)).toBe(1);
    expect(await admittedOf(two, 'counted', 9)).toBe(6);
    expect(await admittedOf(stranger, 'counted', 12)).toBe(10);
  });

  it('a rate that another policy writes otherwise is a count of its own', async () => {
    expect(await admittedOf(one, 'paced', 3)).toBe(3);
    expect(await admittedOf(two, 'paced', 3)).toBe(1);
    expect(await admittedOf(differing, 'paced', 6)).toBe(4);
  });

  it('nothing stays in the store for ever, nor tells what it is about', async () => {
    const go = Promise.withResolvers<string>();
    let running = 0;
    recorder.on('tools/call', (message) => {
      if (message.params?.['name'] !== 'held') return defaultAnswer(message);
      running += 1;
      return askThenAnswer('while it runs', message.id, go.promise);
    });
    const calls = await Promise.all(
      [one, two].map(async (replica) => {
        const headers = await openSession(replica.url('recorder'));
        const body = legacy('tools/call', { name: 'held' });
        return openStream('POST', replica.url('recorder'), { headers, body });
      }),
    );
    for (const running of calls) await running.next();
    await until('both run', () => running === 2);
    await Promise.all(Array.from({ length: 200 }, (_, index) => call(index % 2 === 0 ? one : two, 'busy')));
    const keys = (await redis.cli('--scan')).split('\n');
    const kinds = new Set(keys.map((key) => key.replace(/:[A-Za-z0-9_-]{43}$/, '')));
    expect([...kinds].filter((kind) => kind.startsWith('{sallyport}')).sort()).toEqual(
      ['month', 'places', 'rate', 'state-hold', 'state-question', 'state-request', 'state-since'].map(
        (kind) => `{sallyport}:${kind}`,
      ),
    );
    for (const key of keys) expect([key, Number(await redis.cli('PTTL', key)) > 0]).toEqual([key, true]);
    go.resolve('');
    for (const running of calls) await running.rest();
    recorder.on('tools/call', undefined);
  });
});
