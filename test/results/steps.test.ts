import { describe, expect, it } from 'vitest';
import { createContentRedactor } from '../../src/redaction/redact-text.ts';
import { createCleaner } from '../../src/results/clean.ts';
import { guardMessage } from '../../src/results/guard.ts';
import { ownSecretsPlan, type ResultPlan } from '../../src/results/plan.ts';
import { Report } from '../../src/results/report.ts';
import type { JsonObject } from '../../src/values/json.ts';

const redactor = createContentRedactor({ key: Buffer.from('key') });
const asked: string[] = [];
const around = {
  mayRead(uri: string): boolean {
    asked.push(uri);
    return true;
  },
  isSkillFile: () => false,
};

/** How often the guard stops on its way through a message, and what comes of it. */
function guarded(message: JsonObject): { stops: number; value: JsonObject } {
  const plan: ResultPlan = { ...ownSecretsPlan(), links: { value: 'policy', rule: 'links' } };
  const steps = guardMessage(message, createCleaner(plan, redactor, new Map(), new Report()), around);
  for (let stops = 0; ; stops += 1) {
    const { done, value } = steps.next();
    if (done) return { stops, value };
  }
}

describe('the guard of results', () => {
  it.each<[string, (count: number) => JsonObject]>([
    ['keys', (count) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`key${at}`, at]))],
    ['values', (count) => ({ rows: Array.from({ length: count }, (_, at) => at) })],
    ['lists', (count) => ({ rows: Array.from({ length: count }, () => []) })],
  ])('stops on its way through many %s, and changes nothing', (_, data) => {
    const message = { content: [], structuredContent: data(10_000) };
    const { stops, value } = guarded(message);
    expect(value).toBe(message);
    expect(stops).toBeGreaterThan(30);
  });

  it('stops more often where each item asks policy', () => {
    const link = (at: number): JsonObject => ({ type: 'resource_link', name: 'n', uri: `file:///${at}` });
    const message = { content: Array.from({ length: 1000 }, (_, at) => link(at)) };
    expect(guarded(message).stops).toBeGreaterThan(100);
    expect(asked).toHaveLength(1000);
  });
});
