import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { upstreamDefinitions } from '../../src/observe/upstream-metric-definitions.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

describe('metrics of upstreams', () => {
  let server: Recorder;
  let gate: TestGateway;
  const dead = 'http://127.0.0.1:1/mcp?token=not-for-metrics';

  beforeAll(async () => {
    server = await startRecorder();
    gate = await startTestGateway({
      upstreams: {},
      door: 'plain',
      config: {
        upstreams: [
          {
            name: 'many',
            path: '/many/mcp',
            http: { urls: [server.url, dead], health: { interval: '1h' } },
          },
          { name: 'dead', path: '/dead/mcp', http: { url: dead } },
        ],
      },
    });
  });
  afterAll(async () => {
    await gate.close();
    await server.close();
  });

  const call = async (upstream: string): Promise<number> => {
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    const answer = await post(gate.url(upstream), body, { headers });
    return answer.json<{ error?: { code: number } }>().error?.code ?? 0;
  };

  it('tell how each endpoint stands, without what stands behind the path', async () => {
    for (let index = 0; index < 30; index += 1) expect(await call('many')).toBe(0);
    for (let index = 0; index < 10; index += 1) expect(await call('dead')).toBe(5020);
    const text = await gate.metrics();
    const value = (name: string, labels: string): number =>
      Number(text.split(`sallyport_upstream_${name}{${labels}} `)[1]?.split('\n')[0]);
    const good = `upstream="many",endpoint="${new URL(server.url).host}/mcp"`;
    const bad = 'upstream="many",endpoint="127.0.0.1:1/mcp"';
    const alone = 'upstream="dead",endpoint="127.0.0.1:1/mcp"';
    expect([value('endpoint_used', good), value('endpoint_used', bad)]).toEqual([1, 0]);
    expect([value('breaker_state', good), value('breaker_state', alone)]).toEqual([0, 2]);
    expect(value('ejections_total', good)).toBe(0);
    expect(value('breaker_refusals_total', alone)).toBe(5);
    expect(value('retries_total', 'upstream="many",why="connect"')).toBeGreaterThanOrEqual(1);
    expect(value('retries_total', 'upstream="dead",why="connect"')).toBe(0);
    expect(value('retry_budget_exhausted_total', 'upstream="many"')).toBe(0);
    expect(value('addresses_refused_total', 'upstream="many"')).toBe(0);
    expect(value('panic', 'upstream="many"')).toBe(0);
    expect(value('endpoint_active', good)).toBe(0);
    expect(value('health_checks_total', `${bad},outcome="failed"`)).toBeGreaterThanOrEqual(1);
    expect(text).not.toContain('not-for-metrics');
    for (const { name } of Object.values(upstreamDefinitions)) expect(text).toContain(`# TYPE ${name} `);
  });

  it('do not make the gateway unready', async () => {
    const ready = await fetch(`${gate.gateway.adminUrl}/readyz`);
    expect(ready.status).toBe(200);
  });
});
