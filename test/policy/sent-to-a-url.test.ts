import { describe, expect, it } from 'vitest';
import { ask, oneRole } from './support/build.ts';

const url = { resource: 'https://pay.example/form', action: 'ask' } as const;

describe('that a server may send a person to a URL', () => {
  it('must be allowed by name', () => {
    for (const rule of ['{ resources: "**" }', '{ resources: "**", actions: [read, subscribe, complete] }']) {
      expect(ask(oneRole(`[${rule}]`), url), rule).toMatchObject({ effect: 'deny', visible: false });
    }
    for (const rule of ['{ resources: "**", actions: [ask] }', '{ resources: "**", actions: [read, ask] }']) {
      expect(ask(oneRole(`[${rule}]`), url).effect, rule).toBe('allow');
    }
  });

  it('is denied by a rule that denies all there is', () => {
    const allow = '[{ resources: "**", actions: [ask] }]';
    expect(ask(oneRole(allow, '[{ resources: "**" }]'), url).effect).toBe('deny');
    expect(ask(oneRole(allow, '[{ resources: "**", actions: [read] }]'), url).effect).toBe('allow');
  });

  it('is the one action that a rule without `actions` leaves out', () => {
    const policy = oneRole('[{ resources: "**", tools: t, prompts: p, methods: m }]');
    for (const action of ['read', 'subscribe', 'complete'] as const) {
      expect(ask(policy, { ...url, action }).effect, action).toBe('allow');
    }
    for (const target of [{ tool: 't' }, { prompt: 'p' }, { method: 'm' }]) {
      expect(ask(policy, { ...target, action: 'ask' }).effect, JSON.stringify(target)).toBe('allow');
    }
  });
});
