import { describe, expect, test } from 'vitest';
import { parseSpiffeId } from '../../src/identity/spiffe.ts';

describe('what is a SPIFFE ID', () => {
  test.each([
    ['spiffe://acme.example/ns/data/sa/etl', 'acme.example', '/ns/data/sa/etl'],
    ['spiffe://acme.example', 'acme.example', ''],
    ['spiffe://a_b-c.1/A_b-c.1', 'a_b-c.1', '/A_b-c.1'],
    ['spiffe://acme.example/...', 'acme.example', '/...'],
    [`spiffe://a/${'b'.repeat(2037)}`, 'a', `/${'b'.repeat(2037)}`],
  ])('%s', (id, trustDomain, path) => {
    expect(parseSpiffeId(id)).toEqual({ id, trustDomain, path });
  });
});

describe('what only looks like one', () => {
  test.each([
    '',
    'spiffe:',
    'spiffe://',
    'spiffe:///path',
    'spiffe:/acme.example/a',
    'SPIFFE://acme.example/a',
    'Spiffe://acme.example/a',
    ' spiffe://acme.example/a',
    'spiffe://acme.example/a ',
    'spiffe://Acme.example/a',
    'spiffe://acme.example:443/a',
    'spiffe://user@acme.example/a',
    'spiffe://user:pw@acme.example/a',
    'spiffe://acme.example/a?b',
    'spiffe://acme.example/a#b',
    'spiffe://acme.example?b',
    'spiffe://acme.example#b',
    'spiffe://acme.example/',
    'spiffe://acme.example/a/',
    'spiffe://acme.example//a',
    'spiffe://acme.example/a//b',
    'spiffe://acme.example/.',
    'spiffe://acme.example/..',
    'spiffe://acme.example/a/./b',
    'spiffe://acme.example/a/../b',
    'spiffe://acme.example/%61',
    'spiffe://acme%2eexample/a',
    'spiffe://acme.example/a%2Fb',
    'spiffe://acme.example/a\\b',
    'spiffe://acme.example\\a',
    'spiffe://acme.example/a;b',
    'spiffe://acme.example/a,b',
    'spiffe://acme.example/a+b',
    'spiffe://acme.example/a\0',
    'spiffe://acme.example/a\n',
    'spiffe://acme.example\n/a',
    'spiffe://acme.example/é',
    'spiffe://аcme.example/a',
    'spiffe://[::1]/a',
    `spiffe://${'a'.repeat(256)}/b`,
    `spiffe://a/${'b'.repeat(2038)}`,
    'https://acme.example/a',
  ])('%j', (id) => {
    expect(parseSpiffeId(id)).toBeUndefined();
  });
});
