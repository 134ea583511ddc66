import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import {
  type GatewayFolder,
  openPolicy,
  prepareGateway,
  type TestGatewayOptions,
} from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer, send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';
import { startRedis } from '../support/redis.ts';
import { type Answered, callTraced, readAudit } from './acknowledged.ts';
import { startHangingPort } from './hanging-port.ts';
import { fault } from './table.ts';

const closing: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A pipe that somebody holds open and nobody empties: it takes 64 KiB, and then a write waits as on a disk that hangs. */
function hangingFile(file: string): { readonly descriptor: number } {
  expect(spawnSync('mkfifo', ['-m', '600', file]).status).toBe(0);
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  closing.push(() => closeSync(descriptor));
  return { descriptor };
}

/** All that came through the pipe. */
function contentOf(descriptor: number): Buffer {
  const read: Buffer[] = [];
  for (const piece = Buffer.alloc(65_536); ; ) {
    try {
      const length = readSync(descriptor, piece);
      if (length === 0) break;
      read.push(Buffer.from(piece.subarray(0, length)));
    } catch {
      break;
    }
  }
  return Buffer.concat(read);
}

const events = (gateway: GatewayProcess): readonly unknown[] => gateway.log().map(({ event }) => event);

describe('a gateway that is told to stop', () => {
  let recorder: Recorder;

  beforeAll(async () => {
    recorder = await startRecorder();
  });

  afterAll(() => recorder.close());

  const prepare = async (
    config: Readonly<Record<string, unknown>> = {},
    options: Partial<TestGatewayOptions> = {},
  ): Promise<GatewayFolder> => {
    const folder = await prepareGateway({
      door: 'plain',
      upstreams: { w: recorder.url },
      ...options,
      config: { log: { level: 'info' }, drain: { deadline: '300ms' }, ...config },
    });
    closing.push(folder.remove);
    return folder;
  };
  const start = async (folder: GatewayFolder): Promise<GatewayProcess> => {
    const gateway = await startGatewayProcess(folder.file);
    closing.push(gateway.kill);
    return gateway;
  };
  const urlOf = (gateway: GatewayProcess): string => `${gateway.url}/w/mcp`;
  const call = (gateway: GatewayProcess): Promise<RawAnswer> => {
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    return post(urlOf(gateway), body, { headers });
  };
  /** The server answers no call until it is told to. */
  const holdCalls = (): { readonly arrived: Promise<void>; give(): void } => {
    const arrived = Promise.withResolvers<void>();
    const told = Promise.withResolvers<void>();
    recorder.on('tools/call', async ({ id }) => {
      arrived.resolve();
      await told.promise;
      return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
    });
    closing.push(() => {
      told.resolve();
      recorder.on('tools/call', undefined);
    });
    return { arrived: arrived.promise, give: told.resolve };
  };
  const callUntilRefused = async (url: string): Promise<readonly Answered[]> => {
    const answers: Answered[] = [];
    for (let rounds = 0; rounds < 500; rounds += 1) {
      answers.push(...(await Promise.all(Array.from({ length: 8 }, () => callTraced(url)))));
      if (answers.some(({ acknowledged }) => !acknowledged)) break;
    }
    return answers;
  };

  for (const signals of [1, 2]) {
    fault(
      `SIGTERM while the audit disk hangs${signals === 2 ? ', and again' : ''}`,
      signals === 1
        ? 'the process ends by itself with exit code 1 and says that records were lost; no acknowledged call is among them'
        : 'the second one ends the process at once; no acknowledged call lacks its record',
      async (measured) => {
        const folder = await prepare({
          audit: { file: 'pipe', retry: '100ms', timeout: '500ms' },
          drain: { delay: signals === 1 ? '0s' : '60s', deadline: '300ms' },
        });
        const { descriptor } = hangingFile(join(folder.folder, 'pipe'));
        const gateway = await start(folder);
        const answers = await callUntilRefused(urlOf(gateway));
        expect(answers.some(({ acknowledged }) => acknowledged)).toBe(true);
        expect(answers.some(({ acknowledged }) => !acknowledged)).toBe(true);
        gateway.signal('SIGTERM');
        await expect.poll(() => events(gateway)).toContain('draining');
        if (signals === 2) gateway.signal('SIGTERM');
        expect(await gateway.ended).toMatchObject({ code: 1, signal: null });
        if (signals === 1) {
          expect(gateway.log()).toContainEqual(
            expect.objectContaining({ level: 'error', event: 'records were lost at the end' }),
          );
        }
        const copy = join(folder.folder, 'copy.jsonl');
        writeFileSync(copy, contentOf(descriptor));
        const { traces } = readAudit(copy);
        const acknowledged = answers.filter((answer) => answer.acknowledged);
        expect(acknowledged.filter(({ trace }) => !traces.has(trace))).toEqual([]);
        measured(`${acknowledged.length} acknowledged calls, all recorded`);
      },
    );
  }

  for (const [what, file, config] of [
    ['policies', 'policies/policy.yaml', {}],
    ['API keys', 'keys.yaml', { identity: [{ apiKeys: { file: 'keys.yaml' } }] }],
    ['revocations', 'revoked.yaml', { revocations: { file: 'revoked.yaml' } }],
  ] as const) {
    fault(
      `a pipe that nobody writes to takes the place of a file of ${what}`,
      'it is refused at once and the last good file stays in force; SIGTERM drains',
      async (measured) => {
        const folder = await prepare(config, {
          files: { 'keys.yaml': 'keys: []\n', 'revoked.yaml': 'apiKeys: []\n' },
        });
        const gateway = await start(folder);
        const path = join(folder.folder, file);
        renameSync(path, `${path}.before`);
        expect(spawnSync('mkfifo', [path]).status).toBe(0);
        gateway.signal('SIGHUP');
        await expect
          .poll(async () => (await send('GET', `${gateway.adminUrl}/readyz`)).json())
          .toMatchObject({ ready: true, reload: 'failed' });
        expect(JSON.stringify(gateway.log())).toContain('is no plain file');
        expect((await call(gateway)).json()).toHaveProperty('result');
        gateway.signal('SIGTERM');
        expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
        expect(codes(folder)).toEqual(['ok']);
        measured('is no plain file');
      },
    );
  }

  for (const signals of [1, 2]) {
    fault(
      `SIGTERM while a reload waits for an issuer that hangs${signals === 2 ? ', and again' : ''}`,
      signals === 1
        ? 'the call under way is answered and recorded, and the process ends with code 0 without waiting for the issuer'
        : 'the second one ends the process at once',
      async () => {
        const asked = Promise.withResolvers<void>();
        let hangs = false;
        const issuer = createServer((_request, response) => {
          if (hangs) asked.resolve();
          else response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":[]}');
        });
        await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
        closing.push(
          () => issuer.close(),
          () => issuer.closeAllConnections(),
        );
        const origin = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
        const folder = await prepare({
          outbound: { private: ['127.0.0.0/8'] },
          identity: [{ token: { issuer: origin, audience: 'gateway', jwks: `${origin}/jwks` } }],
          drain: { delay: signals === 1 ? '0s' : '60s', deadline: '20s' },
        });
        const gateway = await start(folder);
        hangs = true;
        const answer = holdCalls();
        const running = call(gateway);
        await answer.arrived;
        gateway.signal('SIGHUP');
        await asked.promise;
        gateway.signal('SIGTERM');
        await expect.poll(() => events(gateway)).toContain('draining');
        if (signals === 1) {
          answer.give();
          expect((await running).json()).toHaveProperty('result');
        } else {
          gateway.signal('SIGTERM');
          await expect(running).rejects.toThrow();
        }
        expect(await gateway.ended).toMatchObject({ code: signals - 1, signal: null });
        expect(codes(folder)).toEqual(signals === 1 ? ['ok'] : []);
      },
    );
  }

  fault(
    'SIGTERM while the Redis that counts is stopped',
    'calls under way are answered and recorded, those that still come are decided as each limit says, and the process ends with code 0',
    async () => {
      const redis = await startRedis();
      closing.push(redis.stop);
      const folder = await prepare(
        {
          session: { keys: ['session.key'] },
          store: { redis: { url: redis.url, replicas: 2 } },
          drain: { delay: '1s', deadline: '10s' },
        },
        {
          files: { 'session.key': 'a key of a gateway that is used in tests alone' },
          policy: `${openPolicy}
limits:
  - { name: held, match: { tools: [echo] }, per: tool, concurrency: 4, onStoreLoss: deny }
`,
        },
      );
      const gateway = await start(folder);
      const answer = holdCalls();
      const running = call(gateway);
      await answer.arrived;
      redis.pause();
      gateway.signal('SIGTERM');
      await expect.poll(() => events(gateway)).toContain('draining');
      const late = await call(gateway);
      expect(late.json()).toMatchObject({ error: { data: { reason: 'limits-unavailable' } } });
      answer.give();
      expect((await running).json()).toHaveProperty('result');
      expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
      expect(codes(folder)).toEqual(['limits-unavailable', 'ok']);
    },
  );

  fault(
    'SIGTERM while a server neither accepts nor refuses',
    'the call that waits for it is told so at the deadline and recorded, and the process ends with code 0',
    async () => {
      const port = await startHangingPort();
      closing.push(port.close);
      const folder = await prepare(
        {},
        {
          upstreams: { w: `http://127.0.0.1:${port.port}/mcp` },
          http: { timeouts: { connect: '60s', headers: '60s' } },
        },
      );
      const gateway = await start(folder);
      const running = call(gateway);
      await expect
        .poll(async () => (await send('GET', `${gateway.adminUrl}/metrics`)).body.toString())
        .toMatch(/^sallyport_requests_in_flight 1$/m);
      gateway.signal('SIGTERM');
      expect((await running).json()).toMatchObject({ error: { code: 5030, data: { reason: 'draining' } } });
      expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
      expect(codes(folder)).toEqual(['draining']);
    },
  );
});

/** How the calls ended, as the audit has it. */
function codes(folder: GatewayFolder): readonly unknown[] {
  return folder
    .audit()
    .filter(({ method }) => method === 'tools/call')
    .map(({ code }) => code)
    .sort();
}
