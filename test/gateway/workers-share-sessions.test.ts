import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Holder, makeHolder } from '../identity/holder.ts';
import { makeIssuer, type TestIssuer } from '../identity/issuer.ts';
import { startEverythingFixture } from '../support/everything-fixture.ts';
import { generations } from '../support/generations.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { openStream, post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { askThenAnswer, event, result } from '../support/recorder-answers.ts';
import { numberOf, openSession, startWorkers, type WorkersGateway } from '../support/workers.ts';

/** Both combinations come about within a few rounds: connections are handed out in turn, and rounds differ in their number. */
const rounds = 6;

describe('sessions over two worker processes', () => {
  let recorder: Recorder;
  let gateway: WorkersGateway;
  const url = () => gateway.url('recorder');

  beforeAll(async () => {
    recorder = await startRecorder();
    gateway = await startWorkers({
      upstreams: { recorder: recorder.url },
      config: { limits: { memory: { questionsPerSession: 2 } } },
    });
  });

  afterAll(async () => {
    await gateway.close();
    await recorder.close();
  });

  const lengths = () => [1, 2].map((worker) => gateway.audit(worker).length);
  /** The worker that wrote a record in the course of `step`. */
  const workerOf = async (step: () => Promise<void>): Promise<number> => {
    const before = lengths();
    await step();
    let grown: number[] = [];
    await expect
      .poll(
        () => {
          grown = lengths().flatMap((length, index) => (length > before[index]! ? [index + 1] : []));
          return grown.length;
        },
        { timeout: 10_000 },
      )
      .toBe(1);
    return grown[0]!;
  };
  /** Runs a scenario until it went over both workers and over one; it must end the same each time. */
  const overAndAgain = async (
    scenario: (round: number, between: () => Promise<void>) => Promise<readonly [number, number]>,
  ) => {
    const across = new Set<boolean>();
    for (let round = 0; round < rounds || across.size < 2; round += 1) {
      expect(round).toBeLessThan(rounds * 5);
      const between = async (): Promise<void> => {
        // One connection more, and the next one comes to the worker that it would not have come to.
        if (round % 2 === 1) await openSession(url());
      };
      const [first, second] = await scenario(round, between);
      across.add(first !== second);
    }
    expect(across).toEqual(new Set([true, false]));
  };

  it('an answer reaches the server whichever worker it comes to, once', async () => {
    await overAndAgain(async (round, between) => {
      const headers = await openSession(url());
      const asked = Promise.withResolvers<string>();
      recorder.on('tools/call', ({ id }) => askThenAnswer(`q${round}`, id, asked.promise));
      let call: Awaited<ReturnType<typeof openStream>> | undefined;
      const first = await workerOf(async () => {
        call = await openStream('POST', url(), { headers, body: legacy('tools/call', { name: 'ask' }, 7) });
        expect(JSON.parse((await call.next())?.data ?? '{}')).toMatchObject({ id: `q${round}` });
      });
      await between();
      const answer = { jsonrpc: '2.0', id: `q${round}`, result: { action: 'accept', content: {} } };
      const second = await workerOf(async () => {
        expect((await post(url(), answer, { headers })).status).toBe(202);
      });
      await recorder.seen(({ messages }) => messages.some(({ id }) => id === `q${round}`));
      // A second time it answers nothing, at any of them.
      for (let again = 0; again < 2; again += 1) {
        const late = await post(url(), answer, { headers });
        expect(late.status).toBeGreaterThanOrEqual(400);
      }
      asked.resolve('');
      expect(JSON.parse((await call!.next())?.data ?? '{}')).toMatchObject({
        id: 7,
        result: { content: [] },
      });
      await call!.rest();
      recorder.on('tools/call', undefined);
      return [first, second];
    });
  }, 60_000);

  it('a question that was answered over another worker takes no room from the next', async () => {
    const headers = await openSession(url());
    for (let round = 0; round < 12; round += 1) {
      const asked = Promise.withResolvers<string>();
      recorder.on('tools/call', ({ id }) => askThenAnswer(`r${round}`, id, asked.promise));
      const call = await openStream('POST', url(), {
        headers,
        body: legacy('tools/call', { name: 'ask' }, `k${round}`),
      });
      expect(JSON.parse((await call.next())?.data ?? '{}')).toMatchObject({ id: `r${round}` });
      const answer = { jsonrpc: '2.0', id: `r${round}`, result: { action: 'accept', content: {} } };
      // Connections go to the workers in turn: the answer comes to the one that did not put the question.
      expect((await post(url(), answer, { headers })).status).toBe(202);
      asked.resolve('');
      await call.rest();
    }
    recorder.on('tools/call', undefined);
  }, 60_000);

  it('a cancellation reaches the server under the id that the call has there', async () => {
    await overAndAgain(async (round, between) => {
      const headers = await openSession(url());
      const over = Promise.withResolvers<void>();
      let upstreamId: unknown;
      const arrived = Promise.withResolvers<void>();
      recorder.on('tools/call', async ({ id }) => {
        upstreamId = id;
        arrived.resolve();
        await over.promise;
        return { kind: 'json', body: result(id, { content: [] }) };
      });
      const running = post(url(), legacy('tools/call', { name: 'slow' }, `c${round}`), { headers });
      await arrived.promise;
      await between();
      const second = await workerOf(async () => {
        const cancel = {
          jsonrpc: '2.0',
          method: 'notifications/cancelled',
          params: { requestId: `c${round}` },
        };
        expect((await post(url(), cancel, { headers })).status).toBe(202);
      });
      const told = await recorder.seen(({ messages }) =>
        messages.some(
          ({ method, params }) =>
            method === 'notifications/cancelled' &&
            (params as { requestId?: unknown }).requestId === upstreamId,
        ),
      );
      expect(told.verb).toBe('POST');
      const first = await workerOf(async () => {
        over.resolve();
        await running;
      });
      recorder.on('tools/call', undefined);
      return [first, second];
    });
  }, 60_000);

  it('an answer that was missed is fetched over whichever worker has the new stream', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const headers = await openSession(url());
      const left = Promise.withResolvers<string>();
      let answer = '';
      recorder.on('tools/call', ({ id }) => {
        answer = event(
          { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: `late ${round}` }] } },
          `e2-${round}`,
        );
        return { kind: 'sse', chunks: [`id: e1-${round}\ndata:\n\n`, left.promise] };
      });
      const call = await openStream('POST', url(), {
        headers,
        body: legacy('tools/call', { name: 'echo' }, `m${round}`),
      });
      const primed = await call.next();
      call.abort();
      // Connections go to the workers in turn: the next one to the other, and with one between to the same.
      if (round % 2 === 1) await openSession(url());
      recorder.on('GET', { kind: 'sse', chunks: [answer] });
      const resumed = await openStream('GET', url(), {
        headers: { ...headers, 'last-event-id': primed?.id ?? '' },
      });
      expect(JSON.parse((await resumed.next())?.data ?? '{}')).toMatchObject({
        id: `m${round}`,
        result: { content: [{ text: `late ${round}` }] },
      });
      await resumed.rest();
      left.resolve('');
      recorder.on('GET', undefined);
      recorder.on('tools/call', undefined);
    }
  }, 60_000);
});

describe('a DPoP proof', () => {
  const issuer = 'https://idp.example';
  const resource = 'https://mcp.example/recorder/mcp';
  let keys: TestIssuer;
  let recorder: Recorder;
  let gateway: WorkersGateway;
  let holder: Holder;

  beforeAll(async () => {
    [keys, recorder, holder] = await Promise.all([makeIssuer(), startRecorder(), makeHolder()]);
    gateway = await startWorkers({
      upstreams: {},
      files: { 'jwks.json': keys.jwks },
      config: {
        insecure: {},
        identity: [{ token: { issuer, keys: 'jwks.json', dpop: {} } }],
        upstreams: [
          {
            name: 'recorder',
            path: '/recorder/mcp',
            authorization: { resource },
            http: { url: recorder.url },
          },
        ],
      },
    });
  });

  afterAll(async () => {
    await gateway.close();
    await recorder.close();
  });

  it('that one worker saw is refused by the other', async () => {
    const now = Math.floor(Date.now() / 1000);
    const token = await keys.sign({
      iss: issuer,
      aud: resource,
      iat: now - 5,
      exp: now + 300,
      sub: 'alice',
      cnf: { jkt: holder.thumbprint },
    });
    const { headers, body } = modern('tools/call', { name: 'query', arguments: {} });
    for (let round = 0; round < 4; round += 1) {
      const dpop = await holder.prove(token, { iat: Math.floor(Date.now() / 1000), htu: resource });
      const statuses: number[] = [];
      for (let use = 0; use < 4; use += 1) {
        const answer = await post(gateway.url('recorder'), body, {
          headers: { ...headers, authorization: `DPoP ${token}`, dpop },
        });
        statuses.push(answer.status);
      }
      expect(statuses).toEqual([200, 401, 401, 401]);
    }
    for (const worker of [1, 2]) {
      const replayed = gateway
        .audit(worker)
        .filter((record) => JSON.stringify(record).includes('dpop-replayed'));
      expect(replayed.length).toBeGreaterThan(0);
    }
  });
});

describe('official clients over two worker processes', () => {
  it('call, are asked and answer, in both eras', async () => {
    const server = await startEverythingFixture();
    const gateway = await startWorkers({ upstreams: { everything: server.url }, schemas: 'enforce' });
    try {
      for (const { connect } of generations) {
        const client = await connect(gateway.url('everything'), undefined);
        expect((await client.toolNames()).length).toBeGreaterThan(0);
        // At the same time, so that calls, questions and answers go over several connections.
        const calls = Array.from({ length: 6 }, (_, index) =>
          index % 2 === 0
            ? client.call('test_simple_text')
            : client.call('test_elicitation', { message: 'What do you say?' }),
        );
        for (const [index, answer] of (await Promise.all(calls)).entries())
          expect(JSON.stringify(answer)).toContain(
            index % 2 === 0 ? 'This is a simple text response for testing.' : 'action=accept',
          );
        await client.close();
      }
      const metrics = await gateway.metrics();
      for (const worker of [1, 2])
        expect(numberOf(metrics, `sallyport_worker_exchanges{worker="${worker}"}`)).toBeGreaterThan(0);
    } finally {
      await gateway.close();
      await server.close();
    }
  }, 60_000);
});
