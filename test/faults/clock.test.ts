import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type GatewayFolder, openPolicy, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { openStream, post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event, result } from '../support/recorder-answers.ts';
import { expectUnharmed, startGoodTraffic } from './good-traffic.ts';
import { fault } from './table.ts';

/** Where Debian's `faketime` puts its library. */
function findFaketime(): string {
  for (const folder of readdirSync('/usr/lib')) {
    const library = join('/usr/lib', folder, 'faketime/libfaketimeMT.so.1');
    if (existsSync(library)) return library;
  }
  throw new Error('libfaketime is missing: install faketime');
}

const policy = `${openPolicy}
limits:
  - { name: five-an-hour, match: { tools: [rare] }, per: [principal], rate: 5/h, burst: 5 }
  - { name: many, match: { tools: [echo] }, per: [principal], rate: 1000/s, burst: 1000 }
  - { name: one-at-a-time, match: { tools: [slow] }, per: [principal], concurrency: 1 }
`;

describe('a clock that jumps', () => {
  let recorder: Recorder;
  let folder: GatewayFolder;
  let gateway: GatewayProcess;

  const setClock = (offset: string): void => {
    const file = join(folder.folder, 'clock');
    // Renamed into place: the process reads the file at every look at the clock.
    writeFileSync(`${file}.new`, `${offset}\n`);
    renameSync(`${file}.new`, file);
  };

  beforeAll(async () => {
    recorder = await startRecorder();
    folder = await prepareGateway({
      upstreams: { recorder: recorder.url },
      door: 'plain',
      policy,
      http: { timeouts: { headers: '30s', idle: '30s', total: '60s' } },
      config: { log: { level: 'info' } },
    });
    setClock('+0');
    gateway = await startGatewayProcess(folder.file, 60_000, {
      LD_PRELOAD: findFaketime(),
      FAKETIME_TIMESTAMP_FILE: join(folder.folder, 'clock'),
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_NO_CACHE: '1',
    });
  }, 90_000);

  afterAll(async () => {
    await gateway?.kill();
    await recorder.close();
    folder.remove();
  });

  const call = (name: string) => {
    const { headers, body } = modern('tools/call', { name, arguments: {} });
    return post(`${gateway.url}/recorder/mcp`, body, { headers });
  };
  const yearsOf = (): ReadonlySet<string> =>
    new Set(folder.audit().map(({ time }) => String(time).slice(0, 4)));

  fault(
    'the clock jumps by five minutes and by ten years, forth and back, under traffic',
    'rates admit no burst and lock nobody out, running calls and streams go on, timeouts neither fire nor vanish, and honest calls do not feel it',
    async (measured) => {
      const url = `${gateway.url}/recorder/mcp`;
      const good = startGoodTraffic(url, { perSecond: 30 });
      for (let spent = 0; spent < 5; spent += 1) expect((await call('rare')).json()['result']).toBeDefined();
      const refused = (await call('rare')).json<{ error: { code: number } }>();
      expect(refused.error.code).toBe(4290);

      const notice = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
      const later = Promise.withResolvers<string>();
      recorder.on('GET', { kind: 'sse', chunks: [event(notice), later.promise], open: true });
      const opened = await post(url, initialize());
      const session = {
        'mcp-session-id': opened.headers['mcp-session-id']!,
        'mcp-protocol-version': '2025-11-25',
      };
      const stream = await openStream('GET', url, { headers: session });
      expect(await stream.next()).toBeDefined();

      for (const offset of ['+5m', '+0', '-5m', '+0', '+10y', '-10y', '+0']) {
        // One call is under way while the clock is set.
        const letGo = Promise.withResolvers<void>();
        const reached = Promise.withResolvers<void>();
        recorder.on('tools/call', async (message) => {
          if (message.params?.['name'] === 'slow') {
            reached.resolve();
            await letGo.promise;
          }
          return { kind: 'json', body: result(message.id, { resultType: 'complete', content: [] }) };
        });
        const slow = call('slow');
        await reached.promise;
        setClock(offset);
        await good.answered(10);
        const rare = (await call('rare')).json<{
          error: { code: number; data: { retryAfterMs?: number } };
        }>();
        expect(rare.error.code).toBe(4290);
        // At most the 12 minutes that one of five an hour takes.
        expect(rare.error.data.retryAfterMs).toBeGreaterThan(0);
        expect(rare.error.data.retryAfterMs).toBeLessThanOrEqual(12 * 60_000);
        letGo.resolve();
        expect((await slow).json()['result']).toBeDefined();
      }
      later.resolve(event(notice));
      expect(await stream.next()).toBeDefined();
      stream.abort();
      expectUnharmed(await good.stop(), measured);
      expect(yearsOf().size).toBeGreaterThanOrEqual(3);
      measured(`records carry the time of the clock as it stood: ${[...yearsOf()].sort().join(', ')}`);
    },
    120_000,
  );

  fault(
    'the clock is set while a session is open',
    "a session's age is told by the clock: past its maxAge it is unknown, and known again once the clock is right",
    async (measured) => {
      const url = `${gateway.url}/recorder/mcp`;
      setClock('+0');
      const opened = await post(url, initialize());
      const headers = {
        'mcp-session-id': opened.headers['mcp-session-id']!,
        'mcp-protocol-version': '2025-11-25',
      };
      const list = async (): Promise<number> => (await post(url, legacy('tools/list'), { headers })).status;
      expect(await list()).toBe(200);
      setClock('+23h');
      expect(await list()).toBe(200);
      setClock('+25h');
      expect(await list()).toBe(404);
      setClock('+0');
      expect(await list()).toBe(200);
      measured('200 after 23 h, 404 after 25 h, 200 again');
    },
  );
});
