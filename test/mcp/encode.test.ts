import { describe, expect, it } from 'vitest';
import { decodeFrame, defaultDecodeLimits } from '../../src/mcp/decode.ts';
import { encodeError, encodeResult, replaceFrame, withId } from '../../src/mcp/encode.ts';
import type { MessageFrame, NotificationFrame, RequestFrame } from '../../src/mcp/frame.ts';
import { type JsonObject, own, toExactNumber } from '../../src/values/json.ts';

function frameOf(text: string): MessageFrame {
  const decoded = decodeFrame(Buffer.from(text), defaultDecodeLimits, 'toClient');
  if (!decoded.ok) throw new Error(decoded.failure.detail);
  return decoded.value;
}

const request = frameOf(
  ' {"method":"tools/call", "id" : 7 ,"jsonrpc":"2.0","params":{"name":"q","arguments":{"n":9007199254740993,"x":1.0}}}',
) as RequestFrame;

describe('withId', () => {
  it('splices the id and keeps every other byte', () => {
    const other = withId(request, 'gw-1');
    expect(other.bytes.toString()).toBe(request.bytes.toString().replace('7', '"gw-1"'));
    expect(other.id).toBe('gw-1');
    expect(other.value['id']).toBe('gw-1');
    expect(other.params).toBe(request.params);
    expect(withId(other, 7).bytes).toEqual(request.bytes);
  });

  it('does not touch the frame that it was given', () => {
    const before = request.bytes.toString();
    withId(request, 'x');
    expect([request.bytes.toString(), request.id, request.value['id']]).toEqual([before, 7, 7]);
  });

  it('gives an id to an error that has none, or a null one', () => {
    for (const text of [
      '{"jsonrpc":"2.0","error":{"code":-1,"message":"x","data":{"a":1}}}',
      '{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"x","data":{"a":1}}}',
    ]) {
      const given = withId(frameOf(text), 3);
      expect(JSON.parse(given.bytes.toString())).toEqual({
        jsonrpc: '2.0',
        id: 3,
        error: { code: -1, message: 'x', data: { a: 1 } },
      });
      expect(frameOf(given.bytes.toString())).toMatchObject({
        id: 3,
        idSpan: 'idSpan' in given && given.idSpan,
      });
    }
  });

  it('throws for a notification', () => {
    const notification = frameOf('{"jsonrpc":"2.0","method":"x"}');
    expect(() => withId(notification, 1)).toThrow(new TypeError('a notification has no id'));
  });
});

describe('replaceFrame', () => {
  it('encodes the value anew, with digits and id as they were', () => {
    const params = { ...request.params, name: 'other' };
    const other = replaceFrame(request, { ...request.value, params });
    expect(other.bytes.toString()).toBe(
      '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"other","arguments":{"n":9007199254740993,"x":1}}}',
    );
    expect(frameOf(other.bytes.toString())).toEqual(other);
  });

  it.each([
    '{"jsonrpc":"2.0","id":"a","result":{"x":1}}',
    '{"jsonrpc":"2.0","id":"a","error":{"code":1,"message":"m","data":9007199254740993}}',
    '{"jsonrpc":"2.0","error":{"code":1,"message":"m"}}',
    '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"x"}}',
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    '{"jsonrpc":"2.0","id":-3,"method":"ping"}',
  ])('gives a frame that decodes to itself: %s', (text) => {
    const frame = frameOf(text);
    const other = replaceFrame(frame, frame.value);
    expect(other.bytes.toString()).toBe(text);
    expect(frameOf(other.bytes.toString())).toEqual(other);
  });

  it('keeps the id of the frame, whatever the value says', () => {
    const other = replaceFrame(request, { ...request.value, id: 'forged' });
    expect([other.id, other.value['id'], JSON.parse(other.bytes.toString()).id]).toEqual([7, 7, 7]);
  });

  it('makes halves of surrogate pairs whole, in bytes and value alike', () => {
    const cut = '😀'.slice(0, 1);
    const params: JsonObject = {
      text: `a${cut}`,
      [`k${cut}`]: [cut],
      n: toExactNumber('12345678901234567890'),
    };
    const other = replaceFrame(request, { ...request.value, params });
    const decoded = frameOf(other.bytes.toString());
    expect(decoded).toEqual(other);
    expect(own(other.params!, 'text')).toBe('a\ufffd');
    expect(other.bytes.toString()).toContain('12345678901234567890');
  });

  it('does not follow later writes to the value that it was given', () => {
    const inner = { a: 1 };
    const other = replaceFrame(request, { ...request.value, params: { inner } });
    inner.a = 2;
    expect(other.params).toEqual({ inner: { a: 1 } });
  });

  it('throws where the value does not fit the kind', () => {
    const misfit = new TypeError('the value does not fit the kind of the frame');
    expect(() => replaceFrame(request, { result: {} })).toThrow(misfit);
    expect(() => replaceFrame(request, { method: 'x', params: [] })).toThrow(misfit);
    expect(() => replaceFrame(frameOf('{"jsonrpc":"2.0","id":1,"result":{}}'), { result: 1 })).toThrow(
      misfit,
    );
  });

  it('writes nothing that a line splitter could cut', () => {
    const splitters = '\n\r\u000b\u000c\u001c\u001d\u001e\u0085\u2028\u2029\u007f';
    const notification = frameOf('{"jsonrpc":"2.0","method":"x"}') as NotificationFrame;
    const other = replaceFrame(notification, { method: 'x', params: { [splitters]: splitters } });
    expect(other.bytes.toString()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(JSON.parse(other.bytes.toString()).params[splitters]).toBe(splitters);
  });
});

describe('answers of the gateway', () => {
  it('encodes results and errors', () => {
    expect(encodeResult('a', { ok: true }).toString()).toBe(
      '{"jsonrpc":"2.0","id":"a","result":{"ok":true}}',
    );
    expect(encodeError(1, { code: 4030, message: 'no' }).toString()).toBe(
      '{"jsonrpc":"2.0","id":1,"error":{"code":4030,"message":"no"}}',
    );
    expect(encodeError(1, { code: 4030, message: 'no', data: { reason: 'denied' } }).toString()).toBe(
      '{"jsonrpc":"2.0","id":1,"error":{"code":4030,"message":"no","data":{"reason":"denied"}}}',
    );
  });

  it('leaves an unknown id out: null breaks the official clients', () => {
    expect(encodeError(undefined, { code: -32700, message: 'x' }).toString()).toBe(
      '{"jsonrpc":"2.0","error":{"code":-32700,"message":"x"}}',
    );
  });
});
