import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { legacy } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Stage {
  readonly folder: GatewayFolder;
  readonly gateway: GatewayProcess;
  readonly recorder: Recorder;
  readonly url: string;
  /** Answers the calls that wait, in whatever order they came. */
  answer(): void;
}

async function stage(config: Readonly<Record<string, unknown>>): Promise<Stage> {
  const recorder = await startRecorder();
  const told = Promise.withResolvers<void>();
  recorder.on('tools/call', async ({ id, params }) => {
    if ((params as { name: string }).name !== 'quick') await told.promise;
    return { kind: 'json', body: result(id, { content: [] }) };
  });
  const folder = await prepareGateway({
    door: 'plain',
    upstreams: { w: recorder.url },
    config: { log: { level: 'info' }, ...config },
  });
  const gateway = await startGatewayProcess(folder.file);
  closing.push(recorder.close, folder.remove, gateway.kill);
  return { folder, gateway, recorder, url: `${gateway.url}/w/mcp`, answer: told.resolve };
}

function bytesOf(url: string, name: string, id: number): string {
  const { host, pathname } = new URL(url);
  const body = JSON.stringify(legacy('tools/call', { name, arguments: {} }, id));
  return (
    `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAccept: application/json, text/event-stream\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  );
}

function client(url: string): { readonly socket: Socket; received(): string } {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  closing.push(() => void socket.destroy());
  return { socket, received: () => text };
}

const calls = (recorder: Recorder): number =>
  recorder.messages.filter(({ method }) => method === 'tools/call').length;
const draining = (gateway: GatewayProcess) =>
  expect.poll(() => gateway.log().map(({ event }) => event)).toContain('draining');

/** Each call that has an answer has its record, and each that went to the server as well. */
function expectRecords(folder: GatewayFolder, codes: readonly string[]): void {
  const recorded = folder.audit().filter(({ method }) => method === 'tools/call');
  expect(recorded.map(({ code }) => code).sort()).toEqual([...codes].sort());
}

describe('a process that is told to stop while', () => {
  it('requests wait behind one another on a connection: each gets its answer, the last one says that it is', async () => {
    const { gateway, recorder, url, answer, folder } = await stage({ drain: { deadline: '10s' } });
    const { socket, received } = client(url);
    const ended = once(socket, 'close');
    socket.write(bytesOf(url, 'slow', 1) + bytesOf(url, 'quick', 2) + bytesOf(url, 'slow', 3));
    await expect.poll(() => calls(recorder)).toBe(3);
    gateway.signal('SIGTERM');
    await draining(gateway);
    answer();
    await ended;
    expect([...received().matchAll(/"id":(\d)/g)].map(([, id]) => Number(id))).toEqual([1, 2, 3]);
    expect(received().match(/connection: close/gi)).toHaveLength(1);
    expect(received().lastIndexOf('connection: close')).toBeGreaterThan(received().indexOf('"id":2'));
    expect(await gateway.ended).toMatchObject({ code: 0 });
    expectRecords(folder, ['ok', 'ok', 'ok']);
  });

  for (const deadline of ['0s', '200ms']) {
    it(`a server hangs, with a deadline of ${deadline}: the call is told so and recorded`, async () => {
      const { gateway, recorder, url, folder } = await stage({ drain: { deadline } });
      const call = post(url, legacy('tools/call', { name: 'slow', arguments: {} }));
      await expect.poll(() => calls(recorder)).toBe(1);
      gateway.signal('SIGTERM');
      expect((await call).json()).toMatchObject({ error: { code: 5030, data: { reason: 'draining' } } });
      expect(await gateway.ended).toMatchObject({ code: 0 });
      expectRecords(folder, ['draining']);
    });
  }

  it('half of a body has come: cut at the deadline, and nothing of it was done', async () => {
    const { gateway, recorder, url, folder } = await stage({ drain: { deadline: '200ms' } });
    const { socket, received } = client(url);
    const ended = once(socket, 'close');
    socket.write(bytesOf(url, 'quick', 1).slice(0, -10));
    await post(url, legacy('ping'));
    gateway.signal('SIGTERM');
    await ended;
    expect(await gateway.ended).toMatchObject({ code: 0 });
    expect(received()).not.toContain('200 OK');
    expect(calls(recorder)).toBe(0);
    expectRecords(folder, []);
  });

  it('the other half of a body comes in time: served', async () => {
    const { gateway, url, folder } = await stage({ drain: { deadline: '10s' } });
    const { socket, received } = client(url);
    const ended = once(socket, 'close');
    const bytes = bytesOf(url, 'quick', 1);
    socket.write(bytes.slice(0, -10));
    await post(url, legacy('ping'));
    gateway.signal('SIGTERM');
    await draining(gateway);
    socket.write(bytes.slice(-10));
    await ended;
    expect(received()).toContain('200 OK');
    expect(received()).toMatch(/connection: close/i);
    expect(await gateway.ended).toMatchObject({ code: 0 });
    expectRecords(folder, ['ok']);
  });

  it('files are read again, and again: ends all the same, with code 0', async () => {
    const { gateway, url, folder } = await stage({ drain: { deadline: '1s' }, reload: { settle: '10ms' } });
    await post(url, legacy('tools/call', { name: 'quick', arguments: {} }));
    for (let signals = 0; signals < 20; signals += 1) gateway.signal('SIGHUP');
    renameSync(join(folder.folder, 'audit.jsonl'), join(folder.folder, 'audit.1'));
    gateway.signal('SIGTERM');
    for (let signals = 0; signals < 20; signals += 1) gateway.signal('SIGHUP');
    expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
    expect(gateway.log()).toContainEqual(expect.objectContaining({ event: 'stopped' }));
  });

  for (const [first, second] of [
    ['SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGTERM'],
  ] as const) {
    it(`a call runs, and ${second} after ${first} says: now`, async () => {
      const { gateway, recorder, url } = await stage({ drain: { delay: '30s', deadline: '30s' } });
      const call = post(url, legacy('tools/call', { name: 'slow', arguments: {} })).catch(() => 'cut');
      await expect.poll(() => calls(recorder)).toBe(1);
      gateway.signal(first);
      await draining(gateway);
      gateway.signal(second);
      expect(await gateway.ended).toMatchObject({ code: 1, signal: null });
      // Never an answer that no record tells of.
      expect(await call).toBe('cut');
    });
  }
});
