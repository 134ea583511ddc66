import { describe, expect, it } from 'vitest';
import { freeBytes, HeldBytes } from '../../src/upstream/held-bytes.ts';
import { answering, asStream, collect, failureOf, message, rawServer, upstreamAt } from './harness.ts';

describe('bytes that answers hold', () => {
  it('are free up to a size, and bounded in all beyond it', () => {
    let full = 0;
    const held = new HeldBytes(1000, () => {
      full += 1;
    });
    const [one, other] = [held.open(), held.open()];
    expect(one.hold(freeBytes)).toBe(true);
    expect(held.held).toBe(0);
    expect(one.hold(freeBytes + 700)).toBe(true);
    expect(other.hold(freeBytes + 301)).toBe(false);
    expect([held.held, full]).toEqual([700, 1]);
    expect(other.hold(freeBytes + 300)).toBe(true);
    one.hold(0);
    expect(held.held).toBe(300);
    one.hold(0);
    other.hold(0);
    expect(held.held).toBe(0);
  });

  it('of one upstream leave as much to others as they take, but for a single answer', () => {
    const held = new HeldBytes(1000);
    const [greedy, other] = [held.share(true), held.share(true)];
    const answers = Array.from({ length: 20 }, () => greedy.open());
    const taken = answers.filter((answer) => answer.hold(freeBytes + 100));
    expect([taken.length, held.held]).toEqual([5, 500]);
    const [first, second, third] = [other.open(), other.open(), other.open()];
    // Its only one, and then half of what is left.
    expect([first!.hold(freeBytes + 200), second!.hold(freeBytes + 50)]).toEqual([true, true]);
    expect([third!.hold(freeBytes + 10), third!.hold(freeBytes)]).toEqual([false, true]);
    for (const answer of [...answers, first!, second!]) answer.hold(0);
    expect(held.held).toBe(0);
    expect(greedy.open().hold(freeBytes + 1000)).toBe(true);
    expect(other.open().hold(freeBytes + 1)).toBe(false);
  });

  const big = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { text: 'x'.repeat(freeBytes * 4) } });
  const asJson = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${big.length}\r\n\r\n${big}`;

  it('count a body until its exchange is over, and the next one is dropped meanwhile', async () => {
    const held = new HeldBytes(freeBytes * 5);
    const server = await rawServer(answering(asJson));
    const upstream = upstreamAt(server.url, {}, { held });
    const first = await upstream.send(message());
    expect(first.kind).toBe('json');
    expect(held.held).toBe(big.length - freeBytes);
    expect((await failureOf(upstream.send(message()))).code).toBe('answer-dropped');
    expect(held.held).toBe(big.length - freeBytes);
    if (first.kind === 'json') first.done?.();
    expect(held.held).toBe(0);
    expect((await upstream.send(message())).kind).toBe('json');
  });

  it('count an event that is not whole yet, and nothing once the stream is over', async () => {
    const held = new HeldBytes(freeBytes);
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n';
    const server = await rawServer(answering(`${head}data: ${'x'.repeat(freeBytes * 4)}`));
    const upstream = upstreamAt(server.url, {}, { held });
    const answer = asStream(await upstream.send(message()));
    expect((await failureOf(collect(answer.events))).code).toBe('answer-dropped');
    await answer.events[Symbol.asyncIterator]().return?.();
    expect(held.held).toBe(0);
  });
});
