import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { prepareGateway } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { legacy } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { startRecorder } from '../support/recorder.ts';
import { expectUnharmed, startGoodTraffic } from './good-traffic.ts';
import { fault, scale } from './table.ts';

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Everybody may call `echo`; the description makes each version another file. */
const policy = (version: number, tool = 'echo') => `
version: 1
description: version ${version}
roles:
  everything: { allow: [{ tools: [${tool}] }] }
bindings:
  - { roles: [everything], to: [{ anonymous: true }] }
`;

fault(
  'a thousand SIGHUPs while the policy is written over and over',
  'one reload runs and at most one waits, calls go on, memory stays, and what was written last is in force',
  async (measured) => {
    const recorder = await startRecorder();
    const folder = await prepareGateway({
      door: 'plain',
      upstreams: { w: recorder.url },
      policy: policy(0),
      config: { log: { level: 'info' }, reload: { settle: '20ms' } },
    });
    closing.push(recorder.close, folder.remove);
    const gateway = await startGatewayProcess(folder.file);
    closing.push(gateway.kill);
    const url = `${gateway.url}/w/mcp`;
    const metric = async (name: string): Promise<number> => {
      const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
      return Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')[1],
      );
    };
    // As operators must: a file that is read while it is written is half a file.
    const replacePolicy = (text: string): void => {
      folder.write('policies/next', text);
      renameSync(join(folder.folder, 'policies/next'), join(folder.folder, 'policies/policy.yaml'));
    };
    const traffic = startGoodTraffic(url, { perSecond: 40 });
    await traffic.answered(20);
    const before = await metric('process_resident_memory_bytes');
    const signals = scale(1000, 20_000);
    for (let sent = 0; sent < signals; sent += 1) {
      gateway.signal('SIGHUP');
      if (sent % 20 === 0) {
        replacePolicy(policy(sent));
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
    }
    replacePolicy(policy(signals, 'another'));
    gateway.signal('SIGHUP');
    // The last word counts, however many were before it.
    const denied = async (): Promise<unknown> => {
      const answer = await post(url, legacy('tools/call', { name: 'another', arguments: {} }));
      return answer.json<{ error?: { code?: number } }>().error?.code;
    };
    const report = traffic.stop();
    await expect.poll(denied).not.toBe(4030);
    const ran = await metric('sallyport_reloads_total{result="success"}');
    const joined = await metric('sallyport_reloads_joined_total');
    const grown = (await metric('process_resident_memory_bytes')) - before;
    measured(`${signals} signals: ${ran} reloads ran, ${joined} joined one that waited`);
    measured(`resident memory ${Math.round(grown / 1024 / 1024)} MiB more`);
    expectUnharmed(await report, measured);
    expect(before).toBeGreaterThan(0);
    expect(ran).toBeLessThan(signals);
    expect(await metric('sallyport_reloads_total{result="failure"}')).toBe(0);
    // Generous: what each of a thousand reloads kept would show.
    expect(grown).toBeLessThan(scale(200, 300) * 1024 * 1024);
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toMatchObject({ code: 0 });
  },
  scale(60, 400) * 1000,
);
