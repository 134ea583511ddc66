import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compilePolicy } from '../../src/policy/compile.ts';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { run } from './run-command.ts';

describe('roles propose', () => {
  let recorder: Recorder;
  let prepared: GatewayFolder;

  beforeAll(async () => {
    recorder = await startRecorder();
    recorder.on('tools/list', ({ id }) => ({
      kind: 'json',
      body: {
        jsonrpc: '2.0',
        id,
        result: {
          resultType: 'complete',
          tools: [
            {
              name: 'read_file',
              inputSchema: {
                type: 'object',
                properties: { path: { type: 'string' }, limit: { type: 'integer' } },
              },
            },
            { name: 'ping', inputSchema: { type: 'object' } },
          ],
        },
      },
    }));
    prepared = await prepareGateway({ upstreams: { files: recorder.url } });
  });

  afterAll(async () => {
    prepared.remove();
    await recorder.close();
  });

  const roles = (...args: string[]) => run(['roles', ...args, '--config', prepared.file]);
  const rulesOf = (text: string) => {
    const result = compilePolicy([{ file: 'proposed.yaml', text }]);
    expect(result.ok ? [] : result.problems).toEqual([]);
    return text;
  };

  it('writes a policy in shadow mode that compiles, from the schemas of live tools', async () => {
    const { code, stdout, stderr } = await roles('propose');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(rulesOf(stdout)).toContain('mode: shadow');
    expect(stdout).not.toContain('enforce');
    expect(stdout).toMatch(/read_file[\s\S]*path:/);
    expect(stdout).not.toContain('ping');
  });

  it('draws ranges round what the audit has seen, and skips lines that are torn', async () => {
    const file = join(prepared.folder, 'old.jsonl');
    const line = (limit: number) =>
      JSON.stringify({
        upstream: 'files',
        target: { kind: 'tool', name: 'read_file' },
        code: 'ok',
        arguments: { path: '/srv/reports/a.txt', limit },
      });
    writeFileSync(file, `${[10, 20, 30].map(line).join('\n')}\n{"torn`);
    const { code, stdout } = await roles('propose', 'files', '--audit', file);
    expect(code).toBe(0);
    expect(rulesOf(stdout)).toContain('3 calls');
    expect(stdout).not.toBe((await roles('propose')).stdout);
  });

  it.each([
    [['frob'], 2, 'Say what to do: propose'],
    [[], 2, 'Say what to do: propose'],
    [['propose', 'other'], 2, '"other": no such upstream; one of files'],
  ])('%j exits with %i', async (args, code, said) => {
    expect(await roles(...args)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(said) });
  });

  it('an audit file that is not there exits with 3 and says so', async () => {
    const missing = join(prepared.folder, 'missing.jsonl');
    expect(await roles('propose', '--audit', missing)).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringContaining('missing.jsonl'),
    });
  });
});
