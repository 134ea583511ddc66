import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStream } from '../../src/upstream/event-stream.ts';
import { collect } from './harness.ts';

function open(eventBytes = 1024 * 1024) {
  const calls: string[] = [];
  const errors: unknown[] = [];
  const events = new EventStream(eventBytes, {
    pause: () => calls.push('pause'),
    resume: () => calls.push('resume'),
    abandon: () => calls.push('abandon'),
    refuse: (error) => errors.push(error),
  });
  return { events, calls, errors };
}

function encode(...texts: readonly string[]): Buffer {
  return Buffer.from(texts.map((text) => `data: ${text}\n\n`).join(''));
}

describe('the queue between the connection and the consumer', () => {
  it('pauses above 64 events, and goes on at half of them', async () => {
    const { events, calls } = open();
    for (let index = 0; index < 64; index++) {
      events.push(encode('x'));
    }
    expect(calls).toEqual([]);
    events.push(encode('x'));
    events.push(encode('x'));
    expect(calls).toEqual(['pause']);
    for (let index = 0; index < 33; index++) {
      await events.next();
    }
    expect(calls).toEqual(['pause']);
    await events.next();
    expect(calls).toEqual(['pause', 'resume']);
  });

  it('gives others their turn after 16 events, however many came at once', async () => {
    const { events } = open();
    events.push(encode(...Array.from({ length: 200 }, (_, index) => String(index))));
    events.end();
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    const texts = await collect(events);
    isOver = true;
    expect(texts).toEqual(Array.from({ length: 200 }, (_, index) => String(index)));
    expect(turns).toBeGreaterThanOrEqual(Math.floor(200 / 16));
  });

  it('that is left, or fails, in such a turn ends as ever', async () => {
    for (const end of ['return', 'fail'] as const) {
      const { events, calls } = open();
      events.push(encode(...Array.from({ length: 17 }, String)));
      for (let index = 0; index < 16; index += 1) await events.next();
      const waiting = events.next();
      if (end === 'return') {
        await events.return();
        expect([await waiting, calls]).toEqual([{ done: true, value: undefined }, ['abandon']]);
      } else {
        events.fail(new Error('lost'));
        expect((await waiting).done).toBe(false);
        await expect(events.next()).rejects.toThrow('lost');
      }
    }
  });

  it('pauses above 256 KiB, however few events they are', async () => {
    const { events, calls } = open();
    events.push(encode('x'.repeat(300 * 1024)));
    expect(calls).toEqual(['pause']);
    await events.next();
    expect(calls).toEqual(['pause', 'resume']);
  });

  it('does not keep a large piece in memory for the sake of a short event in it', async () => {
    const { events } = open();
    events.push(Buffer.from(`: ${'x'.repeat(50_000)}\n\ndata: short\n\n`));
    const { value } = await events.next();
    expect([value?.data.toString(), value?.data.buffer.byteLength]).toEqual(['short', 5]);
  });

  it('does not resume a connection that has ended', async () => {
    const { events, calls } = open();
    events.push(encode(...Array<string>(100).fill('x')));
    events.end();
    expect(await collect(events)).toHaveLength(100);
    expect(calls).toEqual(['pause']);
  });

  it('hands out what came whole before a failure, then throws once', async () => {
    const { events } = open();
    const reason = new Error('broken');
    events.push(encode('1', '2'));
    events.fail(reason);
    events.fail(new Error('later'));
    expect((await events.next()).value?.data.toString()).toBe('1');
    expect((await events.next()).value?.data.toString()).toBe('2');
    await expect(events.next()).rejects.toBe(reason);
    expect((await events.next()).done).toBe(true);
  });

  it('breaks off once, and takes nothing afterwards', async () => {
    const { events, calls } = open();
    events.push(encode('1', '2'));
    await events.return();
    await events.return();
    events.push(encode('3'));
    expect((await events.next()).done).toBe(true);
    expect(calls).toEqual(['abandon']);
  });

  it('refuses two readers at once', async () => {
    const { events } = open();
    const first = events.next();
    await expect(events.next()).rejects.toThrow('next() was called again before it answered');
    events.push(encode('1'));
    expect((await first).value?.data.toString()).toBe('1');
  });

  it('refuses an event above its limit, and one at the limit is given', async () => {
    const { events, errors } = open(100);
    events.push(encode('x'.repeat(100)));
    expect((await events.next()).value?.data.length).toBe(100);
    events.push(encode('x'.repeat(101)));
    expect(errors).toEqual([expect.objectContaining({ code: 'result-too-large' })]);
  });

  it('gives the same events however the bytes are cut and whenever they are read', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ maxLength: 20 }).map((text) => JSON.stringify(text)),
          { maxLength: 100 },
        ),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        fc.integer({ min: 0, max: 100 }),
        async (texts, cuts, early) => {
          const { events } = open();
          const bytes = encode(...texts);
          const seen: string[] = [];
          const reader = async (most: number) => {
            for (let count = 0; count < most; count++) {
              const result = await events.next();
              if (result.done) {
                return;
              }
              seen.push(result.value.data.toString());
            }
          };
          const first = reader(Math.min(early, texts.length));
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = cuts[turn % cuts.length]!;
            events.push(bytes.subarray(at, at + size));
            at += size;
          }
          events.end();
          await first;
          await reader(Number.POSITIVE_INFINITY);
          expect(seen).toEqual(texts);
        },
      ),
      { numRuns: 60 },
    );
  });
});
