import { describe, expect, it } from 'vitest';
import { fitsQuestion } from '../../src/filters/answer-shapes.ts';
import type { JsonValue } from '../../src/values/json.ts';

type Answers = readonly JsonValue[];

const cases: Readonly<Record<string, { readonly fit: Answers; readonly misfit: Answers }>> = {
  'elicitation/create': {
    fit: [
      { action: 'accept', content: { name: 'a', age: 3, ok: true, tags: ['x', 'y'] } },
      { action: 'accept' },
      { action: 'decline' },
      { action: 'cancel', content: {} },
      { action: 'cancel', content: null },
      { action: 'accept', _meta: {} },
    ],
    misfit: [
      {},
      { content: { ok: true } },
      { action: 'Accept' },
      { action: 'submit' },
      { action: null },
      { action: ['accept'] },
      { action: 'accept', content: [] },
      { action: 'accept', content: 'x' },
      { action: 'accept', content: { nested: { deep: 1 } } },
      { action: 'accept', content: { list: [{ a: 1 }] } },
      { action: 'accept', content: { list: [1] } },
      { action: 'accept', content: { nothing: null } },
      { action: 'decline', content: { password: 'typed before' } },
      { role: 'assistant', model: 'm', content: { type: 'text', text: 'x' } },
      { roots: [] },
    ],
  },
  'sampling/createMessage': {
    fit: [
      { role: 'assistant', model: 'm', content: { type: 'text', text: 'x' } },
      { role: 'user', model: '', content: [{ type: 'tool_use', id: 'a' }], stopReason: 'toolUse' },
    ],
    misfit: [
      {},
      { role: 'system', model: 'm', content: { type: 'text', text: 'x' } },
      { role: 'assistant', content: { type: 'text', text: 'x' } },
      { role: 'assistant', model: 'm' },
      { role: 'assistant', model: 'm', content: 'x' },
      { role: 'assistant', model: 'm', content: [{}] },
      { role: 'assistant', model: 'm', content: { type: 'text' }, stopReason: 5 },
      { action: 'accept' },
    ],
  },
  'roots/list': {
    fit: [{ roots: [] }, { roots: [{ uri: 'file:///home/a', name: 'a' }, { uri: 'file:///c%3A/work' }] }],
    misfit: [
      {},
      { roots: {} },
      { roots: [null] },
      { roots: [{}] },
      { roots: [{ uri: 'https://evil.example/' }] },
      { roots: [{ uri: 'file:///a' }, { uri: 'FILE:///b' }] },
      { roots: [{ uri: 'file://server/share' }] },
      { roots: [{ uri: 'file:///a/../../etc' }] },
      { roots: [{ uri: 'file:///a', name: 5 }] },
      { roots: Array.from({ length: 1025 }, () => ({ uri: 'file:///a' })) },
    ],
  },
};

for (const [method, { fit, misfit }] of Object.entries(cases)) {
  describe(`an answer to ${method}`, () => {
    for (const answer of fit) {
      it(`fits: ${JSON.stringify(answer).slice(0, 80)}`, () =>
        expect(fitsQuestion(method, answer)).toBe(true));
    }
    for (const answer of [...misfit, null, 'x', 1, true, []]) {
      it(`should NOT fit: ${JSON.stringify(answer).slice(0, 80)}`, () =>
        expect(fitsQuestion(method, answer)).toBe(false));
    }
    it('may be a task of the client only where the question allowed it', () => {
      const task = { task: { taskId: 't', status: 'working' } };
      expect(fitsQuestion(method, task)).toBe(false);
      expect(fitsQuestion(method, task, true)).toBe(true);
      expect(fitsQuestion(method, { task: {} }, true)).toBe(false);
    });
  });
}
