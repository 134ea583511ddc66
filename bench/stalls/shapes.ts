/** What the inputs are made of. */

export interface StallInput {
  readonly name: string;
  readonly method: string;
  /** Of the tool, where one is called. */
  readonly tool?: string;
  /** The client's `params` as JSON text, behind `"_meta"`; begins with a comma where there are any. */
  readonly params: () => string;
  /** `"result":…}` or `"error":…}`. Absent: a small result. */
  readonly answer?: () => string;
  readonly type?: 'json' | 'sse';
}

export const mebibyte = 1024 * 1024;
/** Room for the envelope. */
export const requestRoom = 4 * mebibyte - 2048;
export const answerRoom = 16 * mebibyte - 2048;
export const eventRoom = 4 * mebibyte - 2048;

export function filled(pattern: string, length: number): string {
  return pattern
    .repeat(Math.ceil(length / pattern.length))
    .slice(0, Math.floor(length / pattern.length) * pattern.length);
}

export function call(name: string, tool: string, args: (room: number) => string): StallInput {
  return {
    name: `request: ${name}`,
    method: 'tools/call',
    tool,
    params: () => `,"arguments":${args(requestRoom)}`,
  };
}

export function textResult(
  name: string,
  text: (room: number) => string,
  type: 'json' | 'sse' = 'json',
): StallInput {
  const room = type === 'sse' ? eventRoom : answerRoom;
  return {
    name: `${type === 'sse' ? 'event' : 'result'}: ${name}`,
    method: 'tools/call',
    tool: 'free',
    params: () => ',"arguments":{"value":1}',
    answer: () =>
      `"result":{"resultType":"complete","content":[{"type":"text","text":"${text(room - 200)}"}]}}`,
    type,
  };
}

export function result(
  name: string,
  value: (room: number) => string,
  tool = 'free',
  method = 'tools/call',
): StallInput {
  return {
    name: `result: ${name}`,
    method,
    ...(method === 'tools/call' ? { tool, params: () => ',"arguments":{"value":1}' } : { params: () => '' }),
    answer: () => `"result":${value(answerRoom)}}`,
  };
}

export function nested(depth: number, inner: string): string {
  return `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`;
}

export function listOf(count: number, entry: (index: number) => string): string {
  return `[${Array.from({ length: count }, (_, index) => entry(index)).join(',')}]`;
}

/** Nearly as many values as one body may have, in lists of lists. */
export function values(room: number, most: number, value: (index: number) => string): string {
  const length = Math.min(most, Math.floor(room / (value(0).length + 1)));
  const lists = Math.ceil(length / 5000);
  let index = 0;
  return listOf(lists, () => listOf(Math.floor(length / lists), () => value(index++)));
}

export function objects(count: number, keys: number, key: (index: number) => string): string {
  return listOf(
    count,
    () => `{${Array.from({ length: keys }, (_, index) => `"${key(index)}":0`).join(',')}}`,
  );
}

export const nodes = 99_900;
