import { beforeEach, describe, expect, test } from 'vitest';
import type { Frame } from '../../src/mcp/frame.ts';
import {
  down,
  type ExchangeShape,
  makeGate,
  modernCall,
  modernExchange,
  modernMeta,
  passed,
  principal,
  resultOf,
  type TestGate,
  told,
  up,
} from './support.ts';

let gate: TestGate;

beforeEach(() => {
  gate = makeGate();
});

const tool = (params: object = {}, id: string | number = 1) =>
  modernCall('tools/call', { name: 'deploy', arguments: { env: 'test' }, ...params }, id);

const questions = { confirm: { method: 'elicitation/create', params: { message: 'Sure?' } } };

async function answered(request: Frame, result: object, shape: ExchangeShape = {}) {
  const correlate = gate.filter('correlate');
  const exchange = modernExchange(request, shape);
  const sent = passed(await up(correlate, exchange), request, 'request');
  const frame = resultOf(sent.id, result);
  return { sent, frame, verdict: await down(correlate, exchange, frame) };
}

/** What the client holds after a first round. */
async function firstRound(result: object): Promise<string> {
  const { frame, verdict } = await answered(tool(), { resultType: 'input_required', ...result });
  return passed(verdict, frame, 'result').result['requestState'] as string;
}

async function retry(params: object, request = tool(params), shape: ExchangeShape = {}) {
  return up(gate.filter('correlate'), modernExchange(request, shape));
}

describe('a request state', () => {
  test('leaves sealed and comes back to the upstream as its own', async () => {
    const requestState = await firstRound({ inputRequests: questions, requestState: 'upstream state' });
    expect(requestState).not.toContain('upstream');
    const request = tool({ requestState, inputResponses: { confirm: { action: 'accept' } } }, 2);
    const sent = passed(await retry({}, request), request, 'request');
    expect(sent.params).toEqual({
      _meta: modernMeta,
      name: 'deploy',
      arguments: { env: 'test' },
      inputResponses: { confirm: { action: 'accept' } },
      requestState: 'upstream state',
    });
    expect(JSON.parse(sent.bytes.toString()).id).toBe(sent.id);
  });

  test('is added where the upstream gave none, and taken away again', async () => {
    const requestState = await firstRound({ inputRequests: questions });
    const request = tool({ requestState, inputResponses: { confirm: { action: 'accept' } } });
    const sent = passed(await retry({}, request), request, 'request');
    expect(sent.params).not.toHaveProperty('requestState');
  });

  test('is known to nobody else, for nothing else, and for ten minutes', async () => {
    const requestState = await firstRound({ inputRequests: questions, requestState: 's' });
    const params = { requestState, inputResponses: { confirm: { action: 'accept' } } };
    const elsewhere: readonly [string, Frame, ExchangeShape][] = [
      ['principal', tool(params), { principal: principal('bob') }],
      ['upstream', tool(params), { upstream: 'other' }],
      ['tool', modernCall('tools/call', { name: 'destroy', ...params }), {}],
      ['method', modernCall('prompts/get', { name: 'deploy', ...params }), {}],
    ];
    for (const [what, request, shape] of elsewhere) {
      expect([what, told(await retry({}, request, shape))]).toEqual([what, 'state-unknown']);
    }
    expect(told(await retry(params))).toBe('replace');
    gate.clock.now += 600_001;
    expect(told(await retry(params))).toBe('state-unknown');
  });

  test('answers only what was asked', async () => {
    const requestState = await firstRound({ inputRequests: questions, requestState: 's' });
    const unasked: readonly object[] = [
      { other: {} },
      { confirm: { action: 'accept' }, other: {} },
      { constructor: {} },
      { toString: {} },
    ];
    for (const inputResponses of unasked) {
      expect(told(await retry({ requestState, inputResponses }))).toBe('state-unknown');
    }
    expect(told(await retry({ requestState, inputResponses: {} }))).toBe('replace');
    expect(told(await retry({ requestState }))).toBe('replace');
  });

  test('cannot be left out or made up', async () => {
    const made = ['', 'upstream state', 'AAAA', JSON.stringify({ upstream: 's' })];
    expect(told(await retry({ inputResponses: { confirm: { action: 'accept' } } }))).toBe('state-unknown');
    for (const requestState of made) expect(told(await retry({ requestState }))).toBe('state-unknown');
    const list = modernCall('tools/list', { requestState: 'x' });
    expect(told(await retry({}, list))).toBe('state-unknown');
    const listAnswer = modernCall('tools/list', { inputResponses: {} });
    expect(told(await retry({}, listAnswer))).toBe('state-unknown');
  });

  test('opens on another replica that shares the keys', async () => {
    const keys = [Buffer.alloc(32, 9)];
    gate = makeGate({}, { keys });
    const requestState = await firstRound({ requestState: 's' });
    gate = makeGate({}, { keys });
    expect(told(await retry({ requestState }))).toBe('replace');
    gate = makeGate();
    expect(told(await retry({ requestState }))).toBe('state-unknown');
  });
});

describe('a result that asks for input', () => {
  test.each([
    ['neither questions nor a state', {}],
    ['questions that are a list', { inputRequests: [] }],
    ['a state that is not text', { requestState: 7 }],
    ['questions that are null', { inputRequests: null, requestState: 's' }],
  ])('is refused with %s', async (_what, result) => {
    const { verdict } = await answered(tool(), { resultType: 'input_required', ...result });
    expect(told(verdict)).toBe('upstream-invalid');
  });

  test('is refused from a method that may not ask', async () => {
    const { verdict } = await answered(modernCall('tools/list'), {
      resultType: 'input_required',
      requestState: 's',
    });
    expect(told(verdict)).toBe('upstream-invalid');
  });

  test('is refused where it asks too much at once', async () => {
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`q${index}`, {}]));
    for (const result of [{ inputRequests: many }, { requestState: 'x'.repeat(65_536) }]) {
      const { verdict } = await answered(tool(), { resultType: 'input_required', ...result });
      expect(told(verdict)).toBe('result-too-large');
    }
  });
});
