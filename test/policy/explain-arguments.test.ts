import { describe, expect, it } from 'vitest';
import { explain, formatExplanation } from '../../src/policy/explain.ts';
import { policyOf, requestOf } from './support/build.ts';

const policy = policyOf(`version: 1
roles:
  caller:
    allow:
      - tools: [write, page, send, login]
      - { tools: [few], when: { args: { limit: { max: 10 } } } }
      - prompts: [summary]
      - { prompts: [bounded], when: { args: { size: { max: 2 } } } }
bindings:
  - { roles: caller, to: { any: true } }
arguments:
  - id: writing
    match: { tools: [write] }
    unknown: refuse
    args:
      "edits[*].path": { path: { within: /workspace } }
  - id: paging
    match: { tools: [page, few] }
    args:
      limit: { int: {}, clamp: { max: 10 } }
      debug: { drop: true }
      format: { default: json }
  - id: try-out
    match: { tools: [page] }
    mode: shadow
    args: { q: { text: { maxLength: 3 } } }
  - id: sending
    match: { tools: [send] }
    args: { to: { url: { hosts: [files.example], resolve: true } } }
    relations:
      - { id: own, that: "principal.id == 'someone'", message: for someone only }
  - id: logging-in
    match: { tools: [login] }
    args: { password: { secret: {}, strip: [control] }, note: { text: {}, normalize: [trim] } }
  - id: summaries
    match: { prompts: [summary] }
    args: { topic: { text: { maxLength: 3 }, required: true } }
  - id: hidden
    match: { tools: [vault] }
    args: { key: { required: true } }
`);
const of = (tool: string, args?: Record<string, unknown>) =>
  explain(requestOf({ tool, ...(args === undefined ? {} : { args }) }), policy);

describe('explain, of arguments', () => {
  it('names rule, place, path, role, fault and how to allow what is refused', () => {
    const explanation = of('write', { edits: [{ path: '/workspace/a' }, { path: '/etc/passwd' }] });
    expect(explanation.effect).toBe('deny');
    expect(explanation.decision.effect).toBe('allow');
    expect(explanation.arguments).toMatchObject({
      refused: { rule: 'writing', location: 'a.yaml:12', path: 'edits[1].path', role: 'path' },
    });
    expect(explanation.arguments).not.toHaveProperty('sent');
    const text = formatExplanation(explanation);
    expect(text).toMatch(
      /^DENY: .*\n {2}because: arguments-refused writing \(a\.yaml:12\), "edits\[1\]\.path", role path: \S+\n {2}to allow it: \S/,
    );
    expect(text).toContain('roles and ACL: allow, allowed roles.caller.allow[0]');
    expect(text).toContain('writing (a.yaml:12), unknown refuse');
    expect(text).not.toContain('passwd');
  });

  it('shows each rewrite with what would be sent, and what shadow rules would refuse', () => {
    const { arguments: explained, ...rest } = of('page', { limit: 5000, debug: true, q: 'long' });
    expect(rest.effect).toBe('allow');
    expect(explained).toEqual({
      rules: [
        { rule: 'paging', location: 'a.yaml:17', shadow: false },
        { rule: 'try-out', location: 'a.yaml:23', shadow: true },
      ],
      wouldRefuse: [expect.objectContaining({ rule: 'try-out', path: 'q', role: 'text' })],
      rewrites: [
        { rule: 'paging', path: 'limit', rewrite: 'clamp', sent: 10 },
        { rule: 'paging', path: 'debug', rewrite: 'drop' },
        { rule: 'paging', path: 'format', rewrite: 'default', sent: 'json' },
      ],
      sent: { limit: 10, q: 'long', format: 'json' },
      lookups: [],
    });
    const text = formatExplanation(of('page', { limit: 5000, q: 'long' }));
    expect(text).toContain('clamp "limit" by paging, sent: 10');
    expect(text).toContain('Sent: {"limit":10,"q":"long","format":"json"}');
    expect(text).toMatch(/Shadow rules would refuse:\n {2}arguments-refused try-out .*; to allow it: /);
  });

  it('decides on the rewritten arguments', () => {
    expect(of('few', { limit: 5000 })).toMatchObject({
      effect: 'allow',
      decision: { effect: 'allow' },
      rules: [{ outcome: 'applies' }],
    });
    expect(of('few', { limit: 'x' })).toMatchObject({
      effect: 'deny',
      arguments: { refused: { path: 'limit' } },
    });
  });

  it('does not ask the name service, and says so', () => {
    const explanation = of('send', { to: 'https://files.example/a' });
    expect(explanation.arguments?.lookups).toEqual([
      { rule: 'sending', path: 'to', role: 'url', kind: 'addresses' },
    ]);
    expect(formatExplanation(explanation)).toContain(
      'Not asked here:\n  addresses of the host of "to", for url of sending',
    );
  });

  it('asks relations about the subject', () => {
    const request = requestOf({ tool: 'send', args: { to: 'https://files.example/a' } });
    const other = { ...request, subject: { ...request.subject, id: 'other' } };
    expect(explain(other, policy).arguments?.refused).toMatchObject({ rule: 'sending', role: 'relation' });
  });

  it('never shows the value of a secret argument', () => {
    for (const args of [
      { password: 'hunter2-hunter2', note: ' see hunter2-hunter2 ' },
      { password: 'hunter2-hunter2\u0007', note: 'no more' },
      { password: ['hunter2-hunter2'] },
      { Password: 'hunter2-hunter2' },
    ]) {
      const explanation = of('login', args);
      expect(`${formatExplanation(explanation)}${JSON.stringify(explanation)}`).not.toContain('hunter2');
    }
    expect(of('login', { password: 'hunter2-hunter2', note: ' hunter2-hunter2' }).arguments?.sent).toEqual({
      password: '[secret]',
      note: '[secret]',
    });
  });

  it('writes nothing to the terminal that could act there', () => {
    const text = formatExplanation(of('page', { limit: 1, format: '\u001b[31m\u202e' }));
    expect(text).not.toMatch(/[^\x20-\x7e\n]/);
  });

  it('says nothing of arguments where the target is hidden, nobody asks, or it has none', () => {
    expect(of('vault')).not.toHaveProperty('arguments');
    expect(of('unheard-of')).not.toHaveProperty('arguments');
    expect(explain(requestOf({ resource: 'f:///x' }), policy)).not.toHaveProperty('arguments');
  });

  it('takes arguments of a completion for some of them', () => {
    const request = requestOf({ prompt: 'summary' });
    expect(explain(request, policy).arguments?.refused).toMatchObject({ role: 'required', path: 'topic' });
    expect(explain({ ...request, action: 'complete' }, policy).arguments).not.toHaveProperty('refused');
    const bounded = requestOf({ prompt: 'bounded', args: { size: 1 } });
    expect(explain(bounded, policy).effect).toBe('allow');
    // As in the gateway: the frame of a completion names the prompt, and is no call of it with arguments.
    expect(explain({ ...bounded, action: 'complete' }, policy)).toMatchObject({
      effect: 'deny',
      rules: [{ outcome: 'cannot-be-evaluated' }],
    });
  });
});
