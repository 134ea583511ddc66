import { describe, expect, it } from 'vitest';
import { createLine, type Line, type LineEnds, LineLost } from '../../src/workers/line.ts';

/** Two ends of one pipe, whose messages are copied as the pipe between two processes does. */
function pair(answer: LineEnds['answer'], most?: number) {
  const sent: unknown[] = [];
  const told: unknown[] = [];
  const asking: Line = createLine(
    {
      send(message) {
        sent.push(message);
        answering.receive(structuredClone(message));
      },
      answer: () => undefined,
    },
    most,
  );
  const answering: Line = createLine({
    send: (message) => asking.receive(structuredClone(message)),
    answer,
    hear: (what, body) => told.push([what, body]),
  });
  return { asking, answering, sent, told };
}

describe('a line between two processes', () => {
  it('brings each answer to its question, whatever their order', async () => {
    const first = Promise.withResolvers<string>();
    const { asking } = pair((what) => (what === 'slow' ? first.promise : `${what}!`));
    const slow = asking.ask('slow', undefined, 1000);
    expect(await asking.ask('fast', undefined, 1000)).toBe('fast!');
    first.resolve('at last');
    expect(await slow).toBe('at last');
    expect(asking.open).toBe(0);
  });

  it('sends what is said in one turn as one message', async () => {
    const { asking, sent, told } = pair((_, body) => body);
    asking.tell('word', 1);
    const answers = await Promise.all([1, 2, 3].map((each) => asking.ask('number', each, 1000)));
    expect(answers).toEqual([1, 2, 3]);
    expect(told).toEqual([['word', 1]]);
    expect(sent).toHaveLength(1);
  });

  it('ends every question: by time, by failure, by the end of the pipe, or because too many are open', async () => {
    const never = new Promise(() => undefined);
    const { asking } = pair((what) => {
      if (what === 'broken') throw new Error('secret');
      return never;
    }, 2);
    const why = (question: Promise<unknown>) => question.then(String, (cause: LineLost) => cause.why);
    expect(await why(asking.ask('broken', undefined, 1000))).toBe('failed');
    expect(await why(asking.ask('a', undefined, 5))).toBe('timeout');
    const open = [why(asking.ask('a', undefined, 60_000)), why(asking.ask('b', undefined, 60_000))];
    expect(await why(asking.ask('c', undefined, 60_000))).toBe('full');
    asking.close();
    expect(await Promise.all(open)).toEqual(['closed', 'closed']);
    expect(await why(asking.ask('d', undefined, 60_000))).toBe('closed');
    expect(asking.open).toBe(0);
  });

  it('overlooks what is none of its own, and what is of no shape that it knows', async () => {
    const { asking, told } = pair((what) => `${what}!`);
    const strange: unknown[] = [null, undefined, 'text', 1, true, [], {}, [[]], [null], ['ask'], ['ask', 1]];
    const items = [
      ...strange,
      ['ask', 'x', 'y', 1],
      ['ask', 1, {}, 1],
      ['tell'],
      ['tell', 1],
      ['answer', '1'],
    ];
    for (const message of [...strange, { sallyport: 1 }, { sallyport: items }, { cmd: 'NODE_HANDLE' }])
      expect(() => asking.receive(message)).not.toThrow();
    asking.receive({
      sallyport: [
        ['answer', 99, 1],
        ['failure', 99],
        ['frobnicate', 1, 'a'],
      ],
    });
    expect(asking.open).toBe(0);
    expect(told).toEqual([]);
    expect(await asking.ask('still', undefined, 1000)).toBe('still!');
    expect(new LineLost('x', 'full').message).toBe('x: full');
  });

  it('goes on where whoever hears a word cannot make sense of it', async () => {
    const line = createLine({
      send: () => undefined,
      answer: () => undefined,
      hear() {
        throw new TypeError('of nothing');
      },
    });
    expect(() => line.receive({ sallyport: [['tell', 'limits.release', undefined]] })).not.toThrow();
  });

  it('hears nothing more of who is gone', () => {
    const heard: string[] = [];
    const asked: string[] = [];
    const line = createLine({
      send: () => undefined,
      answer: (what) => void asked.push(what),
      hear: (what) => void heard.push(what),
    });
    const words = {
      sallyport: [
        ['tell', 'a'],
        ['ask', 1, 'b', undefined],
      ],
    };
    line.receive(words);
    line.close();
    line.receive(words);
    expect([heard, asked]).toEqual([['a'], ['b']]);
  });

  it('puts nothing more into a pipe that takes nothing, and forgets questions that ended meanwhile', async () => {
    const sent: unknown[][] = [];
    let taken = Promise.withResolvers<void>();
    const line = createLine(
      {
        send(message) {
          sent.push((message as { sallyport: unknown[] }).sallyport);
          return taken.promise;
        },
        answer: () => 'x',
      },
      4,
    );
    const why = (question: Promise<unknown>) => question.then(String, (cause: LineLost) => cause.why);
    const first = why(line.ask('first', 0, 60_000));
    await until(() => sent.length === 1);
    expect(await Promise.all([1, 2, 3].map((each) => why(line.ask('ended', each, 1))))).toEqual(
      Array(3).fill('timeout'),
    );
    // Questions of the other side, which asks on and on and reads no answer.
    for (let index = 0; index < 1000; index += 1) line.receive({ sallyport: [['ask', index, 'more', 1]] });
    await until(() => true);
    expect(await why(line.ask('beyond', 0, 60_000))).toBe('full');
    expect(sent).toHaveLength(1);
    const release = taken;
    taken = Promise.withResolvers<void>();
    release.resolve();
    await until(() => sent.length === 2);
    expect(sent[1]!.length).toBeLessThanOrEqual(16);
    expect(sent[1]!.length).toBeGreaterThan(8);
    expect(JSON.stringify(sent)).not.toContain('ended');
    line.close();
    expect(await first).toBe('closed');
  });
});

async function until(holds: () => boolean): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (!holds());
}
