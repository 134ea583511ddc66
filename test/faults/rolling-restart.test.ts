import { Agent, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, expect } from 'vitest';
import { prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { modern } from '../support/mcp-messages.ts';
import { startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';
import { fault, scale } from './table.ts';

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A balancer of TCP connections that asks `/readyz` as an orchestrator does: learns late, and tells nobody who is connected. */
async function startBalancer(gateways: () => readonly GatewayProcess[]): Promise<{ readonly url: string }> {
  const ready = new Set<GatewayProcess>(gateways());
  const probe = setInterval(() => {
    for (const gateway of gateways()) {
      fetch(`${gateway.adminUrl}/readyz`, { signal: AbortSignal.timeout(1000) }).then(
        ({ status }) => (status === 200 ? ready.add(gateway) : ready.delete(gateway)),
        () => ready.delete(gateway),
      );
    }
  }, 50);
  let turn = 0;
  const server = createServer((client) => {
    const choices = [...ready].filter((gateway) => gateways().includes(gateway));
    const chosen = choices[turn++ % Math.max(1, choices.length)];
    if (chosen === undefined) {
      client.destroy();
      return;
    }
    const { hostname, port } = new URL(chosen.url);
    const upstream = connect(Number(port), hostname);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    clearInterval(probe);
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

fault(
  'gateways restarted one after the other under load',
  'no call is lost, none runs twice, and every acknowledged one has its record',
  async (measured) => {
    const recorder = await startRecorder();
    closing.push(recorder.close);
    let executed = 0;
    recorder.on('tools/call', async ({ id }) => {
      executed += 1;
      await new Promise((resolve) => setTimeout(resolve, 30));
      return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
    });
    const folder = await prepareGateway({
      door: 'plain',
      upstreams: { w: recorder.url },
      listener: { hosts: ['127.0.0.1'] },
      config: { log: { level: 'info' }, drain: { delay: '500ms', deadline: '10s' } },
    });
    closing.push(folder.remove);
    const begin = async (): Promise<GatewayProcess> => {
      const gateway = await startGatewayProcess(folder.file);
      closing.push(gateway.kill);
      return gateway;
    };
    let gateways: readonly GatewayProcess[] = [await begin(), await begin()];
    const { url } = await startBalancer(() => gateways);

    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    closing.push(() => agent.destroy());
    const wrong: string[] = [];
    let acknowledged = 0;
    let retried = 0;
    /** Again where the gateway said 503, or the connection ended before a byte of the answer, as docs/overload.md says. */
    const callUntilAnswered = async (): Promise<void> => {
      for (let tries = 0; tries < 20; tries += 1) {
        const answer = await callOnce(agent, `${url}/w/mcp`);
        if (answer === 200) {
          acknowledged += 1;
          return;
        }
        if (answer !== 503 && answer !== 'no answer') {
          wrong.push(String(answer));
          return;
        }
        retried += 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      wrong.push('gave up');
    };
    const running = new Set<Promise<void>>();
    let sent = 0;
    const timer = setInterval(() => {
      sent += 1;
      const over = callUntilAnswered().finally(() => running.delete(over));
      running.add(over);
    }, 20);

    const rounds = scale(2, 20);
    for (let round = 0; round < rounds; round += 1) {
      const [oldest, ...others] = gateways;
      gateways = [oldest!, ...others, await begin()];
      oldest!.signal('SIGTERM');
      expect(await oldest!.ended).toMatchObject({ code: 0, signal: null });
      gateways = gateways.slice(1);
    }
    clearInterval(timer);
    await Promise.all(running);
    for (const gateway of gateways) {
      gateway.signal('SIGTERM');
      await gateway.ended;
    }
    const records = folder.audit().filter(({ method, code }) => method === 'tools/call' && code === 'ok');
    measured(`${rounds} restarts: ${acknowledged} of ${sent} calls right, ${retried} sent again`);
    expect(wrong).toEqual([]);
    expect(acknowledged).toBe(sent);
    expect(executed).toBe(acknowledged);
    expect(records).toHaveLength(acknowledged);
  },
  scale(90, 400) * 1000,
);

const call = modern('tools/call', { name: 'echo', arguments: {} });
const body = Buffer.from(JSON.stringify(call.body));

/** @returns the status; `no answer` where the connection ended before any of it; otherwise what was odd */
function callOnce(agent: Agent, url: string): Promise<number | string> {
  return new Promise((resolve) => {
    const request = httpRequest(url, {
      method: 'POST',
      agent,
      headers: { ...call.headers, 'content-length': body.length },
      signal: AbortSignal.timeout(20_000),
    });
    request.once('error', (error: NodeJS.ErrnoException) =>
      resolve(
        ['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(error.code ?? '') ? 'no answer' : error.message,
      ),
    );
    request.once('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.once('error', () => resolve('cut in the answer'));
      response.once('end', () =>
        resolve(response.statusCode !== 200 || text.includes('"result"') ? (response.statusCode ?? 0) : text),
      );
    });
    request.end(body);
  });
}
