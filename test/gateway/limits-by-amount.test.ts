import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const policy = `
version: 1
roles:
  caller:
    allow:
      - { tools: [export, pay, cheap], methods: ["**"] }
bindings:
  - { roles: [caller], to: { any: true } }
limits:
  - { name: rows, match: { tools: [export] }, per: [principal, tool], quota: 100/month, cost: args.rows / 1000 }
  - { name: money, match: { tools: [pay] }, per: [role, principal], sum: args.amount per month, most: 100 }
  - { name: notes, match: { methods: ["notifications/*"] }, per: [principal], rate: 2/hour }
  - { name: tries, match: { tools: ["*"] }, per: [certificate], quota: 20/month, cost: { cheap: 0 } }
`;

describe('limits by amount', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({
      upstreams: { recorder: recorder.url },
      policy,
      config: { limits: { rateLimitFields: true } },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  const callAs = async (who: string, name: string, args: object = {}) => {
    const { headers, body } = modern('tools/call', { name, arguments: args });
    return post(gate.url('recorder'), body, { headers, tls: await gate.as(who) });
  };

  it('charge what a call asks for, and tell its caller what is left', async () => {
    const first = await callAs('ann', 'export', { rows: 60_500 });
    expect(first.json()).toHaveProperty('result');
    expect(first.headers['ratelimit']).toMatch(/^"rows month";r=39;t=\d+, "tries month";r=19;t=\d+$/);
    expect(first.headers['ratelimit-policy']).toBe('"rows month";q=100, "tries month";q=20');
    const second = await callAs('ann', 'export', { rows: 40_000 });
    expect(second.json()).toMatchObject({
      error: {
        code: 4290,
        data: { reason: 'quota-exhausted', limit: 'rows', retryAfterMs: expect.any(Number) },
      },
    });
    expect((await callAs('ann', 'export', { rows: 39_500 })).json()).toHaveProperty('result');
    expect((await callAs('bea', 'export', { rows: 39_500 })).json()).toHaveProperty('result');
  });

  it('add up amounts, and refuse what they cannot add up', async () => {
    for (const [amount, reason] of [
      [99.99, undefined],
      [0.02, 'quota-exhausted'],
      ['0.01', 'cost-unknown'],
      [0.01, undefined],
      [100.1, 'cost-too-high'],
    ] as const) {
      const answer = (await callAs('cid', 'pay', { amount })).json();
      if (reason === undefined) expect(answer).toHaveProperty('result');
      else expect(answer).toMatchObject({ error: { data: { reason, limit: 'money' } } });
    }
  });

  it('answer a notification too many with 429 and when to come back', async () => {
    const note = { jsonrpc: '2.0', method: 'notifications/roots/list_changed' };
    const tls = await gate.as('dan');
    const answers = [];
    for (let sent = 0; sent < 3; sent += 1) answers.push(await post(gate.url('recorder'), note, { tls }));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 429]);
    expect(answers[2]!.headers).toMatchObject({
      'retry-after': '1800',
      ratelimit: '"notes";r=0;t=1800',
      'ratelimit-policy': '"notes";q=2;w=3600',
    });
    expect(answers[2]!.json()).toMatchObject({ error: { code: 4290, data: { limit: 'notes' } } });
  });

  it('count what is denied, too, until it is refused without being looked at', async () => {
    const reasons = [];
    for (let tries = 0; tries < 22; tries += 1) {
      const answer = (await callAs('eve', 'forbidden', {})).json<{ error: { data: { reason: string } } }>();
      reasons.push(answer.error.data.reason);
    }
    // What is hidden looks the same, limit or not.
    expect(new Set(reasons)).toEqual(new Set(['denied']));
    const lines = gate.audit().filter((line) => JSON.stringify(line).includes('test.local/eve'));
    expect(lines.filter((line) => line['limitedBy'] === 'tries')).toHaveLength(2);
    expect((await callAs('eve', 'pay', { amount: 1 })).json()).toMatchObject({
      error: { data: { reason: 'quota-exhausted', limit: 'tries' } },
    });
    // Costs nothing, so nothing is lacking.
    expect((await callAs('eve', 'cheap')).json()).toHaveProperty('result');
  });

  it('are explained in metrics by their names', async () => {
    const metrics = await gate.metrics();
    expect(metrics).toContain('sallyport_limited_total{upstream="recorder",limit="tries"} 3');
    expect(metrics).toMatch(/^sallyport_limit_keys [1-9]/m);
  });
});
