/** Inputs made to keep one thread busy: each as large as the defaults let it be. */

import {
  call,
  filled,
  listOf,
  nested,
  nodes,
  objects,
  requestRoom,
  type StallInput,
  values,
} from './shapes.ts';

export { answerInputs } from './answers.ts';
export type { StallInput } from './shapes.ts';

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
  call(
    'invisible characters to be taken out',
    'stripped',
    (room) => `{"text":"${filled('\u200b', Math.floor(room / 3) - 100)}"}`,
  ),
  call(
    'emoji that hold together, to be left in',
    'stripped',
    (room) => `{"text":"${filled('\u{1f469}\u200d', Math.floor((room * 2) / 7) - 100)}"}`,
  ),
  call(
    'terminal sequences to be taken out',
    'stripped',
    (room) => `{"text":"${filled('\\u001b[m', room - 100)}"}`,
  ),
  call(
    'letters to be composed',
    'composed',
    (room) => `{"text":"${filled('e\u0301', Math.floor((room * 2) / 3) - 100)}"}`,
  ),
  call(
    'syllables to be composed',
    'composed',
    (room) => `{"text":"${filled('\u1112\u1161\u11ab', Math.floor(room / 3) - 100)}"}`,
  ),
  call('a path to be shortened', 'spelt', (room) => `{"path":"${filled('a/../', room - 100)}"}`),
  call(
    'a list of paths',
    'lists',
    () => `{"paths":${listOf(9990, (index) => `"/workspace/%2561/${index}"`)}}`,
  ),
  call(
    'a list of queries',
    'lists',
    () => `{"queries":${listOf(9990, (index) => `"select a from orders where b = ${index}"`)}}`,
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
