import { afterAll, beforeAll, describe, expect } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  type HostileServer,
  honestAnswer,
  type SeenRequest,
  startHostileServer,
  wholeAnswer,
} from '../support/hostile-server.ts';
import { expectNoConnections } from '../support/leaks.ts';
import { legacy } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { fault, scale } from './table.ts';

type End = 'closed' | 'reset';
type Form = 'a body with a length' | 'a body in chunks' | 'an event stream' | 'an event stream in chunks';

/** A good answer in one of the forms that it may have. */
function answerIn(form: Form, request: SeenRequest): Buffer {
  const honest = honestAnswer(request) ?? '{}';
  const event = `event: message\ndata: ${honest}\n\n`;
  const chunks = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const head = (type: string, more: string): string =>
    `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${more}\r\n`;
  switch (form) {
    case 'a body with a length':
      return wholeAnswer(honest);
    case 'a body in chunks':
      return Buffer.from(head('application/json', 'transfer-encoding: chunked\r\n') + chunks(honest));
    case 'an event stream':
      return Buffer.from(head('text/event-stream', '') + event);
    case 'an event stream in chunks':
      return Buffer.from(head('text/event-stream', 'transfer-encoding: chunked\r\n') + chunks(event));
  }
}

describe('good answers that are cut', () => {
  let server: HostileServer;
  let gate: TestGateway;
  let plan: { readonly form: Form; readonly end: End; at: number; length: number } = {
    form: 'a body with a length',
    end: 'closed',
    at: 0,
    length: 0,
  };

  beforeAll(async () => {
    server = await startHostileServer({
      cut(socket, request) {
        const whole = answerIn(plan.form, request);
        plan.length = whole.length;
        const part = whole.subarray(0, plan.at);
        if (plan.end === 'closed') socket.end(part);
        else if (part.length === 0) socket.resetAndDestroy();
        else socket.write(part, () => socket.resetAndDestroy());
      },
    });
    gate = await startTestGateway({
      door: 'plain',
      upstreams: { cut: server.url('cut', 'tools/call') },
      // One endpoint that fails all the time is what is meant here.
      http: { timeouts: { headers: '5s', idle: '5s', total: '5s' } },
    });
  });

  afterAll(async () => {
    await gate.close();
    await expectNoConnections([server.server]);
    await server.close();
  });

  for (const form of [
    'a body with a length',
    'a body in chunks',
    'an event stream',
    'an event stream in chunks',
  ] as const) {
    for (const end of ['closed', 'reset'] as const) {
      fault(
        `${form}, ${end} at every byte`,
        'the caller gets the whole answer or one clean error, never a part, and no call is sent twice',
        async (measured) => {
          const step = scale(3, 1);
          let answered = 0;
          let asked = 0;
          plan = { form, end, at: 0, length: Number.POSITIVE_INFINITY };
          const before = server.sockets('cut', 'tools/call').length;
          for (; plan.at <= plan.length; plan.at += step) {
            asked += 1;
            const id = `at ${plan.at}`;
            const answer = await post(gate.url('cut'), legacy('tools/call', { name: 'echo' }, id));
            const text = answer.body.toString();
            const message = JSON.parse(text.startsWith('{') ? text : /^data: (\{.*)$/m.exec(text)![1]!) as {
              id: string;
              result?: unknown;
              error?: { data: { reason: string } };
            };
            expect(message.id).toBe(id);
            if (message.result === undefined) {
              expect(message.error?.data.reason, id).toBeOneOf(['upstream-closed', 'upstream-invalid']);
            } else {
              answered += 1;
              expect(message.result).toMatchObject({ content: [{ type: 'text', text: 'honest' }] });
            }
          }
          expect(server.sockets('cut', 'tools/call')).toHaveLength(before + asked);
          measured(`${asked} places to cut; ${answered} times the whole answer was there already`);
        },
        60_000,
      );
    }
  }
});
