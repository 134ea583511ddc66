import { beforeEach, describe, expect, test } from 'vitest';
import type { Frame, RequestId } from '../../src/mcp/frame.ts';
import type { Exchange, Session } from '../../src/pipeline/exchange.ts';
import type { Filter } from '../../src/pipeline/filter.ts';
import {
  call,
  down,
  type ExchangeShape,
  frameOf,
  makeExchange,
  makeGate,
  modernCall,
  modernExchange,
  note,
  passed,
  resultOf,
  type TestGate,
  told,
  up,
} from './support.ts';

let gate: TestGate;
let correlate: Filter;

beforeEach(() => {
  gate = makeGate({
    memory: { requestsPerSession: 3, questionsPerSession: 2, lateAnswers: '10s', questionAge: '10s' },
  });
  correlate = gate.filter('correlate');
});

function inSession(key: string, shape: ExchangeShape = {}): Exchange {
  const exchange = makeExchange(shape);
  const session: Session = { key, upstreamId: `up-${key}`, revision: exchange.revision };
  exchange.facts.session = session;
  return exchange;
}

async function ask(exchange: Exchange): Promise<number> {
  const sent = passed(await up(correlate, exchange), exchange.request, 'request');
  expect(JSON.parse(sent.bytes.toString())).toMatchObject({ id: sent.id });
  return sent.id as number;
}

const answer = (exchange: Exchange, id: RequestId, result: object = {}) =>
  down(correlate, exchange, resultOf(id, result));

describe('an id', () => {
  test.each([1, '1', 0, -5, '', 'é', 'a"b'])('%j goes up as another and comes back as it was', async (id) => {
    const exchange = makeExchange({ request: call('tools/list', undefined, id) });
    const gatewayId = await ask(exchange);
    expect(Number.isSafeInteger(gatewayId)).toBe(true);
    const frame = resultOf(gatewayId, { tools: [] });
    const given = passed(await down(correlate, exchange, frame), frame, 'result');
    expect(given.id).toBe(id);
    expect(JSON.parse(given.bytes.toString())).toEqual({ jsonrpc: '2.0', id, result: { tools: [] } });
  });

  test('that is still running in a session is refused there, and nowhere else', async () => {
    await ask(inSession('s', { request: call('tools/list', undefined, 7) }));
    expect(told(await up(correlate, inSession('s', { request: call('ping', undefined, 7) })))).toBe(
      'request-id-in-use',
    );
    await ask(inSession('s', { request: call('ping', undefined, '7') }));
    await ask(inSession('other', { request: call('ping', undefined, 7) }));
    await ask(makeExchange({ request: call('ping', undefined, 7) }));
    await ask(makeExchange({ request: call('ping', undefined, 7) }));
  });

  test('is free again once its exchange has ended', async () => {
    const exchange = inSession('s', { request: call('tools/list') });
    await ask(exchange);
    correlate.end?.(exchange);
    await ask(inSession('s', { request: call('tools/list') }));
  });
});

describe('an answer', () => {
  test('is relayed once, and only to the question that it answers', async () => {
    const [one, two] = [makeExchange({ request: call('ping') }), makeExchange({ request: call('ping') })];
    const id = await ask(one);
    await ask(two);
    for (const wrong of [String(id), id + 1000, 1]) {
      expect(told(await answer(one, wrong))).toBe('drop answer-unasked');
    }
    expect(told(await answer(two, id))).toBe('drop answer-unasked');
    expect(told(await answer(one, id))).toBe('replace');
    expect(told(await answer(one, id))).toBe('drop answer-unasked');
  });

  test('is too late once the exchange has ended', async () => {
    const exchange = makeExchange({ request: call('ping') });
    const id = await ask(exchange);
    correlate.end?.(exchange);
    expect(told(await answer(exchange, id))).toBe('drop answer-unasked');
  });

  test('without an id on the stream of one request can only mean that request', async () => {
    const exchange = makeExchange({ request: call('ping', undefined, 'mine') });
    await ask(exchange);
    const error = frameOf({ jsonrpc: '2.0', error: { code: -32700, message: 'x' } }, 'toClient');
    const given = passed(await down(correlate, exchange, error), error, 'error');
    expect(given.id).toBe('mine');
    expect(told(await down(correlate, exchange, error))).toBe('drop answer-unasked');
    const open = inSession('s', { request: { kind: 'stream-open', lastEventId: undefined } });
    expect(told(await down(correlate, open, error))).toBe('drop answer-unasked');
  });

  test('may be fetched by resuming a stream that gave out event ids, in its own session, for a while', async () => {
    const resumed = (key: string) => inSession(key, { request: { kind: 'stream-open', lastEventId: 'e' } });
    const broken = async (resumable: boolean, id: number) => {
      const exchange = inSession('s', { request: call('ping', undefined, id) });
      const gatewayId = await ask(exchange);
      exchange.facts.resumable = resumable;
      correlate.end?.(exchange);
      return gatewayId;
    };
    const kept = await broken(true, 1);
    expect(told(await answer(resumed('other'), kept))).toBe('drop answer-unasked');
    const frame = resultOf(kept, {});
    expect(passed(await down(correlate, resumed('s'), frame), frame, 'result').id).toBe(1);
    expect(told(await answer(resumed('s'), kept))).toBe('drop answer-unasked');

    expect(told(await answer(resumed('s'), await broken(false, 2)))).toBe('drop answer-unasked');

    const late = await broken(true, 3);
    gate.clock.monotonic += 10_001;
    expect(told(await answer(resumed('s'), late))).toBe('drop answer-unasked');
  });

  test('that nobody fetches makes room for new requests; requests under way do not', async () => {
    for (const id of [1, 2, 3, 4, 5]) {
      const exchange = inSession('s', { request: call('ping', undefined, id) });
      await ask(exchange);
      exchange.facts.resumable = true;
      correlate.end?.(exchange);
    }
    for (const id of [6, 7, 8]) await ask(inSession('s', { request: call('ping', undefined, id) }));
    expect(told(await up(correlate, inSession('s', { request: call('ping', undefined, 9) })))).toBe(
      'overloaded',
    );
  });
});

describe('a question of the server', () => {
  const question = (id: RequestId = 5) => frameOf({ jsonrpc: '2.0', id, method: 'roots/list' }, 'toClient');
  const reply = (key: string, id: RequestId = 5) => {
    const request = frameOf({ jsonrpc: '2.0', id, result: { roots: [] } });
    return up(correlate, inSession(key, { request }));
  };
  const put = (key: string, id?: RequestId) =>
    down(
      correlate,
      inSession(key, { request: { kind: 'stream-open', lastEventId: undefined } }),
      question(id),
    );

  test('may be answered once, in its own session, with its own id', async () => {
    expect(told(await reply('s'))).toBe('answer-unexpected');
    expect(told(await put('s'))).toBe('pass');
    expect(told(await reply('other'))).toBe('answer-unexpected');
    expect(told(await reply('s', '5'))).toBe('answer-unexpected');
    expect(told(await reply('s'))).toBe('pass');
    expect(told(await reply('s'))).toBe('answer-unexpected');
  });

  test('may be answered by an error, and expires', async () => {
    await put('s');
    const error = frameOf({ jsonrpc: '2.0', id: 5, error: { code: -1, message: 'no' } });
    expect(told(await up(correlate, inSession('s', { request: error })))).toBe('pass');
    await put('s');
    gate.clock.monotonic += 10_001;
    expect(told(await reply('s'))).toBe('answer-unexpected');
  });

  test('does not reach a client that has too many already', async () => {
    expect(told(await put('s', 1))).toBe('pass');
    expect(told(await put('s', 2))).toBe('pass');
    expect(told(await put('s', 2))).toBe('pass');
    expect(told(await put('s', 3))).toBe('overloaded');
    expect(told(await put('other', 3))).toBe('pass');
  });

  test('may be cancelled by the server while it is open, and by nobody else', async () => {
    const cancel = (key: string) =>
      down(correlate, inSession(key), note('notifications/cancelled', { requestId: 5 }, 'toClient'));
    expect(told(await cancel('s'))).toBe('drop cancelled-unknown');
    await put('s');
    expect(told(await cancel('other'))).toBe('drop cancelled-unknown');
    expect(told(await cancel('s'))).toBe('pass');
  });
});

describe('a cancellation by the client', () => {
  test('names the request as the upstream knows it, within the session', async () => {
    const gatewayId = await ask(inSession('s', { request: call('tools/list', undefined, 'mine') }));
    const cancel = async (key: string | undefined, requestId: unknown) => {
      const request = note('notifications/cancelled', { requestId, reason: 'x' });
      return up(correlate, key === undefined ? makeExchange({ request }) : inSession(key, { request }));
    };
    const request = note('notifications/cancelled', {});
    const sent = passed(await cancel('s', 'mine'), request, 'notification');
    expect(JSON.parse(sent.bytes.toString())).toMatchObject({
      params: { requestId: gatewayId, reason: 'x' },
    });
    for (const [key, id] of [
      ['other', 'mine'],
      [undefined, 'mine'],
      ['s', 'yours'],
      ['s', gatewayId],
      ['s', null],
    ] as const) {
      expect(told(await cancel(key, id))).toBe('drop cancelled-unknown');
    }
  });
});

describe('progress', () => {
  const progress = (progressToken: unknown) =>
    note('notifications/progress', { progressToken, progress: 1 }, 'toClient');

  test('is relayed with a token that this exchange gave out, while it runs', async () => {
    const exchange = makeExchange({ request: call('tools/list', { _meta: { progressToken: 't' } }) });
    const id = await ask(exchange);
    expect(told(await down(correlate, exchange, progress('t')))).toBe('pass');
    for (const token of ['T', 0, null, undefined]) {
      expect(told(await down(correlate, exchange, progress(token)))).toBe('drop progress-unasked');
    }
    const other = makeExchange({ request: call('tools/list') });
    await ask(other);
    expect(told(await down(correlate, other, progress('t')))).toBe('drop progress-unasked');
    await answer(exchange, id);
    expect(told(await down(correlate, exchange, progress('t')))).toBe('drop progress-unasked');
  });

  test('may come on another stream of the same session', async () => {
    await ask(inSession('s', { request: call('tools/list', { _meta: { progressToken: 9 } }) }));
    const stream: Frame = { kind: 'stream-open', lastEventId: undefined };
    expect(told(await down(correlate, inSession('s', { request: stream }), progress(9)))).toBe('pass');
    expect(told(await down(correlate, inSession('o', { request: stream }), progress(9)))).toBe(
      'drop progress-unasked',
    );
  });
});

describe('a subscription', () => {
  const idKey = 'io.modelcontextprotocol/subscriptionId';
  const listen = modernCall(
    'subscriptions/listen',
    { notifications: { toolsListChanged: true, resourceSubscriptions: ['file:///a'], taskIds: ['t1'] } },
    'sub',
  );
  const tell = (id: unknown, method: string, params: object = {}) =>
    note(`notifications/${method}`, { ...params, _meta: { [idKey]: id, kept: 1 } }, 'toClient');

  async function begin() {
    const exchange = modernExchange(listen);
    const id = await ask(exchange);
    return { exchange, id, say: async (frame: Frame) => down(correlate, exchange, frame) };
  }

  test('relays what was asked for under the id that the client gave it', async () => {
    const { id, say } = await begin();
    for (const frame of [
      tell(id, 'subscriptions/acknowledged', { notifications: {} }),
      tell(id, 'tools/list_changed'),
      tell(id, 'resources/updated', { uri: 'file:///a' }),
      tell(id, 'tasks', { taskId: 't1' }),
    ]) {
      const given = passed(await say(frame), frame, 'notification');
      expect(JSON.parse(given.bytes.toString())).toMatchObject({
        params: { _meta: { [idKey]: 'sub', kept: 1 } },
      });
    }
  });

  test('relays nothing before it is acknowledged, and one acknowledgement', async () => {
    const { id, say } = await begin();
    expect(told(await say(tell(id, 'tools/list_changed')))).toBe('drop notification-unasked');
    expect(told(await say(tell(id, 'subscriptions/acknowledged')))).toBe('replace');
    expect(told(await say(tell(id, 'subscriptions/acknowledged')))).toBe('drop notification-unasked');
  });

  test('relays no other kind, and nothing of another subscription', async () => {
    const { id, say } = await begin();
    await say(tell(id, 'subscriptions/acknowledged'));
    for (const method of [
      'prompts/list_changed',
      'resources/list_changed',
      'progress',
      'message',
      'constructor',
    ]) {
      expect(told(await say(tell(id, method)))).toBe('drop notification-unasked');
    }
    expect(told(await say(tell(id, 'tasks', { taskId: 't2' })))).toBe('drop notification-unasked');
    for (const foreign of ['sub', id + 1, String(id), undefined]) {
      expect(told(await say(tell(foreign, 'tools/list_changed')))).toBe('drop subscription-unknown');
    }
  });

  test('ends under the id of the client, by result or by cancellation', async () => {
    const { id, say } = await begin();
    const cancel = note('notifications/cancelled', { requestId: id, _meta: { [idKey]: id } }, 'toClient');
    const told1 = passed(await say(cancel), cancel, 'notification');
    expect(told1.params).toEqual({ requestId: 'sub', _meta: { [idKey]: 'sub' } });
    expect(told(await say(note('notifications/cancelled', { requestId: 'sub' }, 'toClient')))).toBe(
      'drop cancelled-unknown',
    );
    const end = resultOf(id, { resultType: 'complete', _meta: { [idKey]: id } });
    const given = passed(await say(end), end, 'result');
    expect(given.id).toBe('sub');
    expect(given.result).toEqual({ resultType: 'complete', _meta: { [idKey]: 'sub' } });
  });

  test('is the only place for change notifications in 2026-07-28', async () => {
    const exchange = modernExchange(modernCall('tools/list'));
    const id = await ask(exchange);
    for (const method of ['tools/list_changed', 'resources/updated', 'subscriptions/acknowledged', 'tasks']) {
      expect(told(await down(correlate, exchange, tell(id, method)))).toBe('drop notification-unasked');
    }
    const legacy = inSession('s', { request: { kind: 'stream-open', lastEventId: undefined } });
    expect(told(await down(correlate, legacy, tell(id, 'tools/list_changed')))).toBe('pass');
  });
});
