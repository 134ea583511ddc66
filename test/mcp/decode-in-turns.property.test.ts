import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, decodeBodyInTurns, defaultDecodeLimits } from '../../src/mcp/decode.ts';

/** Large enough to be decoded in turns, whatever stands beside it. */
const padding = 'x'.repeat(70_000);

async function bothWays(text: string | Buffer): Promise<void> {
  const bytes = Buffer.from(text as string);
  const inTurns = decodeBodyInTurns(bytes, defaultDecodeLimits, 'toUpstream');
  expect(inTurns).toBeInstanceOf(Promise);
  expect(await inTurns).toEqual(decodeBody(bytes, defaultDecodeLimits, 'toUpstream'));
}

const call = (params: string): string => `{"jsonrpc":"2.0","id":1,"method":"m","params":${params}}`;

describe('a large body', () => {
  it('is read in turns as it is at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 6 }), fc.boolean(), async (json, first) => {
        const pad = `"padding":"${padding}"`;
        await bothWays(call(first ? `{${pad},"value":${json}}` : `{"value":${json},${pad}}`));
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['escapes', `"${'\\n'.repeat(80_000)}"`],
    ['escaped pairs', `"${'\\ud83d\\ude00'.repeat(20_000)}"`],
    ['a half of a pair', `"${'\\ud83d\\ude00'.repeat(20_000)}\\ud83d"`],
    ['a bad escape', `"${'\\u00e9'.repeat(20_000)}\\x"`],
    ['letters of three bytes', `"${'漢'.repeat(50_000)}"`],
    ['letters of four bytes', `"a${'😀'.repeat(40_000)}"`],
    [
      'numbers beyond 2^53',
      `[${Array.from({ length: 9000 }, (_, index) => `9007199254740993${index}`).join(',')}]`,
    ],
    [
      'lists in lists',
      `[${Array.from({ length: 2000 }, () => `${'['.repeat(40)}1${']'.repeat(40)}`).join(',')}]`,
    ],
    [
      'many keys',
      `{${Array.from({ length: 1999 }, (_, index) => `"k${index}${'k'.repeat(40)}":{"a":1,"b":[]}`).join(',')}}`,
    ],
    [
      'a key that is repeated far behind',
      `{"k":1,${Array.from({ length: 1990 }, (_, i) => `"${i}${'k'.repeat(40)}":1`).join(',')},"\\u006b":2}`,
    ],
    ['too many values', `[${Array.from({ length: 60 }, () => `[${'1,'.repeat(2000)}1]`).join(',')}]`],
    ['a string without an end', `"${padding}`],
    ['a string that ends in a backslash', `"${padding}\\`],
    ['a control character in a string', `"${padding}\n"`],
    ['a comma too many', `["${padding}",]`],
    ['a number that is none', `["${padding}",01]`],
    ['a number that ends in a point', `["${padding}",1.]`],
    ['a word that is none', `["${padding}",nulL]`],
    ['a colon too many', `{"a"::"${padding}"}`],
    ['two values', `"${padding}" 1`],
  ])('is read alike with %s', async (_name, value) => {
    await bothWays(call(`{"padding":"${padding}","value":${value}}`));
  });

  it('may be read while others are', async () => {
    const texts = Array.from({ length: 6 }, (_, index) =>
      call(
        `{"index":${index},"value":${`[{"a${index}":1,"b":{"c":[`.repeat(8)}"${`${index}\\n`.repeat(60_000)}"${']}}]'.repeat(8)}}`,
      ),
    );
    const frames = await Promise.all(
      texts.map((text) => decodeBodyInTurns(Buffer.from(text), defaultDecodeLimits, 'toUpstream')),
    );
    for (const [index, text] of texts.entries())
      expect(frames[index]).toEqual(decodeBody(Buffer.from(text), defaultDecodeLimits, 'toUpstream'));
  });

  it('is refused wherever one byte of it is wrong, or read alike', async () => {
    const text = Buffer.from(call(`{"a":[1,true,{"b":null,"c":"\\u00e9"},-1.5e3],"padding":"${padding}"}`));
    for (let at = 0; at < 90; at += 1) {
      for (const byte of [0x22, 0x5c, 0x2c, 0x7d, 0x30]) {
        const bent = Buffer.from(text);
        bent[at] = byte;
        const once = decodeBody(bent, defaultDecodeLimits, 'toUpstream');
        const inTurns = await decodeBodyInTurns(bent, defaultDecodeLimits, 'toUpstream');
        expect(inTurns.ok).toBe(once.ok);
        if (once.ok) expect(inTurns).toEqual(once);
      }
    }
  });
});
