import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import type { AddressRule } from '../../src/upstream/address-rules.ts';
import { createNameLookup, type ResolveName } from '../../src/upstream/lookup.ts';

const name = 'mcp.example.com';

function setUp(resolve: ResolveName, rule: AddressRule = 'auto') {
  const clock = { now: 0 };
  const reports: (string | undefined)[] = [];
  let asked = 0;
  const names = createNameLookup(rule, {
    resolve: (asking) => {
      asked += 1;
      return resolve(asking);
    },
    monotonic: () => clock.now,
    report: ({ problem }) => reports.push(problem),
  });
  const addresses = (options: object = {}): Promise<readonly string[]> =>
    new Promise((resolveAll, reject) => {
      names.lookup(name, { all: true, ...options }, (error, found) => {
        if (error !== null) reject(error);
        else resolveAll((found as LookupAddress[]).map(({ address }) => address));
      });
    });
  return { names, clock, reports, addresses, asked: () => asked };
}

const failing = (code: string): Promise<never> => Promise.reject(Object.assign(new Error(code), { code }));

describe('names of upstreams', () => {
  it('are asked for once, however many wait', async () => {
    const { addresses, asked, clock } = setUp(() => Promise.resolve(['10.0.0.1', 'fd00::1']));
    const all = await Promise.all(Array.from({ length: 100 }, () => addresses()));
    expect([new Set(all.map(String)).size, asked()]).toEqual([1, 1]);
    await addresses();
    expect(asked()).toBe(1);
    clock.now += 1000;
    expect(await addresses()).toEqual(['10.0.0.1', 'fd00::1']);
    expect(asked()).toBe(2);
  });

  it('give the addresses of the family that is asked for, in either form', async () => {
    const { names, addresses } = setUp(() => Promise.resolve(['fd00::1', '10.0.0.1']));
    expect(await addresses({ family: 4 })).toEqual(['10.0.0.1']);
    expect(await addresses({ family: 'IPv6' })).toEqual(['fd00::1']);
    const one = await new Promise((resolve) => {
      names.lookup(name, {}, (error, address, family) => resolve([error, address, family]));
    });
    expect(one).toEqual([null, 'fd00::1', 6]);
    const none = setUp(() => Promise.resolve(['10.0.0.1']));
    await expect(none.addresses({ family: 6 })).rejects.toThrow('no address of this family');
  });

  it('keep the last good addresses while the name service fails', async () => {
    let next: () => Promise<readonly string[]> = () => Promise.resolve(['10.0.0.1']);
    const { addresses, clock } = setUp(() => next());
    await addresses();
    clock.now += 5000;
    next = () => failing('EAI_AGAIN');
    expect(await addresses()).toEqual(['10.0.0.1']);
    clock.now += 600_000;
    await expect(addresses()).rejects.toThrow('EAI_AGAIN');
  });

  it('keep them while it is slow, and ask it once only in the meantime', async () => {
    const slow: ((addresses: readonly string[]) => void)[] = [];
    let first = true;
    const { addresses, clock, asked } = setUp(() => {
      if (!first) return new Promise((resolve) => slow.push(resolve));
      first = false;
      return Promise.resolve(['10.0.0.1']);
    });
    await addresses();
    for (let round = 0; round < 3; round += 1) {
      clock.now += 5000;
      expect(await addresses()).toEqual(['10.0.0.1']);
    }
    expect(asked()).toBe(2);
    slow[0]!(['10.0.0.2']);
    await new Promise(setImmediate);
    expect(await addresses()).toEqual(['10.0.0.2']);
  });

  it('wait for a name service that never gave an answer', async () => {
    let answer: (addresses: readonly string[]) => void = () => undefined;
    const { addresses } = setUp(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const waiting = addresses();
    answer(['10.0.0.9']);
    expect(await waiting).toEqual(['10.0.0.9']);
  });

  it('are gone where the name service says so', async () => {
    let next: () => Promise<readonly string[]> = () => Promise.resolve(['10.0.0.1']);
    const { addresses, clock } = setUp(() => next());
    await addresses();
    clock.now += 5000;
    next = () => failing('ENOTFOUND');
    await expect(addresses()).rejects.toThrow('ENOTFOUND');
  });

  for (const bad of ['127.0.0.1', '169.254.169.254', '10.0.0.1', '::1', '192.168.1.1']) {
    it(`are not dialled when they flip from a public address to ${bad}`, async () => {
      let now = ['93.184.215.14'];
      const { names, addresses, clock, reports } = setUp(() => Promise.resolve(now));
      expect(await addresses()).toEqual(now);
      now = [bad];
      for (let round = 0; round < 3; round += 1) {
        clock.now += 2000;
        await expect(addresses()).rejects.toMatchObject({ code: 'ERR_ADDRESS_REFUSED' });
      }
      expect(reports.length).toBe(1);
      now = ['93.184.215.15'];
      clock.now += 2000;
      expect(await addresses()).toEqual(now);
      expect(reports.at(-1)).toBeUndefined();
      // A reload takes private ones for what the name has.
      names.forget();
      clock.now += 2000;
      now = [bad];
      const after = await addresses().catch(() => 'refused');
      expect(after).toEqual(['10.0.0.1', '192.168.1.1'].includes(bad) ? [bad] : 'refused');
    });
  }

  it('do not fall back on good addresses when bad ones come', async () => {
    let now = ['93.184.215.14'];
    const { addresses, clock } = setUp(() =>
      now.length === 0 ? failing('EAI_AGAIN') : Promise.resolve(now),
    );
    await addresses();
    now = ['127.0.0.1'];
    clock.now += 2000;
    await expect(addresses()).rejects.toThrow('not dialled');
    now = [];
    clock.now += 2000;
    await expect(addresses()).rejects.toThrow('EAI_AGAIN');
  });

  it('have a bounded number of addresses, and at least one', async () => {
    const many = setUp(() => Promise.resolve(Array.from({ length: 65 }, (_, index) => `10.0.0.${index}`)));
    await expect(many.addresses()).rejects.toThrow('65 addresses');
    const none = setUp(() => Promise.resolve([]));
    await expect(none.addresses()).rejects.toThrow('0 addresses');
  });
});
