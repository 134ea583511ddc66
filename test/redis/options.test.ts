import { describe, expect, it } from 'vitest';
import { redisOptions } from '../../src/redis/options.ts';

const url = 'redis://127.0.0.1:6379';

function problemsOf(options: unknown): readonly string[] {
  const parsed = redisOptions.safeParse(options);
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('options of a shared store', () => {
  it('have defaults, but for how many share it', () => {
    expect(redisOptions.parse({ url, replicas: 3 })).toMatchObject({
      prefix: 'sallyport',
      timeout: 50,
      pending: 4096,
      placeLease: 30_000,
      leases: { enabled: true },
    });
    expect(problemsOf({ url })).toHaveLength(1);
  });

  it('name one place', () => {
    const nodes = ['a:1', '[::1]:2'];
    for (const place of [{ url }, { nodes }, { sentinel: { nodes, master: 'm' } }])
      expect(problemsOf({ replicas: 1, ...place })).toEqual([]);
    for (const places of [{}, { url, nodes }, { nodes, sentinel: { nodes, master: 'm' } }])
      expect(problemsOf({ replicas: 1, ...places })).toEqual([
        ': give exactly one of url, nodes (a cluster), sentinel',
      ]);
  });

  it('hold no secret in the url, and nothing else that does not belong there', () => {
    for (const wrong of [
      'redis://user@host',
      'redis://:secret@host',
      'rediss://user:secret@host:1/2',
      'http://host',
      'redis:host',
      'unix:///tmp/redis.sock',
      'redis://host/name',
      'redis://host/1/2',
      'redis://host?tls=true',
      'redis://host#x',
      'host:6379',
    ])
      expect(problemsOf({ url: wrong, replicas: 1 }), wrong).not.toEqual([]);
    for (const right of ['redis://host', 'rediss://host:1', 'redis://[::1]:1/3', 'redis://host/'])
      expect(problemsOf({ url: right, replicas: 1 }), right).toEqual([]);
  });

  it('refuse prefixes and addresses that could be taken for something else', () => {
    for (const prefix of ['', 'a}b', '{a', 'A', 'a:b', 'a b', '*', 'a'.repeat(64)])
      expect(problemsOf({ url, replicas: 1, prefix }), prefix).not.toEqual([]);
    for (const node of [
      'host',
      'host:0',
      'host:65536',
      'redis://host:1',
      'host:1/2',
      'user@host:1',
      ':1',
      'a:b:1',
    ])
      expect(problemsOf({ nodes: [node], replicas: 1 }), node).not.toEqual([]);
  });

  it('say what only has a meaning with something else', () => {
    expect(problemsOf({ url, replicas: 1, tls: {} })).toEqual([
      'tls: only has a meaning for a rediss url, nodes or sentinel',
    ]);
    expect(problemsOf({ nodes: ['a:1'], replicas: 1, tls: { key: 'f' } })).toEqual([
      'tls: certificate and key belong together',
    ]);
    expect(problemsOf({ url, replicas: 1, username: 'u' })).toEqual(['username: a user needs a password']);
    expect(problemsOf({ sentinel: { nodes: ['a:1'], master: 'm', username: 'u' }, replicas: 1 })).toEqual([
      'sentinel.username: a user needs a password',
    ]);
  });

  it('wait for no store longer than 50 ms', () => {
    expect(problemsOf({ url, replicas: 1, timeout: '51ms' })).not.toEqual([]);
  });
});
