import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/mcp/frame.ts';
import { methods } from '../../src/mcp/methods.ts';
import { type Revision, revisions } from '../../src/mcp/revision.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import { isRepeatable } from '../../src/pipeline/repeatable.ts';

const asked = (method: string, revision: Revision, params?: object): boolean =>
  isRepeatable({ kind: 'request', id: 1, method, params } as unknown as Frame, { revision } as Exchange);

/** Written out by hand from the specification: each of them returns what is there, and nothing else happens. */
const reads = [
  'server/discover',
  'ping',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
  'tasks/get',
  'tasks/list',
  'skills/list',
  'skills/get',
  'resources/directory/read',
];

describe('a message may reach a server twice', () => {
  it('where it is a list or a read, in whatever revision has it, and nowhere else', () => {
    for (const revision of revisions) {
      for (const { method, kind } of methods) {
        if (kind !== 'request') continue;
        if (asked(method, revision)) expect(reads).toContain(method);
      }
    }
    const all = reads.filter((method) => revisions.some((revision) => asked(method, revision)));
    expect(all).toEqual(reads);
  });

  it('not where the table has no such method, nor a method of another revision', () => {
    for (const revision of revisions) {
      for (const method of ['tools/lists', 'TOOLS/LIST', 'constructor', '__proto__', '', 'tools/call ']) {
        expect(asked(method, revision)).toBe(false);
      }
    }
    expect(asked('ping', '2026-07-28')).toBe(false);
    expect(asked('server/discover', '2025-11-25')).toBe(false);
  });

  it('not where it brings answers, or would begin a task', () => {
    for (const params of [{ inputResponses: {} }, { requestState: 'x' }, { task: { ttl: 1 } }]) {
      for (const revision of revisions) {
        for (const method of reads) expect(asked(method, revision, { uri: 'a:b', ...params })).toBe(false);
      }
    }
    expect(asked('resources/read', '2026-07-28', { uri: 'a:b' })).toBe(true);
  });

  it('not where it is anything but a request', () => {
    for (const kind of ['notification', 'result', 'error', 'stream-open', 'session-end']) {
      const frame = { kind, id: 1, method: 'tools/list' } as unknown as Frame;
      expect(isRepeatable(frame, { revision: '2025-11-25' } as Exchange)).toBe(false);
    }
  });
});
