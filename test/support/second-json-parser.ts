/**
 * A second, independent reading of RFC 8259: slow, plain recursive descent, nothing shared with the gateway's
 * scanner or with V8. Objects keep every pair in order, so that a repeated key is visible.
 */
export type SecondValue =
  | { readonly type: 'null' }
  | { readonly type: 'boolean'; readonly value: boolean }
  /** The text, as written. */
  | { readonly type: 'number'; readonly source: string }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly items: readonly SecondValue[] }
  | { readonly type: 'object'; readonly pairs: readonly (readonly [key: string, value: SecondValue])[] };

/** @throws SyntaxError for text that is not JSON */
export function secondParse(text: string): SecondValue {
  let position = 0;

  function fail(): never {
    throw new SyntaxError(`not JSON at ${position}`);
  }
  function skipSpace(): void {
    while (position < text.length && ' \t\n\r'.includes(text[position]!)) position++;
  }
  function expect(word: string): void {
    if (!text.startsWith(word, position)) fail();
    position += word.length;
  }
  function readString(): string {
    expect('"');
    let value = '';
    for (;;) {
      const character = text[position++];
      if (character === undefined || character < ' ') fail();
      if (character === '"') return value;
      if (character !== '\\') {
        value += character;
        continue;
      }
      const sign = text[position++];
      const simple = sign === undefined ? -1 : '"\\/bfnrt'.indexOf(sign);
      if (simple >= 0) {
        value += '"\\/\b\f\n\r\t'[simple];
      } else if (sign === 'u') {
        const digits = text.slice(position, position + 4);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) fail();
        value += String.fromCharCode(Number.parseInt(digits, 16));
        position += 4;
      } else fail();
    }
  }
  function readValue(): SecondValue {
    skipSpace();
    const value = readBare();
    skipSpace();
    return value;
  }
  function readBare(): SecondValue {
    switch (text[position]) {
      case '{':
        return readObject();
      case '[':
        return readArray();
      case '"':
        return { type: 'string', value: readString() };
      case 't':
        expect('true');
        return { type: 'boolean', value: true };
      case 'f':
        expect('false');
        return { type: 'boolean', value: false };
      case 'n':
        expect('null');
        return { type: 'null' };
      default: {
        const source =
          /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(text.slice(position))?.[0] ?? fail();
        position += source.length;
        return { type: 'number', source };
      }
    }
  }
  function readObject(): SecondValue {
    expect('{');
    skipSpace();
    const pairs: [string, SecondValue][] = [];
    if (text[position] === '}') {
      position++;
      return { type: 'object', pairs };
    }
    for (;;) {
      skipSpace();
      const key = readString();
      skipSpace();
      expect(':');
      pairs.push([key, readValue()]);
      if (text[position] === '}') {
        position++;
        return { type: 'object', pairs };
      }
      expect(',');
    }
  }
  function readArray(): SecondValue {
    expect('[');
    skipSpace();
    const items: SecondValue[] = [];
    if (text[position] === ']') {
      position++;
      return { type: 'array', items };
    }
    for (;;) {
      items.push(readValue());
      if (text[position] === ']') {
        position++;
        return { type: 'array', items };
      }
      expect(',');
    }
  }

  const value = readValue();
  if (position !== text.length) fail();
  return value;
}
