import { expect, test } from 'vitest';
import { call, makeExchange, makeGate, told, up } from './support.ts';

const gate = () => makeGate({ frames: { requestBytes: 2048 } }).filter('frame-limits');

const text = (length: number) => 'x'.repeat(length);

test('a request is as large as allowed, and not a byte larger', async () => {
  const filler = 2048 - JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { a: '' } }).length;
  expect(told(await up(gate(), makeExchange({ request: call('ping', { a: text(filler) }) })))).toBe('pass');
  expect(told(await up(gate(), makeExchange({ request: call('ping', { a: text(filler + 1) }) })))).toBe(
    'body-too-large',
  );
});
