import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { auditFields } from '../../src/observe/audit-fields.ts';
import { createAuditLine } from '../../src/observe/audit-line.ts';
import { createRedactor } from '../../src/observe/redact.ts';
import type { Finding } from '../../src/pipeline/exchange.ts';
import { allowed, anyOutcome, exchangeOf, outcomeOf } from './outcomes.ts';

const lineOf = createAuditLine({
  run: 'run-1',
  maxRecordBytes: 16_384,
  withArguments: true,
  redactor: createRedactor(['held-secret-value']),
});

/** Dotted paths of all leaves; list entries as `[]`, names under `dropped` as `*`, everything under `arguments` as one. */
function pathsOf(value: unknown, path = ''): string[] {
  if (path === 'arguments' || typeof value !== 'object' || value === null) return [path];
  if (Array.isArray(value)) return value.flatMap((entry) => pathsOf(entry, `${path}[]`));
  return Object.entries(value).flatMap(([key, member]) =>
    pathsOf(member, path === '' ? key : path === 'dropped' ? 'dropped.*' : `${path}.${key}`),
  );
}

describe('an audit line', () => {
  test('says who did what, decided how, by which rule, and how it ended', () => {
    const exchange = exchangeOf({
      arguments: { sql: 'select 1', password: 'hunter2' },
      roles: ['analyst', 'auditor'],
      facts: {
        target: { kind: 'tool', name: 'query' },
        decision: allowed({
          obligations: { auditArguments: true },
          shadow: { effect: 'deny', reason: { code: 'denied-by-rule', rule: 'r', location: 'b.yaml:9' } },
        }),
        limits: ['queries'],
        dropped: new Map([['result-refused', 2]]),
      },
    });
    expect(JSON.parse(lineOf(outcomeOf({ exchange }), 41))).toEqual({
      schema: 'sallyport.audit/v1',
      time: '2026-11-21T08:30:15.007Z',
      run: 'run-1',
      sequence: 41,
      event: 'exchange',
      exchange: 'e1',
      who: {
        id: 'spiffe://acme.example/ns/data/sa/alice',
        credentials: [{ kind: 'certificate', fingerprint: 'ab'.repeat(32) }],
      },
      from: { address: '192.0.2.7', tls: 'TLSv1.3' },
      upstream: 'warehouse',
      verb: 'POST',
      era: 'legacy',
      revision: '2025-11-25',
      method: 'tools/call',
      target: { kind: 'tool', name: 'query' },
      decision: {
        effect: 'allow',
        reason: 'allowed',
        rule: 'roles.analyst.allow[0]',
        location: 'policies/a.yaml:4',
      },
      roles: ['analyst', 'auditor'],
      policy: 'sha256:abc',
      shadow: { effect: 'deny', reason: 'denied-by-rule', rule: 'r', location: 'b.yaml:9' },
      limits: ['queries'],
      bytes: { request: 120, reply: 340 },
      frames: 1,
      dropped: { 'result-refused': 2 },
      duration: { total: 12.346, upstream: 10 },
      status: 200,
      code: 'ok',
      trace: '0'.repeat(32),
      arguments: { sql: 'select 1', password: '[redacted]' },
    });
  });

  test('of any outcome is one line of printable ASCII JSON with the declared fields and no others', () => {
    const declared = new Set(auditFields.map(({ name }) => name));
    const required = auditFields.filter(({ always }) => always).map(({ name }) => name);
    fc.assert(
      fc.property(anyOutcome, fc.nat(), (outcome, sequence) => {
        const line = lineOf(outcome, sequence);
        expect(line).toMatch(/^[\x20-\x7e]+\n$/);
        expect(line.length).toBeLessThanOrEqual(16_384);
        const paths = new Set(pathsOf(JSON.parse(line)));
        for (const path of paths) expect(declared).toContain(path);
        for (const path of required) expect(paths).toContain(path);
      }),
      { numRuns: 400 },
    );
  });

  test('fits the smallest allowed record even where every text is long and needs escapes', () => {
    const long = '\u0000'.repeat(5000);
    const reason = { code: 'no-rule' as const, rule: long, location: long, condition: long };
    const exchange = exchangeOf({
      id: long,
      method: long,
      traceId: long,
      hash: long,
      arguments: { [long]: long },
      facts: {
        target: { kind: 'tool', name: long },
        decision: allowed({
          reasons: [reason],
          shadow: { effect: 'deny', reason },
          obligations: { auditArguments: true },
        }),
        limits: Array.from({ length: 100 }, () => long),
        dropped: new Map(Array.from({ length: 100 }, (_, i) => [`${long}${i}`, i])),
      },
    });
    const credentials = Array.from({ length: 20 }, () => ({
      kind: 'token',
      issuer: long,
      tokenId: long,
      clientId: long,
      bound: 'certificate',
    }));
    const line = lineOf(
      outcomeOf({
        exchange,
        principal: { id: long, credentials, expiresAt: undefined } as never,
        peer: { address: long, port: 1, tls: { version: long, certificate: undefined } },
        upstream: long,
        verb: long,
        question: { method: long, rule: long },
      }),
      1,
    );
    expect(line.length).toBeLessThanOrEqual(16_384);
    expect(JSON.parse(line).arguments).toBe('[truncated]');
  });

  const disguises: readonly [string, string][] = [
    ['line feed', '\n'],
    ['carriage return', '\r'],
    ['NUL', '\u0000'],
    ['escape', '\u001b'],
    ['delete', '\u007f'],
    ['C1 control', '\u0085'],
    ['line separator', '\u2028'],
    ['paragraph separator', '\u2029'],
    ['right-to-left override', '\u202e'],
    ['right-to-left isolate', '\u2067'],
    ['zero width space', '\u200b'],
    ['soft hyphen', '\u00ad'],
    ['byte order mark', '\ufeff'],
    ['tag letter', '\u{e0041}'],
    ['variation selector', '\ufe0f'],
    ['look-alike letter', '\u0430'],
    ['half a surrogate pair', '\ud800'],
    ['quote', '"'],
    ['backslash', '\\'],
  ];
  test.each(disguises)('never writes a raw %s that a client sent', (_name, character) => {
    const name = `a${character}b`;
    const exchange = exchangeOf({ method: name, facts: { target: { kind: 'tool', name } } });
    const line = lineOf(outcomeOf({ exchange }), 1);
    expect(line).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(line)).toMatchObject({ method: name, target: { name } });
  });

  test('has no arguments unless the decision asks for them', () => {
    const exchange = exchangeOf({ arguments: { sql: 'x' }, facts: { decision: allowed() } });
    expect(JSON.parse(lineOf(outcomeOf({ exchange }), 1))).not.toHaveProperty('arguments');
  });

  test('has no arguments at level bare, even where the decision asks for them', () => {
    const bare = createAuditLine({
      run: 'r',
      maxRecordBytes: 16_384,
      withArguments: false,
      redactor: createRedactor(),
    });
    const decision = allowed({ obligations: { auditArguments: true } });
    const exchange = exchangeOf({ arguments: { sql: 'x' }, facts: { decision } });
    expect(JSON.parse(bare(outcomeOf({ exchange }), 1))).not.toHaveProperty('arguments');
  });

  test('tells the class of a cause and nothing that the upstream said', () => {
    const system = Object.assign(new Error('connect to 10.0.0.1 with token abc'), { code: 'ECONNREFUSED' });
    const cause = new GatewayError('upstream-unreachable', { cause: system });
    const record = JSON.parse(lineOf(outcomeOf({ code: 'upstream-unreachable', cause }), 1));
    expect(record.cause).toBe('GatewayError(upstream-unreachable) < Error(ECONNREFUSED)');
  });

  test('redacts secrets that stand in the name of a target', () => {
    const name = 'postgres://reader:hunter2@db.internal/sales?token=held-secret-value';
    const exchange = exchangeOf({ facts: { target: { kind: 'resource', name } } });
    const line = lineOf(outcomeOf({ exchange }), 1);
    expect(line).not.toContain('hunter2');
    expect(line).not.toContain('held-secret-value');
    expect(line).toContain('db.internal/sales');
  });

  test('of a refusal before anyone is known has no principal and no exchange', () => {
    const record = JSON.parse(
      lineOf(
        outcomeOf({
          event: 'refusal',
          principal: undefined,
          exchange: undefined,
          upstream: undefined,
          code: 'credential-missing',
          status: 401,
        }),
        1,
      ),
    );
    expect(record).not.toHaveProperty('who');
    expect(record).not.toHaveProperty('exchange');
    expect(record).toMatchObject({ event: 'refusal', code: 'credential-missing', status: 401 });
  });

  const finding: Finding = {
    check: 'results',
    effect: 'redacted',
    rule: 'results[0]',
    path: 'content[0].text',
    detail: 'secrets',
    count: 2,
  };

  test("tells what checks of content found, and the server's own error, redacted", () => {
    const exchange = exchangeOf({
      facts: {
        findings: [finding, { ...finding, count: 1, before: 'sha256:a', after: 'sha256:b', rule: undefined }],
        moreFindings: 3,
        upstreamError: 'no table orders for held-secret-value {"password":"hunter2"}',
      },
    });
    const record = JSON.parse(lineOf(outcomeOf({ exchange }), 1));
    expect(record.findings).toEqual([
      finding,
      {
        check: 'results',
        effect: 'redacted',
        path: 'content[0].text',
        detail: 'secrets',
        before: 'sha256:a',
        after: 'sha256:b',
      },
    ]);
    expect(record.findingsMore).toBe(3);
    expect(record.upstreamError).toMatch(/^no table orders for \[redacted\] /);
    expect(record.upstreamError).not.toContain('hunter2');
    const question = outcomeOf({ exchange, event: 'question', question: { method: 'm', rule: undefined } });
    expect(JSON.parse(lineOf(question, 1))).not.toHaveProperty('findings');
  });

  test('counts the findings that do not fit', () => {
    const long = '\u0000'.repeat(5000);
    const facts = {
      findings: Array.from({ length: 32 }, () => ({
        ...finding,
        rule: long,
        path: long,
        before: long,
        after: long,
      })),
      moreFindings: 5,
      upstreamError: long,
      target: { kind: 'tool' as const, name: long },
    };
    const line = lineOf(outcomeOf({ exchange: exchangeOf({ facts, method: long, traceId: long }) }), 1);
    expect(line.length).toBeLessThanOrEqual(16_384);
    const record = JSON.parse(line);
    expect(record.findings.length + record.findingsMore).toBe(37);
  });

  describe('never shows a secret argument of the exchange, wherever it turns up', () => {
    const secret = 'pumpernickel-47/11 "x"';
    const spellings: Readonly<Record<string, string>> = {
      plain: secret,
      JSON: JSON.stringify({ a: secret }),
      base64: Buffer.from(`see ${secret} there`).toString('base64'),
      URL: encodeURIComponent(secret),
    };
    test.each(Object.entries(spellings))('%s', (_name, spelt) => {
      const exchange = exchangeOf({
        method: `m ${spelt}`,
        arguments: { ordinary: `a ${spelt} b`, [spelt]: [spelt], text: secret },
        facts: {
          secrets: [secret],
          decision: allowed({ obligations: { auditArguments: true } }),
          target: { kind: 'resource', name: `x:/${spelt}` },
          findings: [{ ...finding, path: `arguments.${spelt}`.slice(0, 256) }],
          upstreamError: `bad value ${spelt}`,
        },
      });
      const line = lineOf(outcomeOf({ exchange, cause: new Error(spelt) }), 1);
      for (const hidden of [
        secret,
        spelt,
        'pumpernickel',
        Buffer.from('pumpernickel').toString('base64').slice(2, 12),
      ]) {
        expect(line).not.toContain(hidden);
      }
    });

    test('more, or longer ones, than are looked for: nothing that may hold one is written', () => {
      const many = Array.from({ length: 65 }, (_, index) => `pumpernickel-${index}-end`);
      const long = `pumpernickel${'x'.repeat(17_000)}-tail`;
      for (const secrets of [many, [long]]) {
        const exchange = exchangeOf({
          arguments: { note: `a ${secrets.at(-1)} b` },
          facts: {
            secrets,
            decision: allowed({ obligations: { auditArguments: true } }),
            target: { kind: 'tool', name: secrets.at(-1)! },
            findings: [{ ...finding, path: `arguments.${secrets.at(-1)}`.slice(-200) }],
            upstreamError: `bad value ${secrets.at(-1)}`,
          },
        });
        const line = lineOf(outcomeOf({ exchange }), 1);
        expect(line).not.toMatch(/pumpernickel|-tail|-end/);
        const record = JSON.parse(line) as Record<string, unknown>;
        expect(record).toMatchObject({ arguments: '[redacted]', upstreamError: '[redacted]', code: 'ok' });
      }
    });

    test('also a short one, as a whole value', () => {
      const exchange = exchangeOf({
        arguments: { code: '917', n: 917, other: '9170' },
        facts: { secrets: ['917'], decision: allowed({ obligations: { auditArguments: true } }) },
      });
      expect(JSON.parse(lineOf(outcomeOf({ exchange }), 1)).arguments).toEqual({
        code: '[redacted]',
        n: '[redacted]',
        other: '9170',
      });
    });
  });
});
