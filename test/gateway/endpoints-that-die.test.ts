import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EverythingFixture, startEverythingFixture } from '../support/everything-fixture.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Caller, generations } from '../support/generations.ts';

const simple = 'test_simple_text';

describe('official clients over two endpoints of which one dies', () => {
  for (const { name, era, connect } of generations) {
    describe(name, () => {
      let fixtures: EverythingFixture[];
      let gate: TestGateway;
      let left: EverythingFixture[];

      beforeAll(async () => {
        fixtures = [await startEverythingFixture(), await startEverythingFixture()];
        left = [...fixtures];
        gate = await startTestGateway({
          upstreams: {},
          config: {
            upstreams: [
              { name: 'tools', path: '/tools/mcp', http: { urls: fixtures.map(({ url }) => url) } },
            ],
          },
        });
      });
      afterAll(async () => {
        await gate.close();
        await Promise.all(left.map((fixture) => fixture.close()));
      });

      it(
        era === 'modern'
          ? 'go on as if nothing had happened'
          : 'go on, or begin anew where their session is gone',
        async () => {
          const tls = await gate.as('alice');
          const callers: Caller[] = [];
          // More than enough for each endpoint to have some.
          for (let index = 0; index < 8; index += 1) callers.push(await connect(gate.url('tools'), tls));
          for (const caller of callers) expect((await caller.call(simple)).content.length).toBe(1);

          await left.pop()!.close();
          let lost = 0;
          for (const caller of callers) {
            try {
              expect((await caller.call(simple)).content.length).toBe(1);
            } catch {
              lost += 1;
            }
          }
          if (era === 'modern') expect(lost).toBe(0);
          // Sessions live in the server that died; those of the other one are untouched.
          else expect([lost > 0, lost < callers.length]).toEqual([true, true]);

          for (let index = 0; index < 8; index += 1) {
            const fresh = await connect(gate.url('tools'), tls);
            expect((await fresh.call(simple)).content.length).toBe(1);
            expect(await fresh.toolNames()).toContain(simple);
            await fresh.close();
          }
          for (const caller of callers) await caller.close().catch(() => undefined);
        },
      );
    });
  }

  it('are told that their session is over once nothing gets through to its endpoint', async () => {
    const fixtures = [await startEverythingFixture(), await startEverythingFixture()];
    const gate = await startTestGateway({
      upstreams: {},
      door: 'plain',
      config: {
        upstreams: [{ name: 'tools', path: '/tools/mcp', http: { urls: fixtures.map(({ url }) => url) } }],
      },
    });
    const url = gate.url('tools');
    const send = (body: object, session?: string): Promise<Response> =>
      fetch(url, {
        method: 'POST',
        headers: {
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          ...(session === undefined
            ? {}
            : { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }),
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }),
      });
    const clientInfo = { name: 'test', version: '1' };
    const initialize = {
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
    };
    const sessions: string[] = [];
    for (let index = 0; index < 16; index += 1) {
      const answer = await send(initialize);
      await answer.text();
      sessions.push(answer.headers.get('mcp-session-id')!);
    }
    await fixtures[1]!.close();
    const statuses = new Map<string, number[]>();
    for (let round = 0; round < 12; round += 1) {
      for (const session of sessions) {
        const answer = await send({ method: 'ping' }, session);
        const { error } = (await lastMessage(answer)) as { error?: { code: number } };
        statuses.set(session, [...(statuses.get(session) ?? []), error?.code ?? answer.status]);
      }
    }
    const lost = [...statuses.values()].filter((codes) => codes.some((code) => code !== 200));
    expect([lost.length > 0, lost.length < sessions.length]).toEqual([true, true]);
    // Not reached first, then over. Now and then one finds out whether the endpoint is back.
    expect(new Set(lost.flat())).toEqual(new Set([5020, -32001]));
    expect(lost[0]![0]).toBe(5020);
    for (const codes of lost) expect(codes).toContain(-32001);
    const anew = await send(initialize);
    expect([anew.status, anew.headers.get('mcp-session-id') !== null]).toEqual([200, true]);
    await anew.text();
    await gate.close();
    await fixtures[0]!.close();
  });
});

async function lastMessage(answer: Response): Promise<unknown> {
  const text = await answer.text();
  const data = text.split('\n').filter((line) => line.startsWith('data: {'));
  return JSON.parse(data.at(-1)?.slice('data: '.length) ?? text);
}
