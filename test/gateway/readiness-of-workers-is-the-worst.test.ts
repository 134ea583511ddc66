import { expect, it } from 'vitest';
import { mergeReadiness } from '../../src/gateway/merge-readiness.ts';

const fine = { audit: 'ok', policy: 'a', reload: 'ok', failed: [], store: 'ok' };
const say = (body: Readonly<Record<string, unknown>> = fine, ready = true) => ({
  ready,
  body: JSON.stringify(body),
});
const merge = (...answers: readonly unknown[]) => {
  const { ready, body } = mergeReadiness(2, false, answers);
  return { ready, body: JSON.parse(body) as unknown };
};

it('is ready where all are', () => {
  expect(merge(say(), say())).toEqual({
    ready: true,
    body: { ...fine, ready: true, draining: false, workers: { configured: 2, ready: 2 } },
  });
});

for (const [what, worse, told] of [
  ['lost the store', { store: 'lost' }, { store: 'lost' }],
  ['cannot write its audit', { audit: 'failing' }, { audit: 'failing' }],
  ['failed to read its files', { failed: ['policies'] }, { reload: 'failed', failed: ['policies'] }],
  ['has another policy in force', { policy: 'b' }, {}],
] as const) {
  it(`tells of the one that ${what}, whichever answers first`, () => {
    const other = say({ ...fine, ...worse });
    expect(merge(say(), other).body).toMatchObject(told);
    expect(merge(other, say()).body).toMatchObject(told);
  });
}

it('tells all policies where workers differ', () => {
  expect(merge(say(), say({ ...fine, policy: 'b' })).body).toMatchObject({ policies: ['a', 'b'] });
});

it('is not ready where one is not, or does not answer', () => {
  expect(merge(say(), say(fine, false)).ready).toBe(false);
  expect(merge(say(), undefined)).toMatchObject({
    ready: false,
    body: { workers: { configured: 2, ready: 1 } },
  });
});
