import { afterAll, beforeAll, describe, expect } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  type HostileServer,
  honestAnswer,
  pump,
  startHostileServer,
  wholeAnswer,
} from '../support/hostile-server.ts';
import { expectNoConnections } from '../support/leaks.ts';
import { legacy } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { expectUnharmed, startGoodTraffic } from './good-traffic.ts';
import { fault, scale } from './table.ts';

const mebibyte = 1024 * 1024;
/** Bytes of one answer, and those that all together may hold. */
const size = mebibyte;
const most = 4 * mebibyte;

describe('the largest answers to many callers at once', () => {
  let server: HostileServer;
  let gate: TestGateway;

  beforeAll(async () => {
    const text = 'The weather is fine today. '.repeat(Math.floor((size - 1024) / 27));
    server = await startHostileServer({
      large: (socket, { id }) =>
        void socket.write(
          wholeAnswer(`{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"${text}"}]}}`),
        ),
      event: (socket) =>
        pump(
          socket,
          'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: "',
          'x'.repeat(65_536),
          size / 65_536,
        ),
      small: (socket, request) => void socket.write(wholeAnswer(honestAnswer(request)!)),
    });
    gate = await startTestGateway({
      door: 'plain',
      upstreams: {
        large: server.url('large', 'tools/call'),
        event: server.url('event', 'tools/call'),
        small: server.url('small', 'tools/call'),
      },
      http: { timeouts: { idle: '2s' } },
      config: { limits: { memory: { answerBytes: `${most}B` } } },
    });
  });

  afterAll(async () => {
    await gate.close();
    await expectNoConnections([server.server]);
    await server.close();
  });

  const reasonsOf = async (upstream: string, callers: number): Promise<ReadonlyMap<string, number>> => {
    const reasons = new Map<string, number>();
    await Promise.all(
      Array.from({ length: callers }, async (_, index) => {
        const answer = await post(gate.url(upstream), legacy('tools/call', { name: 'echo' }, index));
        const stream = /^data: (\{.*)$/m.exec(answer.body.toString('latin1'))?.[1];
        const { result, error, id } = JSON.parse(stream ?? answer.body.toString('latin1')) as {
          id: unknown;
          result?: unknown;
          error?: { data: { reason: string } };
        };
        expect(id).toBe(index);
        const reason = result === undefined ? (error?.data.reason ?? '?') : 'answered';
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }),
    );
    return reasons;
  };

  const watchMemory = () => {
    const before = process.memoryUsage().rss;
    let peak = before;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 10);
    return () => {
      clearInterval(timer);
      return Math.round((peak - before) / mebibyte);
    };
  };

  for (const [what, upstream, code] of [
    ['bodies', 'large', 'answered'],
    ['events that never end', 'event', 'upstream-timeout'],
  ] as const) {
    fault(
      `many ${what} of the largest size at once`,
      'answers that have no room are dropped, each with one error; small answers pass all the time; all room is given back',
      async (measured) => {
        const callers = scale(50, 400);
        const memory = watchMemory();
        const good = startGoodTraffic(gate.url('small'));
        const reasons = await reasonsOf(upstream, callers);
        const report = await good.stop();
        const rose = memory();
        expect([...reasons.keys()].sort()).toEqual(['answer-dropped', code].sort());
        // Two fit at a time, which leaves as much to others; their room is used again.
        const through = reasons.get(code)!;
        expect(through).toBeGreaterThanOrEqual(Math.floor(most / size / 2));
        expectUnharmed(report, measured);
        measured(
          `${through} of ${callers} fitted into ${most / mebibyte} MiB; the process grew by ${rose} MiB`,
        );
        for (let index = 0; index < 8; index += 1)
          expect(await reasonsOf('large', 1)).toEqual(new Map([['answered', 1]]));
        expect(await gate.metrics()).toMatch(/sallyport_bounds_total\{[^}]*bound="answers-held"\} [1-9]/);
      },
    );
  }
});
