import { afterEach, describe, expect, it } from 'vitest';
import { createHostAddresses, type HostAddresses } from '../../src/lookups/host-addresses.ts';
import { dnsOptionsSchema, lookupOptionsSchema } from '../../src/lookups/options.ts';
import { type DnsAnswer, type DnsServer, startDnsServer } from './dns-server.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function withServer(
  answer: (name: string, type: 'A' | 'AAAA') => DnsAnswer,
  options: object = {},
  now?: () => number,
): Promise<{ server: DnsServer; lookups: HostAddresses }> {
  const server = await startDnsServer(answer);
  closing.push(() => server.close());
  const lookups = createHostAddresses(
    dnsOptionsSchema.parse({ servers: [server.address], timeout: '5s', ...options }),
    now === undefined ? {} : { now },
  );
  closing.push(() => lookups.close());
  return { server, lookups };
}

const v4 = ['192.0.2.1', '192.0.2.2'];

interface Question {
  readonly host: string;
  answer(addresses: string[]): void;
  fail(code: string): void;
}

/** A resolver whose answers the test gives. */
function stub(options: object = {}, now?: () => number) {
  const questions: Question[] = [];
  let cancelled = false;
  const resolve4 = (host: string) =>
    new Promise<string[]>((resolve, reject) => {
      questions.push({
        host,
        answer: resolve,
        fail: (code) => reject(Object.assign(new Error(code), { code })),
      });
    });
  const lookups = createHostAddresses(dnsOptionsSchema.parse(options), {
    ...(now === undefined ? {} : { now }),
    resolver: {
      resolve4: resolve4 as never,
      resolve6: (() => Promise.reject(Object.assign(new Error('none'), { code: 'ENODATA' }))) as never,
      cancel() {
        cancelled = true;
        for (const question of questions) question.fail('ECANCELLED');
      },
    },
  });
  closing.push(() => lookups.close());
  return { lookups, questions, isCancelled: () => cancelled };
}

describe('createHostAddresses', () => {
  it('gives every address of both families', async () => {
    const { lookups, server } = await withServer((_name, type) => (type === 'A' ? v4 : ['2001:db8::1']));
    expect([...(await lookups.addresses('both.example'))!].sort()).toEqual([...v4, '2001:db8::1']);
    expect([...server.questions].sort()).toEqual(['both.example A', 'both.example AAAA']);
  });

  it('gives the addresses of one family where the other has none', async () => {
    const { lookups } = await withServer((name, type) =>
      name.startsWith(type === 'A' ? 'four' : 'six') ? (type === 'A' ? v4 : ['2001:db8::1']) : [],
    );
    expect(await lookups.addresses('four.example')).toEqual(v4);
    expect(await lookups.addresses('six.example')).toEqual(['2001:db8::1']);
  });

  it.each<[string, DnsAnswer, DnsAnswer]>([
    ['there is no such name', 'nxdomain', 'nxdomain'],
    ['there is no address', [], []],
    ['one family fails', v4, 'servfail'],
    ['the other family fails', 'servfail', ['2001:db8::1']],
    ['both fail', 'servfail', 'servfail'],
  ])('answers nothing where %s', async (_why, a, aaaa) => {
    const { lookups } = await withServer((_name, type) => (type === 'A' ? a : aaaa));
    expect(await lookups.addresses('x.example')).toBeUndefined();
  });

  it.each<[string, DnsAnswer, DnsAnswer]>([
    ['both families', 'silence', 'silence'],
    ['one family', v4, 'silence'],
  ])('answers nothing where the server is silent about %s', async (_why, a, aaaa) => {
    const { lookups } = await withServer((_name, type) => (type === 'A' ? a : aaaa), { timeout: '50ms' });
    expect(await lookups.addresses('x.example')).toBeUndefined();
  });

  it('asks nothing about addresses and what is no host name', async () => {
    const { lookups, server } = await withServer(() => v4);
    expect(await lookups.addresses('10.0.0.1')).toEqual(['10.0.0.1']);
    expect(await lookups.addresses('::1')).toEqual(['::1']);
    for (const host of [
      '',
      '.',
      'a.',
      '.a',
      'A.example',
      'a b',
      'a/b',
      'a\0b',
      'm\u00fc.example',
      'a.'.repeat(127),
    ]) {
      expect(await lookups.addresses(host), JSON.stringify(host)).toBeUndefined();
    }
    expect(server.questions).toEqual([]);
  });

  it('asks once for what is asked at the same time', async () => {
    const { lookups, questions } = stub();
    const answers = Promise.all([1, 2, 3].map(() => lookups.addresses('a.example')));
    await expect.poll(() => questions.length).toBe(1);
    questions[0]!.answer(['192.0.2.1']);
    expect(await answers).toEqual([['192.0.2.1'], ['192.0.2.1'], ['192.0.2.1']]);
    expect(questions).toHaveLength(1);
  });

  it('believes an answer for as long as it is told', async () => {
    let time = 0;
    const { lookups, server } = await withServer(
      (_name, type) => (type === 'A' ? v4 : []),
      {},
      () => time,
    );
    for (const at of [0, 1, 29_999]) {
      time = at;
      expect(await lookups.addresses('a.example')).toEqual(v4);
    }
    expect(server.questions).toHaveLength(2);
    time = 30_000;
    expect(await lookups.addresses('a.example')).toEqual(v4);
    expect(server.questions).toHaveLength(4);
  });

  it('believes no answer for a shorter time', async () => {
    let time = 0;
    let answer: DnsAnswer = 'nxdomain';
    const { lookups } = await withServer(
      (_name, type) => (type === 'A' ? answer : []),
      {},
      () => time,
    );
    expect(await lookups.addresses('a.example')).toBeUndefined();
    answer = v4;
    time = 4999;
    expect(await lookups.addresses('a.example')).toBeUndefined();
    time = 5000;
    expect(await lookups.addresses('a.example')).toEqual(v4);
  });

  it('forgets the oldest answer when the cache is full', async () => {
    const { lookups, questions } = stub({ cache: { entries: 2 } });
    const ask = async (host: string) => {
      const before = questions.length;
      const answer = lookups.addresses(host);
      await Promise.resolve();
      questions[before]?.answer(['192.0.2.1']);
      await answer;
      return questions.length > before;
    };
    expect(await ask('a.example')).toBe(true);
    expect(await ask('b.example')).toBe(true);
    expect(await ask('a.example')).toBe(false);
    expect(await ask('c.example')).toBe(true);
    expect(await ask('b.example')).toBe(false);
    expect(await ask('a.example')).toBe(true);
  });

  it('answers nothing beyond its bound, and keeps the place of a question that nobody waits for any more', async () => {
    const { lookups, questions } = stub({ maxConcurrent: 2, timeout: '20ms' });
    const waiting = [lookups.addresses('a.example'), lookups.addresses('b.example')];
    expect(await lookups.addresses('c.example')).toBeUndefined();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    // Timed out, and still under way.
    expect(await lookups.addresses('d.example')).toBeUndefined();
    expect(questions.map(({ host }) => host)).toEqual(['a.example', 'b.example']);
    questions[0]!.answer(['192.0.2.1']);
    await expect.poll(() => lookups.addresses('a.example')).toEqual(['192.0.2.1']);
    const later = lookups.addresses('e.example');
    expect(questions.map(({ host }) => host)).toEqual(['a.example', 'b.example', 'e.example']);
    questions[2]!.answer(['192.0.2.5']);
    expect(await later).toEqual(['192.0.2.5']);
  });

  it('answers nothing for more addresses than can be judged', async () => {
    const { lookups, questions } = stub();
    const answer = lookups.addresses('a.example');
    questions[0]!.answer(Array.from({ length: 257 }, (_, i) => `10.0.${i >> 8}.${i & 255}`));
    expect(await answer).toBeUndefined();
  });

  it('ends what is under way when it is closed', async () => {
    const { lookups, questions, isCancelled } = stub();
    const waiting = lookups.addresses('a.example');
    expect(questions).toHaveLength(1);
    lookups.close();
    expect(await waiting).toBeUndefined();
    expect(isCancelled()).toBe(true);
    expect(await lookups.addresses('b.example')).toBeUndefined();
    expect(await lookups.addresses('10.0.0.1')).toBeUndefined();
    expect(questions).toHaveLength(1);
  });

  it('ends a real question when it is closed', async () => {
    const { lookups, server } = await withServer(() => 'silence', { timeout: '30s' });
    const waiting = lookups.addresses('a.example');
    await expect.poll(() => server.questions.length).toBe(2);
    lookups.close();
    expect(await waiting).toBeUndefined();
  });
});

describe('lookups: options', () => {
  it('has these defaults', () => {
    expect(lookupOptionsSchema.parse({}).dns).toEqual({
      timeout: 1000,
      maxConcurrent: 64,
      cache: { entries: 1000, ttl: 30_000, negativeTtl: 5000 },
    });
  });

  it.each(['10.0.0.2', '10.0.0.2:5353', '[fd00::2]:53', 'fd00::2', '[fd00::2]'])(
    'takes the server %s',
    (server) => {
      const options = dnsOptionsSchema.parse({ servers: [server] });
      expect(() => createHostAddresses(options).close()).not.toThrow();
    },
  );

  it.each(['', 'dns.example', '10.0.0', '10.0.0.2:', '10.0.0.2:0', '10.0.0.2:99999', 'fe80::1%eth0', '[::1'])(
    'does not take the server %s',
    (server) => {
      expect(dnsOptionsSchema.safeParse({ servers: [server] }).success).toBe(false);
    },
  );
});
