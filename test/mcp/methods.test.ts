import { describe, expect, it } from 'vitest';
import { inputRequestRow, methodRow, methods, type Target, targetsOf } from '../../src/mcp/methods.ts';
import { type Revision, revisions } from '../../src/mcp/revision.ts';
import type { JsonObject } from '../../src/values/json.ts';

const modern = '2026-07-28';

function targets(
  method: string,
  params: object | undefined,
  revision: Revision = modern,
): readonly Target[] | string {
  const row = methodRow(method, revision, 'toUpstream', 'request');
  if (row === undefined) return 'no row';
  const found = targetsOf(row, params as JsonObject | undefined);
  return found.ok ? found.value : found.failure.code;
}
const bad = 'frame-params-invalid';

describe('looking a method up', () => {
  it.each([
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    '',
    'Tools/call',
    'tools/call ',
    'tools/CALL',
    'tools\\/call',
    'rpc.discover',
    'completion/completé',
  ])('%j does not exist', (method) => {
    for (const revision of revisions) {
      for (const kind of ['request', 'notification'] as const) {
        expect(methodRow(method, revision, 'toUpstream', kind)).toBe(undefined);
        expect(methodRow(method, revision, 'toClient', kind)).toBe(undefined);
      }
    }
    expect(inputRequestRow(method)).toBe(undefined);
  });

  it('a request is not a notification, and one direction is not the other', () => {
    expect(methodRow('tools/call', modern, 'toUpstream', 'request')?.method).toBe('tools/call');
    expect(methodRow('tools/call', modern, 'toUpstream', 'notification')).toBe(undefined);
    expect(methodRow('tools/call', modern, 'toClient', 'request')).toBe(undefined);
    expect(methodRow('notifications/message', modern, 'toUpstream', 'notification')).toBe(undefined);
    expect(methodRow('sampling/createMessage', '2025-11-25', 'toUpstream', 'request')).toBe(undefined);
  });

  it('what a revision removed is gone there', () => {
    for (const method of [
      'initialize',
      'ping',
      'logging/setLevel',
      'resources/subscribe',
      'resources/unsubscribe',
      'tasks/result',
      'tasks/list',
    ]) {
      expect([method, methodRow(method, modern, 'toUpstream', 'request')]).toEqual([method, undefined]);
    }
    for (const method of ['sampling/createMessage', 'elicitation/create', 'roots/list', 'ping']) {
      expect([method, methodRow(method, modern, 'toClient', 'request')]).toEqual([method, undefined]);
    }
    for (const method of ['server/discover', 'subscriptions/listen', 'tasks/update', 'skills/list']) {
      expect([method, methodRow(method, '2025-11-25', 'toUpstream', 'request')]).toEqual([method, undefined]);
    }
    expect(methodRow('elicitation/create', '2025-03-26', 'toClient', 'request')).toBe(undefined);
    expect(methodRow('tasks/get', '2025-06-18', 'toUpstream', 'request')).toBe(undefined);
  });

  it('a modern result may ask three things, and nothing else', () => {
    for (const method of ['sampling/createMessage', 'elicitation/create', 'roots/list']) {
      expect(inputRequestRow(method)).toMatchObject({ method, access: 'method', action: 'ask' });
    }
    for (const method of ['ping', 'tools/call', 'tasks/get']) expect(inputRequestRow(method)).toBe(undefined);
  });

  it('rows cannot be written to', () => {
    expect(Object.isFrozen(methods) && methods.every((row) => Object.isFrozen(row))).toBe(true);
  });
});

describe('targets', () => {
  it('of calls and prompts, with their arguments', () => {
    expect(targets('tools/call', { name: 'q', arguments: { a: 1 } })).toEqual([
      { kind: 'tool', name: 'q', action: 'call', arguments: { a: 1 } },
    ]);
    expect(targets('tools/call', { name: 'q' })).toEqual([{ kind: 'tool', name: 'q', action: 'call' }]);
    expect(targets('prompts/get', { name: 'p', arguments: { a: 'x' } })).toEqual([
      { kind: 'prompt', name: 'p', action: 'get', arguments: { a: 'x' } },
    ]);
  });

  it('of resources are normalised', () => {
    expect(targets('resources/read', { uri: 'file:///räume' })).toEqual([
      { kind: 'resource', name: 'file:///r%C3%A4ume', action: 'read' },
    ]);
    expect(targets('resources/subscribe', { uri: 'file:///a' }, '2025-11-25')).toEqual([
      { kind: 'resource', name: 'file:///a', action: 'subscribe' },
    ]);
  });

  it('of completion are what is completed', () => {
    expect(targets('completion/complete', { ref: { type: 'ref/prompt', name: 'p' } })).toEqual([
      { kind: 'prompt', name: 'p', action: 'complete' },
    ]);
    expect(targets('completion/complete', { ref: { type: 'ref/resource', uri: 'test://t/{id}' } })).toEqual([
      { kind: 'resource', name: 'test://t/{id}', action: 'complete' },
    ]);
    expect(targets('completion/complete', { ref: { type: 'ref/resource', uri: 'test://t/1' } })).toEqual([
      { kind: 'resource', name: 'test://t/1', action: 'complete' },
    ]);
  });

  it('of listening are the method and every URI', () => {
    expect(
      targets('subscriptions/listen', {
        notifications: { resourceSubscriptions: ['file:///a', 'file:///b'] },
      }),
    ).toEqual([
      {
        kind: 'method',
        name: 'subscriptions/listen',
        action: 'use',
        arguments: { notifications: { resourceSubscriptions: ['file:///a', 'file:///b'] } },
      },
      { kind: 'resource', name: 'file:///a', action: 'subscribe' },
      { kind: 'resource', name: 'file:///b', action: 'subscribe' },
    ]);
    expect(targets('subscriptions/listen', { notifications: { toolsListChanged: true } })).toEqual([
      {
        kind: 'method',
        name: 'subscriptions/listen',
        action: 'use',
        arguments: { notifications: { toolsListChanged: true } },
      },
    ]);
  });

  it('of a call that asks to become a task are the tool, and the method that reads tasks', () => {
    expect(targets('tools/call', { name: 'q', task: { ttl: 1 } })).toEqual([
      { kind: 'tool', name: 'q', action: 'call' },
      { kind: 'method', name: 'tasks/get', action: 'use' },
    ]);
  });

  it('of skills are the method, which no rule for resources allows, and the resource', () => {
    expect(targets('skills/get', { uri: 'skill://a/b' })).toEqual([
      { kind: 'method', name: 'skills/get', action: 'use', arguments: { uri: 'skill://a/b' } },
      { kind: 'resource', name: 'skill://a/b', action: 'read' },
    ]);
  });

  it('of everything else are the method itself, or nothing for housekeeping', () => {
    expect(targets('tools/list', undefined)).toEqual([
      { kind: 'method', name: 'tools/list', action: 'use', arguments: {} },
    ]);
    expect(targets('tools/list', { cursor: 'c', _meta: {} })).toEqual([
      { kind: 'method', name: 'tools/list', action: 'use', arguments: { cursor: 'c' } },
    ]);
    const ask = methodRow('roots/list', '2025-11-25', 'toClient', 'request')!;
    expect(targetsOf(ask, undefined)).toEqual({
      ok: true,
      value: [{ kind: 'method', name: 'roots/list', action: 'ask', arguments: {} }],
    });
    const progress = methodRow('notifications/progress', modern, 'toClient', 'notification')!;
    expect(targetsOf(progress, {})).toEqual({ ok: true, value: [] });
  });

  const misshapen: readonly (readonly [string, unknown])[] = [
    ['tools/call', undefined],
    ['tools/call', {}],
    ['tools/call', { name: 1 }],
    ['tools/call', { name: '' }],
    ['tools/call', { name: ['q'] }],
    ['tools/call', { name: 'q\0' }],
    ['tools/call', { name: 'q\n' }],
    ['tools/call', { name: 'q\u2028' }],
    ['tools/call', { name: 'x'.repeat(257) }],
    ['tools/call', { name: 'q', arguments: [] }],
    ['tools/call', { name: 'q', arguments: null }],
    ['tools/call', { name: 'q', arguments: '{}' }],
    ['tools/call', { name: 'q', inputResponses: [] }],
    ['tools/call', { name: 'q', requestState: {} }],
    ['tools/call', { uri: 'q' }],
    ['prompts/get', {}],
    ['prompts/get', { name: 'p', arguments: 1 }],
    ['resources/read', {}],
    ['resources/read', { uri: 5 }],
    ['resources/read', { uri: 'file:///a/../b' }],
    ['resources/read', { uri: 'file:///{x}/../b' }],
    ['resources/read', { name: 'file:///a' }],
    ['completion/complete', {}],
    ['completion/complete', { ref: 'p' }],
    ['completion/complete', { ref: { type: 'ref/tool', name: 'p' } }],
    ['completion/complete', { ref: { type: 'ref/prompt', uri: 'p' } }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'p\0' } }],
    ['completion/complete', { ref: { type: 'ref/resource', name: 'p' } }],
    ['completion/complete', { ref: { type: 'ref/resource', uri: 'file:///../{x}' } }],
    ['subscriptions/listen', {}],
    ['subscriptions/listen', { notifications: [] }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: 'file:///a' } }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: [1] } }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: ['file:///a', 'file:///%2e%2e/b'] } }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: Array(1025).fill('file:///a') } }],
    ['tools/list', { cursor: 5 }],
    ['tasks/get', { taskId: 5 }],
    ['tasks/get', { taskId: 'a\nb' }],
    ['skills/get', {}],
  ];
  it.each(misshapen)('%s with %j is refused', (method, params) => {
    expect(targets(method, params as object)).toBe(bad);
  });

  it('do not come from Object.prototype', () => {
    expect(targets('tools/call', Object.create({ name: 'inherited' }))).toBe(bad);
  });
});
