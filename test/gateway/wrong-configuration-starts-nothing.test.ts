import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { runSallyport } from '../support/gateway-process.ts';

describe('a gateway with a wrong configuration', () => {
  let prepared: GatewayFolder;

  beforeAll(async () => {
    prepared = await prepareGateway({ upstreams: { somewhere: 'http://127.0.0.1:9/mcp' } });
  });

  afterAll(() => prepared.remove());

  const runWith = (file: string, text: string) => {
    writeFileSync(join(prepared.folder, file), text);
    return runSallyport(['run', '--config', join(prepared.folder, file)]);
  };
  const good = (more = '', listener = '127.0.0.1:0') => `version: 1
listeners:
  - bind: ${listener}
insecure: { anonymous: tester }
upstreams:
  - name: somewhere
    path: /somewhere/mcp
    http: { url: "http://127.0.0.1:9/mcp" }
policies: ${more === '' ? 'policies/' : more}
audit: { file: audit.jsonl }
admin: { bind: 127.0.0.1:0 }
`;

  it('exits with 3 and names every problem with its place, and what was probably meant', async () => {
    const wrong = good()
      .replace('listeners:', 'listners:')
      .replace('path: /somewhere/mcp', 'path: somewhere')
      .replace('audit: { file: audit.jsonl }', 'audit: { file: audit.jsonl, onFailure: deney }')
      .concat('drain: { deadline: soon }\n');
    const { code, stdout, stderr } = await runWith('wrong.yaml', wrong);
    expect(code).toBe(3);
    expect(stdout).toBe('');
    const problems = stderr.trimEnd().split('\n');
    for (const problem of problems) expect(problem).toMatch(/wrong\.yaml:\d+:\d+: /);
    expect(problems).toContainEqual(expect.stringMatching(/:2:1: .*did you mean.*listeners/i));
    expect(problems).toContainEqual(
      expect.stringMatching(/:7:\d+: upstreams\[0\]\.path: must begin with \//),
    );
    expect(problems).toContainEqual(expect.stringMatching(/:10:\d+: audit\.onFailure: /));
    expect(problems).toContainEqual(expect.stringMatching(/:12:\d+: drain\.deadline: /));
  });

  it('exits with 3 for a wrong policy, with every problem in every file', async () => {
    mkdirSync(join(prepared.folder, 'broken'), { recursive: true });
    writeFileSync(
      join(prepared.folder, 'broken', 'a.yaml'),
      'version: 1\nroles:\n  r:\n    allow:\n      - tool: [x]\n',
    );
    writeFileSync(
      join(prepared.folder, 'broken', 'b.yaml'),
      'version: 1\nbindings:\n  - roles: [nobody]\n    to: { any: true }\n',
    );
    const { code, stderr } = await runWith('policy.yaml', good('broken/'));
    expect(code).toBe(3);
    expect(stderr).toMatch(/a\.yaml:5:\d+: .*did you mean.*tools/i);
    expect(stderr).not.toContain('"serving"');
  });

  it('exits with 3 for a file that is missing, and for no configuration at all', async () => {
    expect(await runWith('missing.yaml', good('nowhere/'))).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/missing\.yaml:9:\d+: policies: .*nowhere.*cannot be read \(ENOENT\)/),
    });
    expect(await runSallyport(['run', '--config', join(prepared.folder, 'absent.yaml')])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/absent\.yaml:1:1: .*cannot be read \(ENOENT\)/),
    });
  });

  it('exits with 3 where the address is taken, and leaves nothing open', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const ended = await runWith('taken.yaml', good('', `127.0.0.1:${port}`));
    expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining('EADDRINUSE') });
    await new Promise((resolve) => taken.close(resolve));
  });
});
