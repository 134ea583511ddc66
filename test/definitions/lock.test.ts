import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/document/problems.ts';
import { hashOf } from '../../src/pins/canonical.ts';
import { formatLock } from '../../src/pins/format-lock.ts';
import { approve, emptyLock, type PinLock } from '../../src/pins/lock.ts';
import { parseLock } from '../../src/pins/parse-lock.ts';
import { isJsonObject } from '../../src/values/json.ts';
import { jsonValues, lockOf, tool, toolDefinition } from './support.ts';

function problemsOf(text: string): readonly string[] {
  const parsed = parseLock({ file: 'pins.yaml', text });
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

function readBack(lock: PinLock): PinLock {
  const parsed = parseLock({ file: 'pins.yaml', text: formatLock(lock) });
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return parsed.lock;
}

describe('a lock file', () => {
  const lock = lockOf({ files: [toolDefinition, tool('stat')], other: [] }, 'Be careful.\nAlways.');

  it('is text that a person can review, with the definition beside its hash', () => {
    expect(formatLock(lockOf({ files: [toolDefinition] }, 'Be careful.\nAlways.'))).toBe(`\
# What the servers behind the gateway may say of themselves: definitions and instructions that were reviewed.
# Written by \`sallyport pin\`; what differs from it is hidden and refused. Review changes as you review code.
version: 1
upstreams:
  files:
    instructions:
      hash: "${hashOf('Be careful.\nAlways.')}"
      text: |-
        Be careful.
        Always.
    tools:
      read_file:
        hash: "${hashOf(toolDefinition)}"
        definition:
          name: read_file
          title: Read a file
          description: |-
            Reads a file.
            Returns its text.
          inputSchema:
            additionalProperties: false
            properties:
              lines:
                maximum: 1000
                minimum: 1
                type: integer
              mode:
                enum:
                  - text
                  - bytes
              path:
                description: Where it is
                type: string
            required:
              - path
            type: object
          outputSchema:
            properties:
              text:
                type: string
            type: object
          annotations:
            destructiveHint: false
            readOnlyHint: true
          _meta:
            example.org/rank: 7
          execution:
            taskSupport: optional
          icons:
            - sizes:
                - "16x16"
              src: "data:image/png;base64,AA=="
`);
  });

  it('reads back as what was written, whatever a server calls and describes its tools', () => {
    expect(readBack(lock)).toEqual(lock);
    fc.assert(
      fc.property(jsonValues.filter(isJsonObject), (definition) => {
        const whole = { ...(definition as object), name: 'x' };
        const read = readBack(lockOf({ files: [whole] }));
        expect(read.upstreams.get('files')?.tools.get('x')?.hash).toBe(hashOf(whole));
      }),
    );
  });

  it('has the same bytes whatever the order of upstreams, tools and keys', () => {
    const turned = Object.fromEntries(Object.entries(toolDefinition).reverse());
    const one = lockOf({ a: [tool('x'), toolDefinition], b: [] });
    const other = lockOf({ b: [], a: [turned, tool('x')] });
    expect(formatLock(other)).toBe(formatLock(one));
  });

  it('is refused where a hash is not that of the definition beside it, with the line', () => {
    const text = formatLock(lock).replace('Reads a file.', 'Reads any file.');
    const line = text.split('\n').findIndex((each) => each.includes(hashOf(toolDefinition))) + 1;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^pins.yaml:${line}:9: upstreams.files.tools.read_file.hash: is not the hash of what stands`,
        ),
      ),
    ]);
    expect(problemsOf(formatLock(lock).replace('Be careful.', 'Be careless.'))[0]).toMatch(
      /upstreams\.files\.instructions\.hash: is not the hash/,
    );
  });

  it('is refused where an entry has the name of another tool', () => {
    expect(problemsOf(formatLock(lock).replace('      stat:', '      status:'))[0]).toMatch(
      /tools\.status\.definition\.name: the definition has another name/,
    );
  });

  it('is refused with unknown keys, other versions, repeated tools, and what is no YAML', () => {
    const cases: readonly [string, RegExp][] = [
      ['version: 2\n', /version/],
      ['version: 1\nupstream: {}\n', /did you mean.*upstreams/i],
      [
        'version: 1\nupstreams: { a: { tools: { x: { hash: "sha256:0", definition: {} } } } }\n',
        /sha256: and 64/,
      ],
      ['version: 1\nupstreams:\n  a: {}\n  a: {}\n', /given twice/],
      ['version: 1\nupstreams: { a: { tools: { x: { definition: {} } } } }\n', /hash/],
      ['', /empty/],
      ['[', /./],
    ];
    for (const [text, message] of cases) expect(problemsOf(text).join('\n'), text).toMatch(message);
  });

  it('without any upstream is a lock that approves nothing', () => {
    expect(readBack(emptyLock)).toEqual(emptyLock);
    expect(parseLock({ file: 'x', text: 'version: 1\n' })).toEqual({ ok: true, lock: emptyLock });
  });
});

describe('approving', () => {
  const offer = {
    instructions: 'New words.',
    tools: new Map([
      ['a', tool('a', { title: 'A' })],
      ['c', tool('c')],
    ]),
  };
  const before: PinLock = {
    upstreams: new Map([
      [
        'one',
        {
          instructions: { hash: hashOf('Old words.'), text: 'Old words.' },
          tools: new Map([
            [
              'a',
              { hash: hashOf(tool('a')), definition: tool('a'), reviewed: { title: 'Mine' }, note: 'old' },
            ],
            ['b', { hash: hashOf(tool('b')), definition: tool('b') }],
          ]),
        },
      ],
    ]),
  };

  it('takes over what is named and nothing else', () => {
    const { tools, instructions } = approve(before, 'one', offer, new Set(['c']), false).upstreams.get(
      'one',
    )!;
    expect([...tools.keys()].sort()).toEqual(['a', 'b', 'c']);
    expect(tools.get('a')).toBe(before.upstreams.get('one')?.tools.get('a'));
    expect(instructions?.text).toBe('Old words.');
  });

  it('takes out what is gone, and keeps the words of the reviewer but not notes about what is gone', () => {
    const { tools, instructions } = approve(before, 'one', offer, undefined, true, {
      approvedBy: 'eve',
    }).upstreams.get('one')!;
    expect([...tools.keys()].sort()).toEqual(['a', 'c']);
    expect(tools.get('a')).toEqual({
      hash: hashOf(offer.tools.get('a')!),
      definition: offer.tools.get('a'),
      reviewed: { title: 'Mine' },
      approvedBy: 'eve',
    });
    expect(instructions).toEqual({ hash: hashOf('New words.'), text: 'New words.', approvedBy: 'eve' });
  });

  it('does not change what it was given', () => {
    const text = formatLock(before);
    approve(before, 'one', offer, undefined, true);
    expect(formatLock(before)).toBe(text);
  });
});
