import { describe, expect, it } from 'vitest';
import { sendBytes } from '../support/raw-client.ts';
import { answerBody, ping, rawPost, startListener, type TestListener, until } from './support.ts';

const smuggled = 'POST /w/mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n';

/** Each is a request, or two, whose borders two parties could see in different places. */
const attempts: readonly (readonly [name: string, make: (listener: TestListener) => string])[] = [
  [
    'CL and TE',
    (l) => `${rawPost(l, ['Content-Length: 4', 'Transfer-Encoding: chunked'])}\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    'TE and CL',
    (l) => `${rawPost(l, ['Transfer-Encoding: chunked', 'Content-Length: 4'])}\r\n0\r\n\r\n${smuggled}`,
  ],
  ['two equal CL', (l) => `${rawPost(l, ['Content-Length: 2', 'Content-Length: 2'])}\r\n{}`],
  ['two different CL', (l) => `${rawPost(l, ['Content-Length: 2', 'Content-Length: 0'])}\r\n{}`],
  ['CL list', (l) => `${rawPost(l, ['Content-Length: 2, 2'])}\r\n{}`],
  ['CL with sign', (l) => `${rawPost(l, ['Content-Length: +2'])}\r\n{}`],
  ['CL hexadecimal', (l) => `${rawPost(l, ['Content-Length: 0x2'])}\r\n{}`],
  ['CL negative', (l) => `${rawPost(l, ['Content-Length: -2'])}\r\n{}`],
  ['CL with blank in name', (l) => `${rawPost(l, ['Content-Length : 2'])}\r\n{}`],
  ['CL beyond 64 bits', (l) => `${rawPost(l, ['Content-Length: 18446744073709551618'])}\r\n{}`],
  ['TE identity', (l) => `${rawPost(l, ['Transfer-Encoding: identity'])}\r\n`],
  ['TE unknown', (l) => `${rawPost(l, ['Transfer-Encoding: cow'])}\r\n0\r\n\r\n`],
  ['TE chunked twice', (l) => `${rawPost(l, ['Transfer-Encoding: chunked, chunked'])}\r\n0\r\n\r\n`],
  [
    'TE in two fields',
    (l) => `${rawPost(l, ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'])}\r\n0\r\n\r\n`,
  ],
  ['TE gzip then chunked', (l) => `${rawPost(l, ['Transfer-Encoding: gzip, chunked'])}\r\n0\r\n\r\n`],
  ['TE chunked not last', (l) => `${rawPost(l, ['Transfer-Encoding: chunked, gzip'])}\r\n0\r\n\r\n`],
  ['TE with vertical tab', (l) => `${rawPost(l, ['Transfer-Encoding:\vchunked'])}\r\n0\r\n\r\n`],
  ['TE quoted', (l) => `${rawPost(l, ['Transfer-Encoding: "chunked"'])}\r\n0\r\n\r\n`],
  [
    'bare LF in head',
    (l) => `${rawPost(l, ['X-A: b']).replace('X-A: b\r\n', 'X-A: b\n')}Content-Length: 0\r\n\r\n`,
  ],
  ['bare LF at end of head', (l) => `${rawPost(l, ['Content-Length: 0']).slice(0, -2)}\n\n`],
  ['bare CR in head', (l) => `${rawPost(l, ['X-A: b\rContent-Length: 5'])}\r\n`],
  ['folded header', (l) => `${rawPost(l, ['X-A: b', ' c', 'Content-Length: 0'])}\r\n`],
  ['folded CL', (l) => `${rawPost(l, ['Content-Length:', ' 2'])}\r\n{}`],
  ['NUL in header', (l) => `${rawPost(l, ['X-A: b\0c', 'Content-Length: 0'])}\r\n`],
  ['header without colon', (l) => `${rawPost(l, ['X-A', 'Content-Length: 0'])}\r\n`],
  ['header with empty name', (l) => `${rawPost(l, [': x', 'Content-Length: 0'])}\r\n`],
  ['two Hosts', (l) => `${rawPost(l, ['Host: evil.example', 'Content-Length: 0'])}\r\n`],
  ['chunk size with sign', (l) => `${rawPost(l, ['Transfer-Encoding: chunked'])}\r\n+2\r\n{}\r\n0\r\n\r\n`],
  [
    'chunk size with prefix',
    (l) => `${rawPost(l, ['Transfer-Encoding: chunked'])}\r\n0x2\r\n{}\r\n0\r\n\r\n`,
  ],
  ['chunk size with blank', (l) => `${rawPost(l, ['Transfer-Encoding: chunked'])}\r\n2 \r\n{}\r\n0\r\n\r\n`],
  [
    'chunk size too long',
    (l) => `${rawPost(l, ['Transfer-Encoding: chunked'])}\r\n${'f'.repeat(17)}\r\n{}\r\n0\r\n\r\n`,
  ],
  ['chunk ended by LF', (l) => `${rawPost(l, ['Transfer-Encoding: chunked'])}\r\n2\n{}\r\n0\r\n\r\n`],
  ['chunk data ended by LF', (l) => `${rawPost(l, ['Transfer-Encoding: chunked'])}\r\n2\r\n{}\n0\r\n\r\n`],
  [
    'chunk longer than said',
    (l) => `${rawPost(l, ['Transfer-Encoding: chunked'])}\r\n2\r\n{}{}\r\n0\r\n\r\n`,
  ],
  [
    'chunk extension with LF',
    (l) => `${rawPost(l, ['Transfer-Encoding: chunked'])}\r\n2;a\nb\r\n{}\r\n0\r\n\r\n`,
  ],
  [
    'chunk extension flood',
    (l) => `${rawPost(l, ['Transfer-Encoding: chunked'])}\r\n2;${'a'.repeat(40_000)}\r\n{}\r\n0\r\n\r\n`,
  ],
  ['trailers', (l) => `${rawPost(l, ['Transfer-Encoding: chunked'])}\r\n2\r\n{}\r\n0\r\nMcp-Name: x\r\n\r\n`],
  [
    'announced trailers',
    (l) => `${rawPost(l, ['Transfer-Encoding: chunked', 'Trailer: X-A'])}\r\n2\r\n{}\r\n0\r\nX-A: b\r\n\r\n`,
  ],
  ['HTTP/1.0', (l) => `${rawPost(l, ['Content-Length: 2']).replace('HTTP/1.1', 'HTTP/1.0')}\r\n{}`],
  ['HTTP/0.9', () => 'GET /w/mcp\r\n\r\n'],
  ['HTTP/1.2', (l) => `${rawPost(l, ['Content-Length: 2']).replace('HTTP/1.1', 'HTTP/1.2')}\r\n{}`],
  ['blanks before the method', (l) => ` ${rawPost(l, ['Content-Length: 2'])}\r\n{}`],
  ['blank in the target', (l) => `${rawPost(l, ['Content-Length: 2'], '/w/mcp x')}\r\n{}`],
  ['tabs in the line', (l) => `${rawPost(l, ['Content-Length: 2']).replace('POST /', 'POST\t/')}\r\n{}`],
  ['method in lower case', (l) => `${rawPost(l, ['Content-Length: 2']).replace('POST', 'post')}\r\n{}`],
  ['expectation that nobody knows', (l) => `${rawPost(l, ['Content-Length: 2', 'Expect: magic'])}\r\n{}`],
  ['TLS on a plain port', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
];

it('should NOT read as a request what another party could read in another way', async () => {
  // Side by side: each refusal waits until its answer can have been read.
  await Promise.all(
    attempts.map(async ([name, make]) => {
      const listener = await startListener();
      const { text, closed } = await sendBytes(listener.mcp, [make(listener)], { quiet: 10_000 });
      expect({
        name,
        answered: /^HTTP\/1\.1 4\d\d /.test(text),
        // One answer: the second request inside was never seen.
        answers: text.match(/HTTP\/1\.1 /g)?.length,
        saysClose: text.toLowerCase().includes('connection: close'),
        closed,
        arrivals: listener.arrivals.length,
        refusals: listener.refusals.map(({ status, peer }) => [status, peer.address]),
      }).toEqual({
        name,
        answered: true,
        answers: 1,
        saysClose: true,
        closed: true,
        arrivals: 0,
        refusals: [[Number(text.slice(9, 12)), '127.0.0.1']],
      });
    }),
  );
});

describe('pipelined requests', () => {
  const whole = (listener: TestListener) =>
    `${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`;

  it('are answered in their order', async () => {
    let count = 0;
    const listener = await startListener({}, async (_arrival, reply) => {
      const number = count++;
      // The first is the slowest.
      await new Promise((resolve) => setTimeout(resolve, number === 0 ? 60 : 0));
      reply.send(200, {}, Buffer.from(`answer ${number};`));
    });
    const { text } = await sendBytes(listener.mcp, [whole(listener).repeat(5)]);
    expect(text.match(/answer \d/g)).toEqual(['answer 0', 'answer 1', 'answer 2', 'answer 3', 'answer 4']);
  });

  it('are bounded, each and in number', async () => {
    const gone: number[] = [];
    const listener = await startListener({ limits: { bodyBytes: 64 } }, (_arrival, reply) => {
      return new Promise((resolve) => {
        reply.onClientGone(() => {
          gone.push(1);
          resolve();
        });
      });
    });
    await sendBytes(listener.mcp, [whole(listener).repeat(40)]);
    expect(listener.arrivals).toHaveLength(16);
    expect(listener.refusals.map(({ code }) => code)).toEqual(['flooded']);
    // All that were let in learn that their client left.
    await until(() => gone.length === 16, 'all of them to know');
  });

  it('after a broken one are not answered, and the one before is not given a false answer', async () => {
    let release = () => {};
    const listener = await startListener({}, async (_arrival, reply) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      reply.send(200, {}, answerBody);
    });
    const { text } = await sendBytes(listener.mcp, [`${whole(listener)}BROKEN\r\n\r\n${whole(listener)}`]);
    release();
    expect(text).toBe('');
    expect(listener.arrivals).toHaveLength(1);
    expect(listener.refusals).toMatchObject([{ code: 'header-invalid', status: 0 }]);
  });
});
