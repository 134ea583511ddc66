import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { legacy } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { run } from './run-command.ts';

describe('healthcheck', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({
      upstreams: { recorder: recorder.url },
      door: 'plain',
      config: { drain: { delay: '0s', deadline: '5s' } },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  it('exits with 0 where the gateway is ready', async () => {
    const url = `${gate.gateway.adminUrl}/readyz`;
    for (const ran of [
      await run(['healthcheck', '--url', url]),
      await run(['healthcheck'], { SALLYPORT_HEALTHCHECK_URL: url }),
    ]) {
      expect(ran).toEqual({ code: 0, stdout: expect.stringMatching(/^200 \{"ready":true/), stderr: '' });
    }
  });

  it('exits with 1 where the gateway drains', async () => {
    const answer = Promise.withResolvers<void>();
    recorder.on('tools/list', async ({ id }) => {
      await answer.promise;
      return { kind: 'json', body: { jsonrpc: '2.0', id, result: { tools: [] } } };
    });
    const running = post(gate.url('recorder'), legacy('tools/list'));
    await recorder.seen(({ messages }) => messages[0]?.method === 'tools/list');
    const url = `${gate.gateway.adminUrl}/readyz`;
    const drained = gate.gateway.drain();
    expect(await run(['healthcheck', '--url', url])).toEqual({
      code: 1,
      stdout: expect.stringMatching(/^503 \{"ready":false,"draining":true/),
      stderr: '',
    });
    answer.resolve();
    expect((await running).status).toBe(200);
    await drained;
    expect(await run(['healthcheck', '--url', url])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`${url}: `),
    });
  });

  it('exits with 1 where something else answers, or sends it elsewhere', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/readyz' }).end();
      else response.writeHead(404).end('no');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await run(['healthcheck', '--url', `${origin}/readyz`])).toMatchObject({
      code: 1,
      stdout: '404 no\n',
    });
    expect(await run(['healthcheck', '--url', `${origin}/moved`])).toMatchObject({ code: 1, stdout: '' });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('exits with 1 where the URL is none', async () => {
    expect(await run(['healthcheck', '--url', 'nonsense'])).toMatchObject({ code: 1, stdout: '' });
  });
});
