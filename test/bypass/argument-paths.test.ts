import { beforeAll, describe } from 'vitest';
import { type Arena, startArena } from './arena.ts';
import { foldedForms as folded, itLetsThrough, itRefuses, policyWithRules } from './argument-calls.ts';

const policy = policyWithRules(`
  - id: nested
    match: { tools: [nested] }
    args:
      "edits[*].path": { id: {}, required: true }
      "options.depth": { int: { max: 3 } }
      "options.deep.place": { enum: [here], required: true }
      "argv[0]": { enum: [ls] }
  - id: odd
    match: { tools: [odd] }
    args:
      '["a.b"]': { enum: [ok] }
      '["c[0]"]': { enum: [ok] }
      '["it''s"]': { enum: [ok] }
      '["q\\"q"]': { enum: [ok] }
      '["*"]': { enum: [ok] }
      constructor: { enum: [ok] }
`);

let arena: Arena;
beforeAll(async () => {
  arena = await startArena({ policy });
});
const everyWay = (title: string, tool: string, args: string | undefined) =>
  itRefuses(() => arena, title, tool, args);
const arrives = (tool: string, args: string | undefined) => itLetsThrough(() => arena, tool, args);

describe('paths into arguments', () => {
  const here = '"options":{"deep":{"place":"here"}}';
  for (const rest of [
    '"edits":{"path":"a"}',
    '"edits":{"0":{"path":"a"}}',
    '"edits":{"length":1,"0":{"path":"-rf"}}',
    '"edits":"a"',
    '"edits":null',
    '"edits":0',
    '"edits":[{}]',
    '"edits":[{"path":"a"},{}]',
    '"edits":[{"path":"a"},null]',
    '"edits":[[{"path":"a"}]]',
    '"edits":["a"]',
    '"edits":[{"path":null}]',
    '"edits":[{"path":["a"]}]',
    '"edits[*]":[{"path":"a"}],"edits":[{"path":"-a;"}]',
    ...folded('path').map((key) => `"edits":[{"path":"a"},{"path":"a","${key}":"/etc"}]`),
    ...folded('path').map((key) => `"edits":[{"${key}":"/etc"}]`),
    ...folded('edits').map((key) => `"${key}":[{"path":";"}]`),
    ...folded('argv').map((key) => `"${key}":["rm"]`),
    '"argv":["rm"]',
    '"argv":{"0":"ls"}',
    '"argv":"ls"',
    '"argv":[["ls"]]',
    '"argv":[null]',
  ]) {
    everyWay('', 'nested', `{${here},${rest}}`);
  }
  for (const options of [
    '{}',
    'null',
    '[]',
    '"deep"',
    '{"deep":null}',
    '{"deep":[]}',
    '{"deep":[{"place":"here"}]}',
    '{"deep":{}}',
    '{"deep":{"place":"there"}}',
    '{"deep":{"place":"here "}}',
    '{"deep.place":"here"}',
    '{"depth":4,"deep":{"place":"here"}}',
    '{"depth":"3","deep":{"place":"here"}}',
    ...folded('depth').map((key) => `{"${key}":9,"deep":{"place":"here"}}`),
    ...folded('deep').map((key) => `{"deep":{"place":"here"},"${key}":{"place":"there"}}`),
    ...folded('place').map((key) => `{"deep":{"place":"here","${key}":"there"}}`),
  ]) {
    everyWay('', 'nested', `{"options":${options}}`);
  }
  everyWay('', 'nested', undefined);
  everyWay('', 'nested', '{"options.deep.place":"here"}');
  everyWay('', 'nested', `{${here},"Options":{"deep":{"place":"there"}}}`);
  arrives('nested', `{${here}}`);
  arrives('nested', `{${here},"edits":[],"argv":[]}`);
  arrives('nested', `{${here},"edits":[{"path":"a"},{"path":"b","x":1}],"argv":["ls","-l"]}`);

  for (const key of ['a.b', 'c[0]', "it's", 'q\\"q', '*', 'constructor']) {
    everyWay('an odd name', 'odd', `{"${key}":"bad"}`);
    everyWay('an odd name', 'odd', `{"${key}":{"b":"ok"}}`);
    if (/[a-z]/.test(key))
      everyWay('an odd name', 'odd', `{"${key.replace(/[a-z]/, (l) => l.toUpperCase())}":"ok"}`);
    everyWay('an odd name', 'odd', `{"${key}\\u200b":"ok"}`);
    arrives('odd', `{"${key}":"ok"}`);
  }
  arrives('odd', '{"a":{"b":"bad"},"c":["bad"],"x*":"bad"}');
});
