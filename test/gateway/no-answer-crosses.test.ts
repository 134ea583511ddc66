import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { type Answer, event, type RpcMessage, result } from '../support/recorder-answers.ts';

const clients = 200;

/** Holds calls back until all have come, and answers them backwards: some as JSON, some as streams, some late. */
function shuffled(): (answer: () => Answer) => Promise<Answer> {
  const waiting: (() => void)[] = [];
  return (answer) =>
    new Promise((resolve) => {
      waiting.push(() => resolve(answer()));
      if (waiting.length < clients) return;
      for (const [index, release] of waiting.reverse().entries()) setTimeout(release, (index * 7) % 40);
    });
}

function argumentsOf(params: RpcMessage['params']): Record<string, unknown> {
  return (params?.['arguments'] ?? {}) as Record<string, unknown>;
}

describe('two hundred clients that use the same request ids', () => {
  let recorder: Recorder;
  let gate: TestGateway;
  let agent: Agent;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({ upstreams: { recorder: recorder.url } });
    agent = new Agent({ connections: clients, connect: { ...(await gate.as('crowd')) } });
  });

  afterAll(async () => {
    await agent.destroy();
    await gate.close();
    await recorder.close();
  });

  const ask = async (headers: Record<string, string>, body: unknown): Promise<string> => {
    const answer = await request(gate.url('recorder'), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify(body),
      dispatcher: agent,
    });
    const text = await answer.body.text();
    return text.startsWith('{') ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? text);
  };

  const markOf = (text: string): unknown => {
    const { id, result } = JSON.parse(text) as { id: unknown; result: { content: { text: string }[] } };
    return { id, mark: result.content[0]?.text };
  };

  const script = (modernEra: boolean): void => {
    const turn = shuffled();
    recorder.on('tools/call', ({ id, params }) => {
      const mark = argumentsOf(params)['mark'] as number;
      const content = [{ type: 'text', text: `mark ${mark}` }];
      const message = result(id, { ...(modernEra ? { resultType: 'complete' } : {}), content });
      return turn(() =>
        mark % 2 === 0 ? { kind: 'json', body: message } : { kind: 'sse', chunks: [event(message)] },
      );
    });
  };

  it('each hear their own answer (2026-07-28)', async () => {
    script(true);
    const answers = await Promise.all(
      Array.from({ length: clients }, (_, mark) => {
        const { headers, body } = modern('tools/call', { name: 'echo', arguments: { mark } }, { id: 1 });
        return ask(headers, body);
      }),
    );
    expect(answers.map(markOf)).toEqual(
      Array.from({ length: clients }, (_, mark) => ({ id: 1, mark: `mark ${mark}` })),
    );
  });

  it('each hear their own answer (sessions)', async () => {
    let sessions = 0;
    recorder.on('initialize', ({ id }) => ({
      kind: 'json',
      headers: { 'mcp-session-id': `session-${sessions++}` },
      body: result(id, {
        protocolVersion: '2025-11-25',
        capabilities: {},
        serverInfo: { name: 'r', version: '1' },
      }),
    }));
    const opened = await Promise.all(
      Array.from({ length: clients }, async () => {
        const answer = await request(gate.url('recorder'), {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
          body: JSON.stringify(initialize()),
          dispatcher: agent,
        });
        await answer.body.dump();
        return String(answer.headers['mcp-session-id']);
      }),
    );
    expect(new Set(opened).size).toBe(clients);
    script(false);
    const answers = await Promise.all(
      opened.map((session, mark) =>
        ask({ 'mcp-session-id': session }, legacy('tools/call', { name: 'echo', arguments: { mark } }, 1)),
      ),
    );
    expect(answers.map(markOf)).toEqual(
      Array.from({ length: clients }, (_, mark) => ({ id: 1, mark: `mark ${mark}` })),
    );
  });

  for (const era of ['modern', 'legacy'] as const) {
    it(`never hear an answer that came on another call's connection (${era})`, async () => {
      // The upstream mixes up two calls: each connection carries the answer to the other.
      const ids: (string | number | null | undefined)[] = [];
      const both = Promise.withResolvers<void>();
      recorder.on('tools/call', async ({ id, params }) => {
        const place = ids.push(id) - 1;
        if (place === 1) both.resolve();
        await both.promise;
        const secret = argumentsOf(params)['secret'];
        const content = [{ type: 'text', text: secret }];
        return { kind: 'json', body: result(ids[1 - place], { resultType: 'complete', content }) };
      });
      const call = async (who: string, secret: string): Promise<string> => {
        const tls = await gate.as(who);
        const params = { name: 'echo', arguments: { secret } };
        if (era === 'modern') {
          const { headers, body } = modern('tools/call', params);
          return (await post(gate.url('recorder'), body, { headers, tls })).body.toString();
        }
        const opened = await post(gate.url('recorder'), initialize(), { tls });
        const headers = { 'mcp-session-id': opened.headers['mcp-session-id'] ?? '' };
        return (
          await post(gate.url('recorder'), legacy('tools/call', params), { headers, tls })
        ).body.toString();
      };
      for (const answer of await Promise.all([call('alice', 'of alice'), call('bob', 'of bob')])) {
        expect(JSON.parse(answer)).toMatchObject({
          id: 1,
          error: { code: 5020, data: { reason: 'upstream-invalid' } },
        });
        expect(answer).not.toMatch(/of (alice|bob)/);
      }
    });
  }
});
