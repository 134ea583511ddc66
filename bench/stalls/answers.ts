/** Answers made to keep one thread busy: each as large as the defaults let it be. */
import {
  answerRoom,
  filled,
  listOf,
  nodes,
  objects,
  result,
  type StallInput,
  textResult,
  values,
} from './shapes.ts';

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
    'structured keys that become one',
    () =>
      `{"resultType":"complete","content":[],"structuredContent":{"rows":${objects(20, 1999, (index) => '\u200b'.repeat(index % 100) + '\u2060'.repeat(Math.floor(index / 100)))}}}`,
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
