import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, runSallyport, startGatewayProcess } from '../support/gateway-process.ts';
import { legacy } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

describe('callers without any credential', () => {
  let recorder: Recorder;
  let prepared: GatewayFolder;
  let gateway: GatewayProcess | undefined;

  beforeAll(async () => {
    recorder = await startRecorder();
    prepared = await prepareGateway({
      upstreams: { recorder: recorder.url },
      door: 'plain',
      config: { log: { level: 'info' } },
    });
  });

  afterAll(async () => {
    await gateway?.kill();
    prepared.remove();
    await recorder.close();
  });

  it('are let in under the name that insecure.anonymous gives them, with a warning at the start', async () => {
    gateway = await startGatewayProcess(prepared.file);
    expect((await post(`${gateway.url}/recorder/mcp`, legacy('tools/list'))).status).toBe(200);
    expect(prepared.audit().at(-1)).toMatchObject({ who: { credentials: [{ kind: 'anonymous' }] } });
    const warnings = gateway.log().filter(({ level }) => level === 'warn');
    expect(warnings.map(({ warning }) => warning)).toContainEqual(
      expect.stringMatching(/^insecure\.anonymous: callers without any credential are let in as "tester"/),
    );
  });

  it('make a configuration without insecure.anonymous and without identity a wrong one', async () => {
    const without = await prepareGateway({
      upstreams: { recorder: recorder.url },
      door: 'plain',
      config: { insecure: {} },
    });
    expect(await runSallyport(['run', '--config', without.file])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('nobody could be authenticated'),
    });
    without.remove();
  });
});
