import { describe, expect, it } from 'vitest';
import { type MemorySource, memoryShare, readMemoryLimit, thisProcess } from '../../src/overload/memory.ts';

const source: MemorySource = { heap: () => ({ used: 30, limit: 100 }), resident: () => 80 };

describe('memory in use', () => {
  it('is a share of the heap where the control group says nothing', () => {
    expect(memoryShare(source, undefined)).toBe(0.3);
  });

  it('is a share of what is nearer to its end', () => {
    expect(memoryShare(source, 100)).toBe(0.8);
    expect(memoryShare(source, 1000)).toBe(0.3);
  });

  it('of this process is more than nothing and less than all', () => {
    const share = memoryShare(thisProcess, undefined);
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
  });
});

describe('the limit of the control group', () => {
  const missing = (): never => {
    throw new Error('ENOENT');
  };
  for (const [says, expected] of [
    ['536870912\n', 536_870_912],
    ['max\n', undefined],
    ['9223372036854771712\n', undefined],
    ['0\n', undefined],
    ['\n', undefined],
    ['nonsense', undefined],
  ] as const) {
    it(`is ${expected} where the file says ${JSON.stringify(says)}`, () => {
      expect(readMemoryLimit(() => says)).toBe(expected);
    });
  }

  it('is looked for in both versions of control groups, and none is no limit', () => {
    const asked: string[] = [];
    const limit = readMemoryLimit((file) => {
      asked.push(file);
      return asked.length === 2 ? '1048576' : missing();
    });
    expect(limit).toBe(1_048_576);
    expect(asked).toHaveLength(2);
    expect(readMemoryLimit(missing)).toBeUndefined();
  });
});
