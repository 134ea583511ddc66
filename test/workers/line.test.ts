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

  it('overlooks what is none of its own', () => {
    const { asking } = pair(() => undefined);
    for (const message of [null, undefined, 'text', 1, {}, { sallyport: 1 }, { cmd: 'NODE_HANDLE' }])
      asking.receive(message);
    expect(asking.open).toBe(0);
    expect(new LineLost('x', 'full').message).toBe('x: full');
  });
});
