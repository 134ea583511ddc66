import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergeBlocks } from '../../src/gateway/merge-blocks.ts';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { run } from '../cli/run-command.ts';
import { modern } from '../support/mcp-messages.ts';
import { send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { startWorkers, type WorkersGateway } from '../support/workers.ts';

const { key, entry } = createApiKey('office');
const { key: wrongKey } = createApiKey('office');

describe('two worker processes, each of which blocks for itself', () => {
  let recorder: Recorder;
  let gateway: WorkersGateway;
  let socket: string;

  beforeAll(async () => {
    recorder = await startRecorder();
    gateway = await startWorkers({
      upstreams: { w: recorder.url },
      files: { 'keys.yaml': JSON.stringify({ keys: [entry] }) },
      listener: { limits: { trusted: [] } },
      config: {
        insecure: {},
        identity: [{ apiKeys: { file: 'keys.yaml' } }],
        blocks: { threshold: 5 },
        control: { socket: 'control.sock' },
      },
    });
    socket = `${gateway.folder.folder}/control.sock`;
  });

  afterAll(async () => {
    await gateway.close();
    await recorder.close();
  });

  /** Status of a call on a connection of its own; undefined where that was closed. */
  const call = (withKey: string, localAddress: string): Promise<number | undefined> => {
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    return send('POST', gateway.url('w'), {
      headers: { ...headers, 'x-api-key': withKey },
      body,
      tls: { localAddress } as object,
    }).then(
      ({ status }) => status,
      () => undefined,
    );
  };
  /** Fails until no worker hears of that address any more. */
  const failEverywhere = async (localAddress: string): Promise<void> => {
    for (let silent = 0, tries = 0; silent < 6 && tries < 200; tries += 1) {
      silent = (await call(wrongKey, localAddress)) === undefined ? silent + 1 : 0;
    }
  };
  const listed = async (): Promise<{ address: string; offences: Record<string, number> }[]> =>
    JSON.parse((await run(['blocks', '--json', '--socket', socket])).stdout);

  it('show an address once, with all that led to it, and release it in both', async () => {
    await failEverywhere('127.0.0.31');
    const blocks = await listed();
    expect(blocks.map(({ address }) => address)).toEqual(['127.0.0.31']);
    // Six are needed in each.
    expect(blocks[0]!.offences['refused-credential']).toBeGreaterThanOrEqual(12);
    expect(await run(['blocks', 'release', '127.0.0.31', '--socket', socket])).toMatchObject({
      code: 0,
      stdout: '1 released.\n',
    });
    expect(await listed()).toEqual([]);
    for (let n = 0; n < 4; n += 1) expect(await call(key, '127.0.0.31')).toBe(200);
  });

  it('release all at once', async () => {
    await failEverywhere('127.0.0.32');
    await failEverywhere('127.0.0.33');
    expect(await listed()).toHaveLength(2);
    expect(await run(['blocks', 'release', '--all', '--socket', socket])).toMatchObject({
      code: 0,
      stdout: '2 released.\n',
    });
    for (let n = 0; n < 4; n += 1) expect(await call(key, '127.0.0.33')).toBe(200);
  });
});

it('blocks of several workers are one list: longest first, offences added up', () => {
  const one = { address: 'a', seconds: 10, times: 1, offences: { malformed: 3 } };
  const two = { address: 'a', seconds: 40, times: 2, offences: { malformed: 4, 'too-often': 1 } };
  const other = { address: 'b', seconds: 20, times: 1, offences: {} };
  expect(mergeBlocks([[one, other], [], [two]])).toEqual([
    { address: 'a', seconds: 40, times: 2, offences: { malformed: 7, 'too-often': 1 } },
    other,
  ]);
});
