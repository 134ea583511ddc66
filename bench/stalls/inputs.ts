/** Inputs made to keep one thread busy: each as large as the defaults let it be. */

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

const mebibyte = 1024 * 1024;
/** Room for the envelope. */
const requestRoom = 4 * mebibyte - 2048;
const answerRoom = 16 * mebibyte - 2048;
const eventRoom = 4 * mebibyte - 2048;

function filled(pattern: string, length: number): string {
  return pattern
    .repeat(Math.ceil(length / pattern.length))
    .slice(0, Math.floor(length / pattern.length) * pattern.length);
}

function call(name: string, tool: string, args: (room: number) => string): StallInput {
  return {
    name: `request: ${name}`,
    method: 'tools/call',
    tool,
    params: () => `,"arguments":${args(requestRoom)}`,
  };
}

function textResult(name: string, text: (room: number) => string, type: 'json' | 'sse' = 'json'): StallInput {
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

function result(
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

function nested(depth: number, inner: string): string {
  return `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`;
}

function listOf(count: number, entry: (index: number) => string): string {
  return `[${Array.from({ length: count }, (_, index) => entry(index)).join(',')}]`;
}

/** Nearly as many values as one body may have, in lists of lists. */
function values(room: number, most: number, value: (index: number) => string): string {
  const length = Math.min(most, Math.floor(room / (value(0).length + 1)));
  const lists = Math.ceil(length / 5000);
  let index = 0;
  return listOf(lists, () => listOf(Math.floor(length / lists), () => value(index++)));
}

function objects(count: number, keys: number, key: (index: number) => string): string {
  return listOf(
    count,
    () => `{${Array.from({ length: keys }, (_, index) => `"${key(index)}":0`).join(',')}}`,
  );
}

const nodes = 99_900;

export const requestInputs: readonly StallInput[] = [
  call('lists 50 deep', 'free', (room) => {
    const one = nested(50, '0');
    return `{"value":${listOf(Math.min(9000, Math.floor(nodes / 51), Math.floor(room / (one.length + 1))), () => one)}}`;
  }),
  call('objects 50 deep', 'free', () => {
    const one = `${'{"a":'.repeat(50)}0${'}'.repeat(50)}`;
    return `{"value":${listOf(Math.floor(nodes / 51), () => one)}}`;
  }),
  call(
    'as many numbers as may be',
    'free',
    (room) => `{"value":${values(room, nodes, (index) => String(index))}}`,
  ),
  call('long whole numbers', 'free', (room) => `{"value":${values(room, nodes, () => '9'.repeat(40))}}`),
  call(
    'long fractions',
    'free',
    (room) => `{"value":${values(room, nodes, () => `0.${'1234567890'.repeat(4)}`)}}`,
  ),
  call(
    'fractions of 990 digits',
    'free',
    (room) => `{"value":${values(room, nodes, () => `0.${'7'.repeat(990)}`)}}`,
  ),
  call('as many keys as may be', 'free', () => `{"value":${objects(49, 1999, (index) => `key${index}`)}}`),
  call(
    'keys written with escapes',
    'free',
    () => `{"value":${objects(49, 1999, (index) => `\\u006b\\u0065y${index}`)}}`,
  ),
  call(
    'long keys',
    'free',
    (room) => `{"value":${objects(1, 1999, (index) => `${index}${'k'.repeat(Math.floor(room / 2100))}`)}}`,
  ),
  call(
    'short texts',
    'free',
    (room) => `{"value":${values(room, nodes, (index) => `"password=hunter${index}"`)}}`,
  ),
  call('one text', 'free', (room) => `{"value":"${filled('lorem ipsum dolor ', room - 100)}"}`),
  call('one text of line feeds', 'free', (room) => `{"value":"${filled('\\n', room - 100)}"}`),
  call('one text of \\u escapes', 'free', (room) => `{"value":"${filled('\\u00e9', room - 100)}"}`),
  call('one text of escaped pairs', 'free', (room) => `{"value":"${filled('\\ud83d\\ude00', room - 100)}"}`),
  call('one text of CJK', 'free', (room) => `{"value":"${filled('漢字', Math.floor((room - 100) / 3))}"}`),
  call('one text of signs', 'free', (room) => `{"value":"${filled("' or 1=1 -- <x>{{", room - 100)}"}`),
  call(
    'one text of combining marks',
    'text',
    (room) => `{"text":"${filled('a\u0315\u0300\u05ae', Math.floor(room / 2) - 100)}"}`,
  ),
  call(
    'one letter with a million marks',
    'text',
    (room) => `{"text":"a${filled('\u0315\u0300', Math.floor(room / 2) - 100)}"}`,
  ),
  call(
    'a key with a million marks',
    'text',
    (room) => `{"a${filled('\u0315\u0300', Math.floor(room / 2) - 100)}":"text"}`,
  ),
  call('text for a role', 'text', (room) => `{"text":"${filled('lorem ipsum ', room - 100)}"}`),
  call(
    'text of invisible characters',
    'text',
    (room) => `{"text":"${filled('\u200b\u2066', Math.floor(room / 3) - 100)}"}`,
  ),
  call('needle and haystack', 'contains', (room) => {
    const half = Math.floor(room / 2) - 100;
    return `{"haystack":"${'a'.repeat(half)}","needle":"${'a'.repeat(Math.floor(half / 2))}b${'a'.repeat(Math.floor(half / 2) - 1)}"}`;
  }),
  call(
    'relation over a long list',
    'contains',
    (room) =>
      `{"haystack":"a","needle":"a","list":${listOf(9999, (index) => `"${index}${'x'.repeat(Math.floor(room / 10_500) - 8)}"`)}}`,
  ),
  call('SQL', 'query', (room) => `{"sql":"select ${filled('1+', room - 100)}1"}`),
  call(
    'SQL of 10,000 characters',
    'query',
    () =>
      `{"sql":"select ${filled('(1+', 270)}1${')'.repeat(90)} from orders where ${filled('a = 1 or ', 9000)} b"}`,
  ),
  call(
    'JSON in text',
    'json',
    () => `{"json":"${JSON.stringify(values(250_000, 9900, () => '[]')).slice(1, -1)}"}`,
  ),
  call('a URL', 'fetch', (room) => `{"url":"https://example.com/${filled('%2e%2e/', room - 100)}"}`),
  call('a path', 'read', (room) => `{"path":"/workspace/${filled('%252e/', room - 100)}"}`),
  call('a path of 4,096 bytes', 'read', () => `{"path":"/workspace/${filled('%25252e/', 4000)}"}`),
  call('a command', 'run', (room) => `{"command":"ls ${filled('-l ', room - 100)}"}`),
  call('a secret', 'secret', (room) => `{"secret":"${filled('s3cr3t', room - 100)}"}`),
  call('base64', 'upload', (room) => `{"data":"${filled('QUJD', room - 100)}"}`),
  call('unknown names', 'typed', () => `{"items":${objects(49, 1999, (index) => `key${index}`)}}`),
  call(
    'a schema with many alternatives',
    'typed',
    () => `{"items":${listOf(9000, (index) => `{"kind":"k${index}","value":[1,2,3,4,5,6,7]}`)}}`,
  ),
  call('uniqueItems', 'typed', () => `{"set":${listOf(9900, (index) => `{"a":${index},"b":[${index}]}`)}}`),
  call('a long text under a pattern', 'typed', (room) => `{"code":"${filled('a1', room - 100)}"}`),
  { name: 'request: an unknown method with a long name', method: 'x'.repeat(8000), params: () => '' },
  {
    name: 'request: long params of a method without any',
    method: 'tools/list',
    params: () => `,"cursor":"${filled('c', requestRoom)}"`,
  },
  {
    name: 'request: a long URI',
    method: 'resources/read',
    params: () => `,"uri":"file:///${filled('%61/', 7000)}"`,
  },
];

const word = 'lorem ipsum dolor ';

export const answerInputs: readonly StallInput[] = [
  textResult('words', (room) => filled(word, room)),
  textResult('digits', (room) => filled('4111 1111 1111 1111 ', room)),
  textResult('digits without a break', (room) => filled('4111111111111111', room)),
  textResult('phone numbers', (room) => filled('+49 30 901820 ', room)),
  textResult('IBANs', (room) => filled('DE89370400440532013000 ', room)),
  textResult('addresses', (room) => filled('jo@example.com ', room)),
  textResult('at signs', (room) => filled('a@', room)),
  textResult('names and values', (room) => filled('password=hunter22 ', room)),
  textResult('names and values in a row', (room) => filled('password:', room)),
  textResult('quoted names', (room) => filled('\\"password\\": \\"', room)),
  textResult('JWTs', (room) => filled('eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlc2ln ', room)),
  textResult('beginnings of JWTs', (room) => filled('eyJhbGci.', room)),
  textResult('beginnings of private keys', (room) => filled('-----BEGIN PRIVATE KEY-----\\n', room)),
  textResult('URLs with passwords', (room) => filled('https://jo:pw@example.com/ ', room)),
  textResult('URLs without an end', (room) => filled('https://jo:', room)),
  textResult('percent escapes', (room) => filled('%70%61', room)),
  textResult('JSON escapes', (room) => filled('\\\\u0070', room)),
  textResult('base64 of text', (room) => filled('bG9yZW0gaXBzdW0g', room)),
  textResult('base64 of bytes', (room) => filled('/9j/4AAQSkZJRgAB', room)),
  textResult('base64 words', (room) => filled('bG9yZW0gaXBzdW0gZG9sb3I= ', room)),
  textResult('CJK', (room) => filled('漢字', Math.floor(room / 3))),
  textResult('characters that are not seen', (room) => filled('a\u200b\u202e', Math.floor((room * 3) / 7))),
  textResult('terminal sequences', (room) => filled('\\u001b[31m', room)),
  textResult('HTML', (room) => filled("<&>'", room)),
  textResult('words in an event', (room) => filled(word, room), 'sse'),
  textResult('secrets in an event', (room) => filled('password=hunter22 ', room), 'sse'),
  result(
    'texts',
    (room) =>
      `{"resultType":"complete","content":${listOf(9900, () => `{"type":"text","text":"${filled(word, room / 9900 - 40)}"}`)}}`,
  ),
  result(
    'structured numbers',
    (room) =>
      `{"resultType":"complete","content":[],"structuredContent":{"rows":${values(room, nodes - 50, (index) => `4111111111${index}`)}}}`,
  ),
  result(
    'structured texts',
    (room) =>
      `{"resultType":"complete","content":[],"structuredContent":{"rows":${values(room, nodes - 50, (index) => `"password=hunter${index} +49 30 901820 jo@example.com DE89370400440532013000 4111111111111111 ${filled('x', 60)}"`)}}}`,
  ),
  result(
    'structured keys',
    () =>
      `{"resultType":"complete","content":[],"structuredContent":{"rows":${objects(49, 1999, (index) => `password${index}`)}}}`,
  ),
  result(
    'one structured text under a schema',
    (room) =>
      `{"resultType":"complete","content":[],"structuredContent":{"code":"${filled('a1', room - 200)}"}}`,
    'typed',
  ),
  result(
    'a picture',
    (room) =>
      `{"resultType":"complete","content":[{"type":"image","mimeType":"image/png","data":"${filled('iVBORw0KGgoA', room - 200)}"}]}`,
  ),
  result(
    'a text as a blob',
    (room) =>
      `{"resultType":"complete","content":[{"type":"resource","resource":{"uri":"file:///a","blob":"${filled('bG9yZW0gaXBzdW0g', room - 200)}"}}]}`,
  ),
  result(
    'links',
    () =>
      `{"resultType":"complete","content":${listOf(9900, (index) => `{"type":"resource_link","name":"n","uri":"file:///workspace/${index}/${'a/'.repeat(600)}"}`)}}`,
  ),
  {
    name: 'result: an error with a long text',
    method: 'tools/call',
    tool: 'free',
    params: () => ',"arguments":{"value":1}',
    answer: () => `"error":{"code":-32000,"message":"${filled('password=hunter22 ', answerRoom)}"}}`,
  },
  result('2,000 tools', () => `{"resultType":"complete","tools":${toolList(1990, 7600)}}`, '', 'tools/list'),
  result(
    '60 tools of 256 kB',
    () => `{"resultType":"complete","tools":${toolList(60, 250_000)}}`,
    '',
    'tools/list',
  ),
];

function toolList(count: number, size: number): string {
  // A body may have so many values: descriptions make up the size.
  const each = Math.floor((nodes / count - 8) / 4);
  const description = filled('a word ', Math.floor(size / each) - 50);
  const properties = Array.from(
    { length: each },
    (_, index) => `"p${index}":{"type":"string","description":"${description}"}`,
  );
  return listOf(
    count,
    (index) =>
      `{"name":"tool_${index}","description":"d","inputSchema":{"type":"object","properties":{${properties.join(',')}}}}`,
  );
}
