import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { modern } from '../support/mcp-messages.ts';
import { openStream, post, send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event, result } from '../support/recorder-answers.ts';

const allowing = (tool: string) => `
version: 1
roles:
  caller:
    allow:
      - tools: [${tool}]
bindings:
  - roles: [caller]
    to: { any: true }
`;

/** Writes policies as Kubernetes does: a new folder, then one rename of the link `..data` that the files lead through. */
function publish(folder: string, generation: number, policy: string): void {
  const policies = join(folder, 'policies');
  mkdirSync(join(policies, `..v${generation}`), { recursive: true });
  writeFileSync(join(policies, `..v${generation}`, 'policy.yaml'), policy);
  rmSync(join(policies, '..data_tmp'), { force: true });
  symlinkSync(`..v${generation}`, join(policies, '..data_tmp'));
  renameSync(join(policies, '..data_tmp'), join(policies, '..data'));
}

describe('a policy that changes on disk', () => {
  let recorder: Recorder;
  let prepared: GatewayFolder;
  let gateway: GatewayProcess;
  let generation = 1;

  beforeAll(async () => {
    recorder = await startRecorder();
    prepared = await prepareGateway({
      upstreams: { recorder: recorder.url },
      config: { reload: { settle: '50ms', poll: '0s' }, log: { level: 'info' } },
    });
    rmSync(join(prepared.folder, 'policies', 'policy.yaml'));
    publish(prepared.folder, generation, allowing('first'));
    symlinkSync('..data/policy.yaml', join(prepared.folder, 'policies', 'policy.yaml'));
    gateway = await startGatewayProcess(prepared.file);
  });

  afterAll(async () => {
    await gateway.kill();
    prepared.remove();
    await recorder.close();
  });

  const url = () => `${gateway.url}/recorder/mcp`;
  const callOf = async (name: string) => {
    const { headers, body } = modern('tools/call', { name, arguments: {} });
    return { headers, body, tls: await prepared.as('alice') };
  };
  const allows = async (name: string): Promise<boolean> => {
    const { body, ...options } = await callOf(name);
    return 'result' in (await post(url(), body, options)).json();
  };
  const ready = async () => (await send('GET', `${gateway.adminUrl}/readyz`)).json();
  const metric = async (line: string) =>
    (await send('GET', `${gateway.adminUrl}/metrics`)).body.toString().includes(line);

  it('is in force after the swap of ..data', async () => {
    expect([await allows('first'), await allows('second')]).toEqual([true, false]);
    const before = (await ready())['policy'];
    publish(prepared.folder, ++generation, allowing('second'));
    await expect.poll(() => allows('second')).toBe(true);
    expect(await allows('first')).toBe(false);
    expect((await ready())['policy']).not.toBe(before);
  });

  it('leaves a running call under the policy that it began with', async () => {
    const later = Promise.withResolvers<string>();
    recorder.on('tools/call', ({ id }) => ({
      kind: 'sse',
      chunks: [
        ': begun\n\n',
        later.promise.then(() => event(result(id, { resultType: 'complete', content: [] }))),
      ],
    }));
    const stream = await openStream('POST', url(), await callOf('second'));
    recorder.on('tools/call', undefined);
    publish(prepared.folder, ++generation, allowing('third'));
    await expect.poll(() => allows('third')).toBe(true);
    expect(await allows('second')).toBe(false);
    later.resolve('');
    expect((await stream.rest()).map(({ data }) => JSON.parse(data))).toEqual([
      expect.objectContaining({ id: 1, result: expect.anything() }),
    ]);
  });

  it('does not replace the last good one when it is broken, and log, metric and readiness say so', async () => {
    const good = (await ready())['policy'];
    publish(prepared.folder, ++generation, allowing('fourth').replace('tools:', 'tool:'));
    await expect.poll(ready).toMatchObject({
      ready: true,
      reload: 'failed',
      failed: ['policies'],
      policy: good,
    });
    expect(await allows('third')).toBe(true);
    expect(await metric('sallyport_reloads_total{result="failure"} 1')).toBe(true);
    const complaint = gateway.log().find(({ event }) => String(event).startsWith('not reloaded'));
    expect(complaint).toMatchObject({ level: 'error', what: 'policies' });
    expect(JSON.stringify(complaint)).toMatch(/policy\.yaml:6:\d+.*did you mean.*tools/i);

    publish(prepared.folder, ++generation, allowing('fifth'));
    await expect.poll(ready).toMatchObject({ ready: true, reload: 'ok', failed: [] });
    expect(await allows('fifth')).toBe(true);
  });

  it('is read again on SIGHUP', async () => {
    const reloads = () =>
      gateway.log().filter(({ event, reason }) => event === 'reloaded' && reason === 'signal');
    expect(reloads()).toHaveLength(0);
    gateway.signal('SIGHUP');
    await expect.poll(reloads).toHaveLength(1);
    expect(await allows('fifth')).toBe(true);
  });
});
