import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';

const folders: GatewayFolder[] = [];
afterAll(() => {
  for (const folder of folders) folder.remove();
});

async function problemsOf(config: Record<string, unknown>): Promise<readonly string[]> {
  const folder = await prepareGateway({
    door: 'plain',
    upstreams: { tools: 'http://127.0.0.1:1/mcp' },
    files: { 'session.key': 'k'.repeat(40), 'redis.password': 'secret\n' },
    config,
  });
  folders.push(folder);
  const loaded = await loadConfig(folder.file, {});
  return loaded.ok ? [] : loaded.problems.map(({ path, message }) => `${path}: ${message}`);
}

const redis = { url: 'redis://127.0.0.1:1', replicas: 2 };
const session = { keys: ['session.key'] };

describe('a shared store in the gateway file', () => {
  it('needs the session keys', async () => {
    expect(await problemsOf({ store: { redis }, session })).toEqual([]);
    const problems = await problemsOf({ store: { redis } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^store\.redis: session\.keys is missing/);
  });

  it('is one, and memory where none is named', async () => {
    expect(await problemsOf({})).toEqual([]);
    expect(await problemsOf({ store: { memory: {} } })).toEqual([]);
    expect(await problemsOf({ store: { memory: {}, redis }, session })).toEqual([
      'store: give memory or redis, not both',
    ]);
  });

  it('has files that must be there', async () => {
    expect(
      await problemsOf({ store: { redis: { ...redis, password: { file: 'redis.password' } } }, session }),
    ).toEqual([]);
    const missing = await problemsOf({
      store: {
        redis: {
          url: 'rediss://127.0.0.1:1',
          replicas: 2,
          password: { file: 'absent' },
          tls: { ca: ['absent-ca'], certificate: 'absent-certificate', key: 'absent-key' },
        },
      },
      session,
    });
    expect(missing.map((problem) => problem.split(': ')[0])).toEqual([
      'store.redis.password.file',
      'store.redis.tls.ca[0]',
      'store.redis.tls.certificate',
      'store.redis.tls.key',
    ]);
  });
});
