import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEvent, type SseEvent, SseReader } from '../../src/mcp/sse.ts';
import { readWholeStream } from '../support/whole-sse-reader.ts';

const wide = { maxLineBytes: 1_000_000, maxEventBytes: 1_000_000 };

function readChunks(chunks: readonly Buffer[], limits = wide): readonly SseEvent[] | string {
  const reader = new SseReader(limits);
  const events: SseEvent[] = [];
  for (const chunk of chunks) {
    const read = reader.push(chunk);
    if (!read.ok) return read.failure.code;
    events.push(...read.value);
  }
  return events;
}

const plain = (events: readonly SseEvent[] | string) =>
  typeof events === 'string'
    ? events
    : events.map((event) => ({ ...event, data: event.data.toString('utf8') }));
const read = (text: string) => plain(readChunks([Buffer.from(text)]));
const dataOf = (text: string): string[] => (read(text) as { data: string }[]).map(({ data }) => data);

describe('an event stream is read as WHATWG says', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['LF', 'data: a\n\ndata: b\n\n', ['a', 'b']],
    ['CR', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['mixed line ends', 'data: a\r\n\ndata: b\n\rdata: c\r\r\n', ['a', 'b', 'c']],
    ['a bare CR CR at the end is enough', 'data: a\r\r', ['a']],
    ['several data lines', 'data: a\ndata:b\ndata\ndata:  c\n\n', ['a\nb\n\n c']],
    ['a CR inside JSON splits the line', 'data: {"a":"x\ry"}\n\n', ['{"a":"x']],
    ['U+2028 and U+0085 end nothing', 'data: a\u2028b\u0085c\n\n', ['a\u2028b\u0085c']],
    ['a byte order mark at the start', '\ufeffdata: a\n\n', ['a']],
    ['only one of them', '\ufeff\ufeffdata: a\n\ndata: b\n\n', ['b']],
    ['and only at the start', 'data: a\n\n\ufeffdata: b\n\ndata: c\n\n', ['a', 'c']],
    ['comments', ': keep-alive\n\n:\n:data: x\ndata: a\n: in between\n\n', ['a']],
    ['unknown fields', 'foo: bar\n data: b\nDATA: c\ndata : d\ndata: a\n\n', ['a']],
    ['an event without its blank line', 'data: a\n\ndata: b\n', ['a']],
    ['a line without its end', 'data: a\n\ndata: b\n\ndata: c', ['a', 'b']],
    ['empty data is an event', 'data:\n\ndata\n\n', ['', '']],
    ['no data is none', 'event: x\nid: 5\n\n\n\n', []],
  ];
  it.each(cases)('%s', (_name, text, data) => {
    expect(dataOf(text)).toEqual(data);
  });

  it('shows other event types, so that the caller can drop them', () => {
    expect(
      read('event: endpoint\ndata: /x\n\nevent:\ndata: a\n\nevent: x\nevent: message\ndata: b\n\n'),
    ).toEqual([
      { event: 'endpoint', data: '/x', id: undefined, retry: undefined },
      { event: 'message', data: 'a', id: undefined, retry: undefined },
      { event: 'message', data: 'b', id: undefined, retry: undefined },
    ]);
  });

  it('a type belongs to its own block only, with or without data', () => {
    expect(read('event: evil\n\ndata: a\n\n')).toMatchObject([{ event: 'message', data: 'a' }]);
  });

  it('reads ids and retries', () => {
    const events = read(
      'id: 1\nretry: 3000\ndata:\n\ndata: b\n\nid\ndata: c\n\nid: a\0b\ndata: d\n\nretry: 1x\ndata: e\n\nretry: -5\ndata: f\n\nretry: 99999999999\ndata: g\n\n',
    ) as { id: unknown; retry: unknown }[];
    expect(events.map(({ id, retry }) => [id, retry])).toEqual([
      ['1', 3000],
      [undefined, undefined],
      ['', undefined],
      [undefined, undefined],
      [undefined, undefined],
      [undefined, undefined],
      [undefined, 86_400_000],
    ]);
  });

  it('an id without data is carried by the next event', () => {
    expect(read('id: 7\n\nretry: 5\n\ndata: a\n\n')).toMatchObject([{ data: 'a', id: '7', retry: 5 }]);
  });

  it('leaves bytes that are not UTF-8 as they are, for the decoder to refuse', () => {
    const events = readChunks([Buffer.from([...Buffer.from('data: '), 0xff, 0xfe, 0x0a, 0x0a])]);
    expect(events).toMatchObject([{ data: Buffer.from([0xff, 0xfe]) }]);
  });
});

describe('limits of an event stream', () => {
  const limits = { maxLineBytes: 20, maxEventBytes: 30 };
  const code = (text: string, size = 1000) => {
    const bytes = Buffer.from(text);
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    const events = readChunks(chunks, limits);
    return typeof events === 'string' ? events : events.length;
  };
  it.each([1, 2, 7, 1000])('hold in chunks of %i', (size) => {
    expect(code(`data: ${'x'.repeat(14)}\n\n`, size)).toBe(1);
    expect(code(`data: ${'x'.repeat(15)}\n\n`, size)).toBe('result-too-large');
    expect(code(`:${'x'.repeat(500)}`, size)).toBe('result-too-large');
    expect(code(`data:${'x'.repeat(14)}\ndata:${'x'.repeat(15)}\n\n`, size)).toBe(1);
    expect(code(`data:${'x'.repeat(15)}\ndata:${'x'.repeat(15)}\n\n`, size)).toBe('result-too-large');
    // Empty lines count, or they would be free.
    expect(code(`${'data\n'.repeat(31)}\n`, size)).toBe(1);
    expect(code('data\n'.repeat(32), size)).toBe('result-too-large');
    // Each event has the whole limit.
    expect(code(`data: ${'x'.repeat(14)}\n\n`.repeat(10), size)).toBe(10);
  });

  it('an id that no header could carry back is ignored: ids wait in memory beside the data', () => {
    const ids = (length: number) =>
      (read(`id: ${'i'.repeat(length)}\ndata: a\n\n`) as { id?: string }[]).map(({ id }) => id?.length);
    expect(ids(1024)).toEqual([1024]);
    expect(ids(1025)).toEqual([undefined]);
  });

  it('a stream that went over stays refused', () => {
    const reader = new SseReader(limits);
    expect(reader.push(Buffer.from(`data: a\n\n${'x'.repeat(21)}`))).toMatchObject({ ok: false });
    expect(reader.push(Buffer.from('\n\ndata: b\n\n'))).toMatchObject({
      ok: false,
      failure: { code: 'result-too-large' },
    });
  });
});

const piece = fc.oneof(
  fc.constantFrom(
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    'data:',
    'data: ',
    'data',
    'id: ',
    'id',
    'event: x',
    'event',
    'retry: 5',
    ':',
    ' ',
    '\ufeff',
    '\0',
    'ä',
    '😀',
    '\u2028',
  ),
  fc.string({ maxLength: 3 }),
);
const stream = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));

describe('for any stream', () => {
  it('the result is that of reading it whole, however it is cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 12 }), (text, cuts) => {
        const bytes = Buffer.from(text);
        const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
        const chunks = [0, ...places].map((from, index) =>
          bytes.subarray(from, places[index] ?? bytes.length),
        );
        const whole = readWholeStream(text);
        expect(plain(readChunks(chunks))).toEqual(whole);
        const bytewise = [...bytes].map((byte) => Buffer.from([byte]));
        expect(plain(readChunks(bytewise))).toEqual(whole);
      }),
      { numRuns: 1500 },
    );
  });

  it('what encodeEvent writes is read back as one message', () => {
    const id = fc.option(
      fc.string({ unit: 'binary', maxLength: 5 }).map((text) => text.replace(/[\r\n\0]/g, '')),
      { nil: undefined },
    );
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 40 }),
        id,
        fc.option(fc.nat(5000), { nil: undefined }),
        (data, eventId, retry) => {
          const text = encodeEvent(Buffer.from(data), eventId, retry).toString('utf8');
          expect(readWholeStream(text)).toEqual([
            { event: 'message', data: data.replace(/\r\n|\r/g, '\n'), id: eventId, retry },
          ]);
          expect(read(text)).toEqual(readWholeStream(text));
        },
      ),
    );
  });
});

describe('encodeEvent', () => {
  it('writes one data line for a frame', () => {
    expect(encodeEvent(Buffer.from('{"a":1}')).toString()).toBe('event: message\ndata: {"a":1}\n\n');
    expect(encodeEvent(Buffer.from('{\r\n"a":1\r}\n'), '7', 100).toString()).toBe(
      'event: message\nid: 7\nretry: 100\ndata: {\ndata: "a":1\ndata: }\ndata: \n\n',
    );
    expect(encodeEvent(Buffer.alloc(0), 'p').toString()).toBe('event: message\nid: p\ndata: \n\n');
  });

  it.each(['a\nb', 'a\rb', '\0', 'x\n\ndata: forged'])('refuses the id %j', (id) => {
    expect(() => encodeEvent(Buffer.from('{}'), id)).toThrow(
      new TypeError('an event id cannot hold a line end or NUL'),
    );
  });
});
