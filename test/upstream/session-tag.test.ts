import { describe, expect, it } from 'vitest';
import type { Member } from '../../src/upstream/member.ts';
import { bindingOf, tagged } from '../../src/upstream/session-tag.ts';
import { endpointTag } from '../../src/upstream/stickiness.ts';

const tags = ['http://a/mcp', 'http://b/mcp'].map(endpointTag);
const members = tags.map((tag) => ({ endpoint: { tag } }) as Member);
const place = (headers: readonly string[], hasTags = true): unknown => {
  const binding = bindingOf(headers, members, hasTags);
  if (binding === 'unknown') return binding;
  return [binding.member === undefined ? undefined : members.indexOf(binding.member), binding.protocol];
};

describe('the endpoint of a message', () => {
  it('is read from its session id, which the endpoint gets as it gave it', () => {
    const headers = ['mcp-protocol-version', '2025-11-25', 'mcp-session-id', `${tags[1]}own-id`];
    expect(place(headers)).toEqual([1, ['mcp-protocol-version', '2025-11-25', 'mcp-session-id', 'own-id']]);
    // A list may be written again with the headers as they were.
    expect(headers[3]).toBe(`${tags[1]}own-id`);
  });

  it('is none without a session, whatever other headers say', () => {
    for (const headers of [
      [],
      ['mcp-method', 'tools/call'],
      ['mcp-name', 'mcp-session-id', 'mcp-method', 'x'],
    ]) {
      expect(place(headers)).toEqual([undefined, headers]);
    }
    const named = ['mcp-name', 'mcp-session-id', 'mcp-session-id', `${tags[0]}x`];
    expect(place(named)).toEqual([0, ['mcp-name', 'mcp-session-id', 'mcp-session-id', 'x']]);
  });

  it('is the first of the list for ids from before there were several, and unknown for those of others', () => {
    expect(place(['mcp-session-id', 'plain'])).toEqual([0, ['mcp-session-id', 'plain']]);
    expect(place(['mcp-session-id', '@AAAAAAAA:x'])).toBe('unknown');
    // With one URL ids are the server's own, whatever they look like.
    expect(place(['mcp-session-id', '@AAAAAAAA:x'], false)).toEqual([0, ['mcp-session-id', '@AAAAAAAA:x']]);
  });

  it('cannot be chosen by a server: what it calls a tag is part of its id', () => {
    const answer = { kind: 'accepted', status: 202, sessionId: `${tags[1]}x` } as const;
    const given = tagged(answer, tags[0]!);
    const sessionId = (given as { sessionId: string }).sessionId;
    expect(place(['mcp-session-id', sessionId])).toEqual([0, ['mcp-session-id', `${tags[1]}x`]]);
  });

  it('cannot be chosen either by the only server, for the day on which there are several', () => {
    const given = (sessionId: string): string => {
      const answer = { kind: 'accepted', status: 202, sessionId } as const;
      return (tagged(answer, tags[0]!, false) as { sessionId: string }).sessionId;
    };
    expect(given('plain')).toBe('plain');
    for (const forged of [`${tags[1]}x`, `${tags[0]}x`, `@AAAAAAAA:${tags[1]}`, '@AAAAAAAA:']) {
      for (const hasTags of [false, true]) {
        expect(place(['mcp-session-id', given(forged)], hasTags)).toEqual([0, ['mcp-session-id', forged]]);
      }
    }
  });

  it('is not written into answers without a session', () => {
    for (const answer of [
      { kind: 'refused', status: 404 },
      { kind: 'accepted', status: 202, sessionId: undefined },
    ] as const) {
      expect(tagged(answer, tags[0]!)).toBe(answer);
    }
  });
});
