import { describe, expect, it } from 'vitest';
import { type TicketedCall, ticketOf, ticketPattern } from '../../src/flows/ticket.ts';
import type { JsonObject } from '../../src/values/json.ts';

const key = Buffer.alloc(32, 7);
const call: TicketedCall = {
  principal: 'apikey:ann',
  upstream: 'mail',
  method: 'tools/call',
  params: { name: 'send', arguments: { to: 'a@example.com', n: 1 } },
  headers: [],
};

function params(text: string): TicketedCall {
  return { ...call, params: JSON.parse(text) as JsonObject };
}

describe('the ticket of a call', () => {
  it('is pinned', () => {
    expect(ticketOf(call, key)).toMatch(ticketPattern);
    expect(ticketOf(call, key)).toBe('229326408119add340459a3ee27308a4');
  });

  it('is the same in any order of keys, and whatever token and trace it has', () => {
    const one = ticketOf(call, key);
    expect(ticketOf(params('{"arguments":{"n":1,"to":"a@example.com"},"name":"send"}'), key)).toBe(one);
    expect(
      ticketOf(
        params(
          '{"_meta":{"progressToken":9,"traceparent":"00-1-2-01"},"name":"send","arguments":{"to":"a@example.com","n":1}}',
        ),
        key,
      ),
    ).toBe(one);
  });

  it('differs with the caller, the server, the method, the key, and every value', () => {
    const others = [
      { ...call, principal: 'apikey:bob' },
      { ...call, upstream: 'chat' },
      { ...call, headers: ['mcp-param-note', 'the whole file'] },
      { ...call, method: 'prompts/get' },
      { ...call, params: undefined },
      params('{"_meta":{"note":"not approved"},"name":"send","arguments":{"to":"a@example.com","n":1}}'),
      params('{"name":"send2","arguments":{"to":"a@example.com","n":1}}'),
      params('{"name":"send","arguments":{"to":"b@example.com","n":1}}'),
      params('{"name":"send","arguments":{"to":"a@example.com","n":"1"}}'),
      params('{"name":"send","arguments":{"to":"a@example.com","n":[1]}}'),
      params('{"name":"send","arguments":{"to":"a@example.com","n":1,"cc":null}}'),
      params('{"name":"send","arguments":{"to":"a@example.com"}}'),
      params('{"name":"send","arguments":{"to":"a@example.com","n":1},"inputResponses":{}}'),
      { ...call, params: { name: 'send', arguments: { n: JSON.rawJSON('9007199254740993') } } },
      { ...call, params: { name: 'send', arguments: { n: JSON.rawJSON('9007199254740992') } } },
      { ...call, params: { name: 'send', arguments: { n: { rawJSON: '9007199254740992' } } } },
    ];
    const tickets = [call, ...others].map((one) => ticketOf(one, key));
    expect(new Set([...tickets, ticketOf(call, Buffer.alloc(32, 8))]).size).toBe(others.length + 2);
  });
});
