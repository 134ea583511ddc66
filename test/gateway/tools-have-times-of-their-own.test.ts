import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPolicy, startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  type HostileServer,
  honestAnswer,
  startHostileServer,
  wholeAnswer,
} from '../support/hostile-server.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';

const timesOfTheirOwn = `${openPolicy}
timeouts:
  - { id: slow, match: { tools: [slow_*] }, total: 30s }
  - { match: { tools: [fast] }, total: 200ms }
  - { id: shortest, match: { tools: [slow_but_short] }, total: 300ms }
`;

describe('how long a call may take', () => {
  let server: HostileServer;
  let gate: TestGateway;
  /** Milliseconds until the server answers; `undefined` never. */
  let takes: number | undefined = 0;

  beforeAll(async () => {
    server = await startHostileServer({
      late(socket, request) {
        if (takes !== undefined) setTimeout(() => socket.write(wholeAnswer(honestAnswer(request)!)), takes);
      },
    });
    gate = await startTestGateway({
      door: 'plain',
      upstreams: { late: server.url('late', 'tools/call') },
      policy: timesOfTheirOwn,
      http: { timeouts: { headers: '1s', total: '1200ms', longest: '10s' } },
    });
  });

  afterAll(async () => {
    await gate.close();
    await server.close();
  });

  const reasonOf = async (name: string, era: 'modern' | 'legacy' = 'legacy'): Promise<unknown> => {
    const params = { name, arguments: {} };
    const { headers, body } = modern('tools/call', params);
    const answer = await (era === 'modern'
      ? post(gate.url('late'), body, { headers })
      : post(gate.url('late'), legacy('tools/call', params)));
    const { result, error } = answer.json<{ result?: unknown; error?: { data: { reason: string } } }>();
    return result === undefined ? error?.data.reason : 'answered';
  };

  it('is what the upstream says where policy says nothing', async () => {
    takes = undefined;
    expect(await reasonOf('other')).toBe('upstream-timeout');
  });

  it('is longer where policy says so, also until the answer begins', async () => {
    takes = 1600;
    expect(await Promise.all([reasonOf('slow_report', 'modern'), reasonOf('slow_report', 'legacy')])).toEqual(
      ['answered', 'answered'],
    );
  });

  it('is shorter where policy says so; of several entries the shortest', async () => {
    takes = 350;
    expect(await reasonOf('fast')).toBe('upstream-timeout');
    expect(await reasonOf('slow_but_short')).toBe('upstream-timeout');
    expect(await reasonOf('other')).toBe('answered');
  });

  it('stands in the record of the call', () => {
    const timed = gate
      .audit()
      .filter((line) => line['timeout'] !== undefined)
      .map((line) => [(line['target'] as { name: string }).name, line['timeout'], line['code']]);
    expect(timed).toContainEqual(['slow_report', { ms: 30_000, rule: 'slow' }, 'ok']);
    expect(timed).toContainEqual(['fast', { ms: 200, rule: 'timeouts[1]' }, 'upstream-timeout']);
    expect(timed).toContainEqual(['slow_but_short', { ms: 300, rule: 'shortest' }, 'upstream-timeout']);
    expect(timed.map(([name]) => name)).not.toContain('other');
  });
});
