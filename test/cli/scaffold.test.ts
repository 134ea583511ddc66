import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compilePolicy } from '../../src/policy/compile.ts';
import { type EverythingFixture, startEverythingFixture } from '../support/everything-fixture.ts';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { run } from './run-command.ts';

describe('scaffold', () => {
  let server: EverythingFixture;
  let prepared: GatewayFolder;

  beforeAll(async () => {
    server = await startEverythingFixture();
    prepared = await prepareGateway({ upstreams: { fixture: server.url } });
  });

  afterAll(async () => {
    prepared.remove();
    await server.close();
  });

  it('writes a policy of all that a live server lists, which allows nothing', async () => {
    const { code, stdout, stderr } = await run(['scaffold', server.url, '--name', 'fixture']);
    expect(code).toBe(0);
    const compiled = compilePolicy([{ file: 'first.yaml', text: stdout }]);
    expect(compiled.ok).toBe(true);
    expect(stdout).toContain('fixture-changes:');
    expect(stdout).toContain('fixture-prompts:');
    expect(stdout).toContain('fixture-resources:');
    expect(stdout).not.toMatch(/mode: enforce|bindings/);
    expect(stdout.match(/- description:/g)?.length).toBe(stdout.match(/mode: shadow$/gm)?.length);
    expect(stderr).toMatch(/^template "/m);
  });

  it('asks an upstream of the configuration as the gateway does', async () => {
    const byName = await run(['scaffold', '--upstream', 'fixture', '--config', prepared.file]);
    expect(byName).toEqual(await run(['scaffold', server.url, '--name', 'fixture']));
  });

  it('says so where there is no list, or no server', async () => {
    expect((await run(['scaffold', 'http://127.0.0.1:9/mcp'])).code).toBe(3);
    expect((await run(['scaffold', 'file:///etc'])).code).toBe(2);
    expect((await run(['scaffold'])).code).toBe(2);
    expect((await run(['scaffold', server.url, '--upstream', 'fixture'])).code).toBe(2);
    expect((await run(['scaffold', server.url, '--name', 'Not A Name'])).code).toBe(2);
    expect((await run(['scaffold', '--upstream', 'nobody', '--config', prepared.file])).code).toBe(2);
  });
});
