import { Agent } from 'node:http';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { run } from '../cli/run-command.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { type RawAnswer, send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const { key, entry } = createApiKey('office');
const { key: wrongKey } = createApiKey('office');
const call = modern('tools/call', { name: 'echo', arguments: {} });

let recorder: Recorder;
let gate: TestGateway;
let socket: string;

beforeAll(async () => {
  recorder = await startRecorder();
  gate = await startTestGateway({
    upstreams: { w: recorder.url },
    door: 'plain',
    listener: { limits: { trusted: ['127.0.0.5'] } },
    files: { 'keys.yaml': JSON.stringify({ keys: [entry] }) },
    config: {
      insecure: {},
      identity: [{ apiKeys: { file: 'keys.yaml' } }],
      blocks: { threshold: 10 },
      control: { socket: 'control.sock' },
    },
  });
  socket = `${gate.folder}/control.sock`;
});

afterAll(async () => {
  await gate.close();
  await recorder.close();
});

/** Undefined where the connection was closed without an answer. */
async function ask(
  localAddress: string,
  options: { readonly key?: string; readonly body?: string; readonly agent?: Agent } = {},
): Promise<RawAnswer | undefined> {
  const headers = { ...call.headers, ...(options.key === undefined ? {} : { 'x-api-key': options.key }) };
  try {
    return await send('POST', gate.url('w'), {
      headers,
      body: options.body ?? call.body,
      tls: { localAddress, ...(options.agent && { agent: options.agent }) } as object,
    });
  } catch {
    return undefined;
  }
}

async function repeat(times: number, ...of: Parameters<typeof ask>): Promise<(number | undefined)[]> {
  const statuses: (number | undefined)[] = [];
  for (let n = 0; n < times; n += 1) statuses.push((await ask(...of))?.status);
  return statuses;
}

const metric = async (series: string): Promise<number> => {
  const line = (await gate.metrics()).split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
};

describe('an address', () => {
  it('that guesses keys is refused unheard, even with the right one, and others are not', async () => {
    const blocked = await metric('sallyport_address_blocks_total');
    // Points decay from the first moment, so ten failures in a row are a little less than ten points.
    expect(await repeat(11, '127.0.1.2', { key: wrongKey })).toEqual(Array(11).fill(401));
    const served = recorder.requests.length;
    expect(await repeat(3, '127.0.1.2', { key })).toEqual([undefined, undefined, undefined]);
    expect(recorder.requests).toHaveLength(served);
    expect((await ask('127.0.0.3', { key }))?.status).toBe(200);
    expect(await metric('sallyport_blocked_addresses')).toBe(1);
    expect(await metric('sallyport_address_blocks_total')).toBe(blocked + 1);
    expect(await metric('sallyport_flood_refusals_total{kind="blocked"}')).toBeGreaterThanOrEqual(3);
  });

  it('that sends malformed messages is refused, known caller or not', async () => {
    const statuses = await repeat(12, '127.0.1.3', { key, body: '{"jsonrpc":"2.0","id":1,"id":2}' });
    expect(statuses).toEqual([...Array(11).fill(400), undefined]);
  });

  it('that asks without a credential, as OAuth begins, has ten times as many attempts', async () => {
    const statuses = await repeat(102, '127.0.1.4');
    expect(statuses.slice(0, 99)).toEqual(Array(99).fill(401));
    expect(statuses.at(-1)).toBeUndefined();
  });

  it('with mostly honest calls is served on, whatever one client beside them does', async () => {
    for (let n = 0; n < 30; n += 1) {
      expect(await repeat(2, '127.0.1.5', { key })).toEqual([200, 200]);
      expect((await ask('127.0.1.5', { key: wrongKey }))?.status).toBe(401);
    }
  });

  it('that a listener trusts is never blocked', async () => {
    expect(await repeat(40, '127.0.0.5', { key: wrongKey })).toEqual(Array(40).fill(401));
    expect((await ask('127.0.0.5', { key }))?.status).toBe(200);
  });

  it('whose connection is open is told when to come back', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect((await ask('127.0.1.7', { key, agent }))?.status).toBe(200);
    await repeat(12, '127.0.1.7', { key: wrongKey });
    const answer = await ask('127.0.1.7', { key, agent });
    expect(answer?.status).toBe(429);
    expect(Number(answer?.headers['retry-after'])).toBeGreaterThan(30);
    agent.destroy();
  });
});

describe('sallyport blocks', () => {
  it('shows who is blocked and why, and lets them in again', async () => {
    await run(['blocks', 'release', '--all', '--socket', socket]);
    expect(await run(['blocks', '--socket', socket])).toEqual({
      code: 0,
      stdout: 'No address is blocked.\n',
      stderr: '',
    });
    await repeat(11, '127.0.1.8', { key: wrongKey });
    const listed = await run(['blocks', '--config', gate.file]);
    expect(listed).toMatchObject({ code: 0, stderr: expect.not.stringContaining('error') });
    expect(listed.stdout).toMatch(/^127\.0\.1\.8 {16}\d+s left, block 1 in a row: 11 refused-credential\n$/);
    const json = JSON.parse((await run(['blocks', '--json', '--socket', socket])).stdout);
    expect(json).toMatchObject([{ address: '127.0.1.8', times: 1, offences: { 'refused-credential': 11 } }]);
    expect(await run(['blocks', 'release', '127.0.1.8', '--socket', socket])).toEqual({
      code: 0,
      stdout: '1 released.\n',
      stderr: '',
    });
    expect((await ask('127.0.1.8', { key }))?.status).toBe(200);
    expect(await run(['blocks', 'release', '127.0.1.8', '--socket', socket])).toMatchObject({
      code: 1,
      stderr: 'Not blocked: nothing was released.\n',
    });
  });

  it('says what is wrong with a command line, and where no gateway answers', async () => {
    for (const [args, code] of [
      [['blocks', 'drop'], 2],
      [['blocks', 'release'], 2],
      [['blocks', '--all'], 2],
      [['blocks', 'release', '127.0.0.1', '--all'], 2],
      [['blocks', 'release', '127.0.0.1', '127.0.1.9'], 2],
      [['blocks', 'release', 'localhost'], 2],
      [['blocks', 'release', '--all', '--json'], 2],
      [['blocks', '--config', '/nowhere/sallyport.yaml'], 3],
      [['blocks', '--socket', '/nowhere/control.sock'], 1],
    ] as const) {
      const ran = await run(args);
      expect([args, ran.code, ran.stdout]).toEqual([args, code, '']);
      expect(ran.stderr).not.toBe('');
    }
  });
});

it('certificates that fail in the handshake count as well', async () => {
  const upstream = await startRecorder();
  const strict = await startTestGateway({
    upstreams: { w: upstream.url },
    listener: { limits: { trusted: [] } },
    config: { blocks: { threshold: 5 }, control: { socket: 'control.sock' } },
  });
  const { port } = new URL(strict.gateway.listeners[0]!.url);
  const knock = async (): Promise<void> => {
    const options = { port: Number(port), host: '127.0.0.1', localAddress: '127.0.0.4', ca: strict.ca.caPem };
    const socket = connectTls(options as ConnectionOptions);
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('close', resolve));
  };
  for (let n = 0; n < 6; n += 1) await knock();
  const list = await run(['blocks', '--json', '--socket', `${strict.folder}/control.sock`]);
  expect(JSON.parse(list.stdout)).toMatchObject([
    { address: '127.0.0.4', offences: { 'failed-handshake': 6 } },
  ]);
  await strict.close();
  await upstream.close();
});
