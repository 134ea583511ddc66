import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSessionSealer } from '../../src/filters/session-sealer.ts';

const maxAge = 60_000;
const born = 1_800_000_000_000;
const claims = {
  principalId: 'key:etl',
  upstream: 'warehouse',
  upstreamId: 'abc',
  revision: '2025-11-25',
} as const;

function openedOnce() {
  const sealer = createSessionSealer({ keys: [randomBytes(32)], maxAge });
  const sealed = sealer.sealSession(claims, born)!;
  const first = sealer.openSession(sealed, 'key:etl', 'warehouse', born);
  return { sealer, sealed, first };
}

describe('a session id that was opened before', () => {
  test('opens to the same session', () => {
    const { sealer, sealed, first } = openedOnce();
    expect(first).toMatchObject({ upstreamId: 'abc', revision: '2025-11-25' });
    expect(sealer.openSession(sealed, 'key:etl', 'warehouse', born + 1)).toEqual(first);
  });

  test('still grows too old', () => {
    const { sealer, sealed } = openedOnce();
    expect(sealer.openSession(sealed, 'key:etl', 'warehouse', born + maxAge)).toBeDefined();
    expect(sealer.openSession(sealed, 'key:etl', 'warehouse', born + maxAge + 1)).toBeUndefined();
  });

  test('still comes from the future where the clock went back', () => {
    const { sealer, sealed } = openedOnce();
    expect(sealer.openSession(sealed, 'key:etl', 'warehouse', born - 60_001)).toBeUndefined();
  });

  test.each([
    ['another principal', 'key:other', 'warehouse'],
    ['another upstream', 'key:etl', 'payroll'],
    ['neither', 'key:other', 'payroll'],
    ['a principal whose name continues', 'key:etl2', 'warehouse'],
  ])('does not open for %s', (_, principalId, upstream) => {
    const { sealer, sealed } = openedOnce();
    expect(sealer.openSession(sealed, principalId, upstream, born)).toBeUndefined();
  });

  test('does not open in another spelling', () => {
    const { sealer, sealed } = openedOnce();
    for (const disguise of [
      `${sealed}=`,
      ` ${sealed}`,
      `${sealed} `,
      sealed.toUpperCase(),
      sealed.slice(0, -1),
    ]) {
      expect(sealer.openSession(disguise, 'key:etl', 'warehouse', born)).toBeUndefined();
    }
  });

  test('opens again after more others than are remembered', () => {
    const { sealer, sealed, first } = openedOnce();
    for (let count = 0; count < 4200; count += 1) {
      const other = sealer.sealSession({ ...claims, upstreamId: `other-${count}` }, born)!;
      expect(sealer.openSession(other, 'key:etl', 'warehouse', born)).toBeDefined();
    }
    expect(sealer.openSession(sealed, 'key:etl', 'warehouse', born)).toEqual(first);
  });
});
