import { describe, expect, it } from 'vitest';
import { createListings } from '../../src/pins/listings.ts';

const page = (
  reader: string,
  cursor: string | undefined,
  nextCursor: string | undefined,
  ...names: string[]
) => ({
  reader,
  cursor,
  nextCursor,
  names,
});

describe('pages', () => {
  it('make a whole list once the last one is read', () => {
    const note = createListings();
    expect(note(page('a', undefined, '', 'x'))).toBeUndefined();
    expect(note(page('a', '', 'two', 'y'))).toBeUndefined();
    expect(note(page('a', 'two', undefined, 'z'))).toEqual(new Set(['x', 'y', 'z']));
    expect(note(page('a', undefined, undefined, 'only'))).toEqual(new Set(['only']));
  });

  it('of two readers are two lists', () => {
    const note = createListings();
    note(page('a', undefined, 'n', 'x'));
    expect(note(page('b', 'n', undefined, 'y'))).toBeUndefined();
    expect(note(page('a', 'n', undefined, 'z'))).toEqual(new Set(['x', 'z']));
  });

  it('that continue nothing complete nothing: a cursor cannot be made up', () => {
    const note = createListings();
    expect(note(page('a', 'invented', undefined, 'x'))).toBeUndefined();
    note(page('a', undefined, 'n', 'x'));
    expect(note(page('a', 'other', undefined, 'y'))).toBeUndefined();
    expect(note(page('a', 'n', undefined))).toEqual(new Set(['x']));
    expect(note(page('a', 'n', undefined))).toBeUndefined();
  });

  it('are forgotten, oldest first, where too many lists are being read, or one is endless', () => {
    const note = createListings();
    for (let index = 0; index <= 256; index += 1) note(page(`r${index}`, undefined, 'n', 'x'));
    expect(note(page('r0', 'n', undefined))).toBeUndefined();
    expect(note(page('r1', 'n', undefined))).toEqual(new Set(['x']));
    const many = Array.from({ length: 10_001 }, (_, index) => `t${index}`);
    note(page('endless', undefined, 'n', ...many));
    expect(note(page('endless', 'n', undefined))).toBeUndefined();
  });
});
