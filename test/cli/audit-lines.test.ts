import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readAuditLines } from '../../src/cli/audit-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'audit-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(text: string | Buffer, longest?: number): Promise<unknown[]> {
  const file = join(folder, 'audit.jsonl');
  writeFileSync(file, text);
  const found: unknown[] = [];
  for await (const record of readAuditLines(file, longest)) found.push(record);
  return found;
}

describe('an audit file', () => {
  it.each(['\u2028', '\u2029', '\u0085', '\r', '\v', '\f'])('has no line that ends at %j', async (mark) => {
    const text = `{"a":"x${mark === '\r' || mark < ' ' ? JSON.stringify(mark).slice(1, -1) : mark}y"}\n{"b":1}`;
    expect(await read(text)).toHaveLength(2);
  });

  it('gives no record that stands inside of a name, between separators that other readers obey', async () => {
    expect(await read('{"a":"\u2028{}\u2028"}\n')).toEqual([{ a: '\u2028{}\u2028' }]);
  });

  it('is read past lines that are torn, empty, no object or longer than any record', async () => {
    const long = `{"long":"${'x'.repeat(200_000)}"}`;
    const text = ['{"a":1}', '', '{"tor', '[]', 'null', long, '{"b":2}\r', long, '{"c":3}'].join('\n');
    expect(await read(text, 1000)).toEqual([{ a: 1 }, { b: 2 }, { c: 3 }]);
    expect(await read(`{"a":1}\n${long}`, 1000)).toEqual([{ a: 1 }]);
    expect(await read(`${long}\n{"a":1}`)).toHaveLength(2);
  });

  it('is read across the ends of chunks, in the middle of a character too', async () => {
    const text = `{"a":"${'\u00e9'.repeat(70_000)}"}\n{"b":"${'\u{1f600}'.repeat(70_001)}"}\n`;
    expect(await read(text)).toEqual(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
  });

  it('holds no prototype', async () => {
    const [record] = await read('{"__proto__":{"who":{"id":"anonymous"}}}\n');
    expect((record as { who?: unknown }).who).toBeUndefined();
  });
});
