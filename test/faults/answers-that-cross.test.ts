import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  type HostileServer,
  type Hostility,
  honestAnswer,
  startHostileServer,
  wholeAnswer,
} from '../support/hostile-server.ts';
import { expectNoConnections } from '../support/leaks.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { SseEvents } from '../support/sse-events.ts';
import { fault } from './table.ts';

const sse = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n';
const stolen = (id: number | string): string =>
  `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"stolen"}]}}`;

/** The first call gets its answer and, in the same breath or later, one for the call after it; calls after it are honest. */
function splitting(first: (socket: Socket, id: number, honest: string) => void): Hostility {
  let seen = 0;
  return (socket, request) => {
    seen += 1;
    const honest = honestAnswer(request)!;
    if (seen % 2 === 1) first(socket, Number(request.id), honest);
    else socket.write(wholeAnswer(honest));
  };
}

const splits: Readonly<Record<string, Hostility>> = {
  'two answers in one piece': splitting((socket, id, honest) =>
    socket.write(Buffer.concat([wholeAnswer(honest), wholeAnswer(stolen(id + 1))])),
  ),
  'the second a little later': splitting((socket, id, honest) => {
    socket.write(wholeAnswer(honest));
    setTimeout(() => socket.write(wholeAnswer(stolen(id + 1))), 30);
  }),
  'the second behind a body that is longer than its length': splitting((socket, id, honest) => {
    const lie = wholeAnswer(honest)
      .toString()
      .replace(/content-length: \d+/, `content-length: ${honest.length}`);
    socket.write(`${lie}${wholeAnswer(stolen(id + 1)).toString()}`);
  }),
  'the second behind the last chunk': splitting((socket, id, honest) =>
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${honest.length.toString(16)}\r\n${honest}\r\n0\r\n\r\n${wholeAnswer(stolen(id + 1)).toString()}`,
    ),
  ),
  'the second inside a stream, by the next id': splitting((socket, id, honest) =>
    socket.end(`${sse}data: ${stolen(id + 1)}\n\ndata: ${honest}\n\n`),
  ),
  'the second behind the end of a stream': splitting((socket, id, honest) => {
    const event = `data: ${honest}\n\n`;
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n${event.length.toString(16)}\r\n${event}\r\n0\r\n\r\n${wholeAnswer(stolen(id + 1)).toString()}`,
    );
  }),
};

const streaming =
  (make: (honest: string, id: string) => readonly string[]): Hostility =>
  (socket, request) =>
    void socket.end(
      `${sse}${make(honestAnswer(request)!, request.id)
        .map((event) => `data: ${event}\n\n`)
        .join('')}`,
    );

/** Streams in which the right answer stands among what must not reach the caller. */
const noises: Readonly<Record<string, Hostility>> = {
  'the same answer twice': streaming((honest) => [honest, honest]),
  'two answers that differ': streaming((honest, id) => [honest, stolen(id)]),
  'a result, then an error': streaming((honest, id) => [
    honest,
    `{"jsonrpc":"2.0","id":${id},"error":{"code":1,"message":"stolen"}}`,
  ]),
  'answers to nobody before it': streaming((honest) => [stolen(1), stolen('"x"'), stolen(-5), honest]),
  'the id as text before it': streaming((honest, id) => [stolen(`"${id}"`), honest]),
  'errors to nobody before it': streaming((honest) => [
    '{"jsonrpc":"2.0","id":99,"error":{"code":1,"message":"stolen"}}',
    honest,
  ]),
  'progress that nobody asked for': streaming((honest) => [
    '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"stolen","progress":1}}',
    honest,
  ]),
  'events of other types around it': (socket, request) => {
    const honest = honestAnswer(request)!;
    socket.end(
      `${sse}event: endpoint\ndata: stolen\n\n: stolen\n\ndata: ${honest}\n\nevent: error\ndata: stolen\n\n`,
    );
  },
};

describe('answers that would reach somebody else', () => {
  let server: HostileServer;
  let gate: TestGateway;
  const all = { ...splits, ...noises };
  const names = new Map(Object.keys(all).map((name, index) => [name, `u${index}`]));

  beforeAll(async () => {
    server = await startHostileServer(all);
    gate = await startTestGateway({
      door: 'plain',
      upstreams: Object.fromEntries(
        [...names].map(([name, upstream]) => [upstream, server.url(name, 'tools/call')]),
      ),
      http: { limits: { connections: 1 }, timeouts: { total: '5s' } },
    });
  });

  afterAll(async () => {
    await gate.close();
    await expectNoConnections([server.server]);
    await server.close();
  });

  const finalsOf = (body: Buffer, type: string | undefined): readonly Record<string, unknown>[] => {
    const texts = type?.startsWith('text/event-stream')
      ? new SseEvents().push(body).map(({ data }) => data)
      : [body.toString()];
    return texts
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .filter((message) => !('method' in message));
  };

  async function callBy(name: string, id: string, era: 'modern' | 'legacy') {
    const url = gate.url(names.get(name)!);
    const params = { name: 'echo', arguments: {} };
    const { headers, body } = modern('tools/call', params, { id });
    const answer = await (era === 'modern'
      ? post(url, body, { headers })
      : post(url, legacy('tools/call', params, id)));
    expect(answer.body.toString(), name).not.toContain('stolen');
    const finals = finalsOf(answer.body, answer.headers['content-type']);
    expect(finals, name).toHaveLength(1);
    expect(finals[0]!['id'], name).toBe(id);
    return finals[0]!;
  }

  fault(
    'a second answer behind the first',
    'no caller gets what was said on the connection of another, and the next call gets its own answer',
    async (measured) => {
      let calls = 0;
      for (const name of Object.keys(splits)) {
        for (const era of ['modern', 'legacy', 'modern', 'legacy'] as const) {
          // At once, and after the second answer has come to a connection that nobody uses.
          await callBy(name, `first ${calls}`, era);
          if (calls % 4 > 1) await new Promise((resolve) => setTimeout(resolve, 60));
          const next = await callBy(name, `second ${calls}`, era);
          expect(next, name).toMatchObject({ result: { content: [{ text: 'honest' }] } });
          calls += 1;
        }
      }
      measured(`${Object.keys(splits).length} ways, ${calls * 2} calls on one connection each`);
    },
  );

  fault(
    'noise around the right answer',
    'the caller gets the right answer alone, under its own id',
    async (measured) => {
      for (const name of Object.keys(noises)) {
        for (const era of ['modern', 'legacy'] as const) {
          const answer = await callBy(name, 'mine', era);
          expect(answer, name).toMatchObject({ result: { content: [{ text: 'honest' }] } });
        }
      }
      expect(await gate.metrics()).toMatch(
        /sallyport_dropped_frames_total\{[^}]*reason="answer-unasked"[^}]*\} [1-9]/,
      );
      measured(`${Object.keys(noises).length} kinds of noise, two eras`);
    },
  );

  fault(
    'an answer before the request is sent',
    'the caller gets one message under its own id, and the rest of the request is sent to nobody else',
    async (measured) => {
      const early = createServer((socket) => {
        socket.on('error', () => socket.destroy());
        socket.once('data', () => {
          socket.write(wholeAnswer(stolen(1)));
        });
      });
      await new Promise<void>((resolve) => early.listen(0, '127.0.0.1', resolve));
      const { port } = early.address() as { port: number };
      const own = await startTestGateway({
        door: 'plain',
        upstreams: { early: `http://127.0.0.1:${port}/` },
      });
      const params = { name: 'echo', arguments: { text: 'x'.repeat(3 * 1024 * 1024) } };
      const answer = await post(own.url('early'), legacy('tools/call', params, 'mine'));
      expect(answer.json()).toMatchObject({ id: 'mine', error: { data: { reason: 'upstream-invalid' } } });
      await own.close();
      await expectNoConnections([early]);
      await new Promise((resolve) => early.close(resolve));
      measured('3 MiB were still to be sent');
    },
  );
});
