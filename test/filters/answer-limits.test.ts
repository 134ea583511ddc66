import { expect, test } from 'vitest';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import { down, makeExchange, makeGate, note, resultOf, told } from './support.ts';

const gate = () =>
  makeGate({
    frames: {
      resultBytes: 4096,
      framesPerExchange: 3,
      bytesPerExchange: 6000,
      framesPerStream: 5,
      bytesPerStream: '1MiB',
    },
  }).filter('answer-limits');

const text = (length: number) => 'x'.repeat(length);
const tick = note('notifications/message', { data: 'x' }, 'toClient');

test('a single frame to the client is bounded', async () => {
  const exchange = makeExchange();
  expect(told(await down(gate(), exchange, resultOf(1, { a: text(4000) })))).toBe('pass');
  expect(told(await down(gate(), exchange, resultOf(1, { a: text(4096) })))).toBe('result-too-large');
});

test('frames and bytes of one exchange are bounded together, its answer included', async () => {
  const filter = gate();
  const send = async (exchange: Exchange, frame = tick) => told(await down(filter, exchange, frame));
  const [one, two] = [makeExchange(), makeExchange()];
  for (let index = 0; index < 3; index++) expect(await send(one)).toBe('pass');
  expect(await send(one)).toBe('result-too-large');
  expect([one, two].map(({ facts }) => facts.spent)).toEqual([true, false]);
  expect(await send(two, resultOf(1, { a: text(3500) }))).toBe('pass');
  expect(await send(two, resultOf(1, { a: text(3500) }))).toBe('result-too-large');
});

test('a stream that stays open has bounds of its own', async () => {
  const filter = gate();
  const stream = makeExchange({ request: { kind: 'stream-open', lastEventId: undefined } });
  for (let index = 0; index < 5; index++) expect(told(await down(filter, stream, tick))).toBe('pass');
  expect(told(await down(filter, stream, tick))).toBe('result-too-large');
});
