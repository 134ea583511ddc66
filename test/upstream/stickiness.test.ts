import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpointTag, placeOf, splitTag } from '../../src/upstream/stickiness.ts';

describe('the tag of an endpoint', () => {
  it('comes from the URL alone, so that it outlives restarts, replicas and a new order', () => {
    expect(endpointTag('http://10.0.0.1:3000/mcp')).toBe('@LcM3ggFc:');
    expect(endpointTag('HTTP://10.0.0.1:3000/mcp')).toBe(endpointTag('http://10.0.0.1:3000/mcp'));
    expect(endpointTag('http://10.0.0.2:3000/mcp')).not.toBe(endpointTag('http://10.0.0.1:3000/mcp'));
  });

  it('comes off again, whatever the id', () => {
    const id = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    });
    fc.assert(
      fc.property(fc.nat(65_535), id, (port, given) => {
        const tag = endpointTag(`http://a:${port}/`);
        expect(tag.length).toBe(10);
        expect(splitTag(tag + given)).toEqual({ tag, id: given });
      }),
    );
  });

  for (const id of [
    '',
    'a',
    '9f1c2d3e-0000-4000-8000-000000000000',
    '@short:x',
    'x@AAAAAAAA:x',
    '@AAAAAAAA',
  ]) {
    it(`is not seen in ${JSON.stringify(id)}`, () => {
      expect(splitTag(id)).toEqual({ tag: undefined, id });
    });
  }
});

describe('callers that have an endpoint of their own', () => {
  const tags = ['a', 'b', 'c', 'd'].map((name) => endpointTag(`http://${name}/`));
  const callers = Array.from({ length: 1000 }, (_, index) => `caller-${index}`);

  it('are spread evenly', () => {
    const got = tags.map((_, place) => callers.filter((caller) => placeOf(caller, tags) === place).length);
    for (const count of got) expect(Math.abs(count - 250)).toBeLessThan(60);
  });

  it('stay where they are when another endpoint goes or the order changes', () => {
    const left = tags.slice(1);
    for (const caller of callers) {
      const before = tags[placeOf(caller, tags)]!;
      expect(tags.toReversed()[placeOf(caller, tags.toReversed())]).toBe(before);
      if (before !== tags[0]) expect(left[placeOf(caller, left)]).toBe(before);
    }
  });
});
