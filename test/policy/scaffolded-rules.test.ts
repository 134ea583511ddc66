import { describe, expect, it } from 'vitest';
import { judgeTool, type Offered, scaffoldPolicy } from '../../src/policy/scaffold.ts';
import type { JsonObject } from '../../src/values/json.ts';

const nothing: Offered = { upstream: 'one', tools: new Map(), prompts: [], resources: [] };
const harmless = { annotations: { readOnlyHint: true, openWorldHint: false } };
const mild = { annotations: { destructiveHint: false, openWorldHint: false } };

const quiet = 'does not say that it only reads';
const reads = 'says that it only reads';
const reaches = 'may reach the outside: mark it `untrusted` or `egress` under `tools:`';
const mayDestroy = 'does not say that it destroys nothing';

describe('what speaks against a tool', () => {
  it.each<[string, JsonObject, readonly string[]]>([
    ['tidy', {}, [quiet, mayDestroy, reaches]],
    ['tidy', harmless, [reads]],
    ['tidy', mild, [quiet]],
    ['tidy', { annotations: { readOnlyHint: true } }, [reads, reaches]],
    ['tidy', { annotations: { readOnlyHint: true, openWorldHint: true } }, [reads, reaches]],
    [
      'tidy',
      { annotations: { destructiveHint: true, openWorldHint: false } },
      [quiet, 'says that it may destroy'],
    ],
    ['run_sql', harmless, [reads, 'its name says run, sql']],
    ['sendMail', harmless, [reads, 'its name says send, mail']],
    ['send_and_drop', mild, [quiet, 'its name says drop', 'its name says send']],
    ['drop_drop', mild, [quiet, 'its name says drop']],
    ['HTTPGet', mild, [quiet, 'its name says http']],
    ['DROPTable', mild, [quiet, 'its name says drop']],
    ['--drop--send--', mild, [quiet, 'its name says drop', 'its name says send']],
  ])('%s with %j: %j', (name, definition, notes) => {
    expect(judgeTool(name, definition).notes).toEqual(notes);
  });

  it('is the worse of two hints that contradict each other', () => {
    const both = { annotations: { readOnlyHint: true, destructiveHint: true, openWorldHint: false } };
    expect(judgeTool('tidy', both)).toEqual({
      name: 'tidy',
      risk: 'dangerous',
      notes: [reads, 'says that it may destroy'],
    });
  });
});

describe('a first policy', () => {
  const readMe =
    'A first policy for one. Nothing is allowed by it: every rule is in shadow mode and no role is bound. ' +
    'Review the rules, delete what nobody needs, take away `mode: shadow` of the rest, and bind the roles.';
  const draft = (member: string, name: string, description: string) => ({
    description,
    [member]: [name],
    upstreams: ['one'],
    mode: 'shadow',
  });

  it('has no roles for a server that offers nothing', () => {
    expect(scaffoldPolicy(nothing)).toEqual({
      document: { version: 1, description: readMe, roles: {} },
      leftOut: [],
    });
  });

  it('sorts tools by risk and name, and says of each why', () => {
    const tools = new Map<string, JsonObject>([
      ['list_c', harmless],
      ['list_a', harmless],
      ['list_b', harmless],
      ['send', mild],
      ['drop', {}],
    ]);
    expect(scaffoldPolicy({ ...nothing, tools }).document['roles']).toEqual({
      'one-reads': {
        description: 'Tools that say they only read, and whose names agree.',
        allow: [
          draft('tools', 'list_a', reads),
          draft('tools', 'list_b', reads),
          draft('tools', 'list_c', reads),
        ],
      },
      'one-changes': {
        description: 'Tools that may change or send something, or do not say that they only read.',
        allow: [draft('tools', 'send', `${quiet}; its name says send`)],
      },
      'one-dangerous': {
        description: 'Tools that may destroy, run code, hand out secrets or move money.',
        allow: [draft('tools', 'drop', `${quiet}; ${mayDestroy}; ${reaches}; its name says drop`)],
      },
    });
  });

  it('sorts prompts and resources, and says what they do to the model', () => {
    const offered = { ...nothing, prompts: ['q', 'p'], resources: ['file:///b', 'file:///a'] };
    const [told, shown] = ['its text reaches the model as an instruction', 'its content reaches the model'];
    expect(scaffoldPolicy(offered).document['roles']).toEqual({
      'one-prompts': {
        description: 'The prompts that one lists.',
        allow: [draft('prompts', 'p', told), draft('prompts', 'q', told)],
      },
      'one-resources': {
        description: 'The resources that one lists.',
        allow: [draft('resources', 'file:///a', shown), draft('resources', 'file:///b', shown)],
      },
    });
  });

  it('names what no exact rule can name, and writes no rule for it', () => {
    const { document, leftOut } = scaffoldPolicy({
      upstream: 'one',
      tools: new Map([
        ['get_*', {}],
        ['drop:B', {}],
      ]),
      prompts: ['*', '', 'A:b'],
      resources: ['file:///**', 'A:b', 'file:///a'],
    });
    expect(leftOut).toEqual([
      'tool "get_*": no rule can name it',
      'prompt "*": no rule can name it',
      'prompt "": no rule can name it',
      'resource "file:///**": no rule can name it',
      'resource "A:b": no rule can name it',
    ]);
    expect(Object.keys(document['roles'] as object)).toEqual([
      'one-dangerous',
      'one-prompts',
      'one-resources',
    ]);
  });
});
