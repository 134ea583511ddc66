import { describe, expect, test } from 'vitest';
import { durationBuckets, metricDefinitions } from '../../src/observe/metric-definitions.ts';
import { Family } from '../../src/observe/metric-family.ts';
import { boundedNames } from '../../src/observe/metric-names.ts';
import { createMetrics, type MetricsDependencies } from '../../src/observe/metrics.ts';
import { createPrimaryMetrics } from '../../src/observe/primary-metrics.ts';
import { createRedactor } from '../../src/observe/redact.ts';
import { storeDefinitions } from '../../src/observe/store-metrics.ts';
import { upstreamDefinitions } from '../../src/observe/upstream-metric-definitions.ts';
import { secrets } from '../redaction/samples.ts';
import { allowed, exchangeOf, outcomeOf } from './outcomes.ts';

const stats = { written: 7, failures: 1, lost: 2, torn: 1, pendingRecords: 3, pendingBytes: 400 };

function metrics(deps: Partial<MetricsDependencies> = {}) {
  return createMetrics({
    upstreams: ['warehouse'],
    version: '0.1.0',
    process: false,
    audit: { accepting: () => true, stats },
    lists: () => [{ role: 'list 0', expiresAt: 1_700_500_000_000 }],
    certificates: () => [{ role: 'listener 0', expiresAt: 1_800_000_000_000 }],
    limitKeys: () => 0,
    overload: { level: 1.5, delayMs: 20, waitMs: 300, waiting: 7, underWay: 9 },
    activeExchanges: () => 4,
    blocks: () => ({ now: 2, ever: 5, forgotten: 1 }),
    revocations: () => ({ tokens: 2, certificates: 1 }),
    further: Object.values({ ...upstreamDefinitions, ...storeDefinitions }).map((definition) => ({
      definition,
      samples: () => [],
    })),
    ...deps,
  });
}

const tool = (name: string) => ({ target: { kind: 'tool' as const, name } });

/** Value of a series; undefined where it is not exported. */
function read(text: string, series: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test('a name that a server made of a secret becomes no label', async () => {
  const subject = metrics({
    redactor: createRedactor(),
    names: { ...boundedNames, target: (_exchange, _kind, name) => name },
  });
  const token = secrets['github']!;
  subject.record(outcomeOf({ exchange: exchangeOf({ facts: tool(token) }) }));
  subject.record(outcomeOf({ exchange: exchangeOf({ facts: tool('query') }) }));
  const text = await subject.scrape();
  const series = (name: string) =>
    `sallyport_target_exchanges_total{upstream="warehouse",kind="tool",name="${name}",code="ok"}`;
  expect(read(text, series('_other'))).toBe(1);
  expect(read(text, series('query'))).toBe(1);
  expect(text).not.toContain(token);
});

describe('a scrape', () => {
  test('counts exchanges by upstream, method and code', async () => {
    const subject = metrics();
    for (let i = 0; i < 3; i += 1) subject.record(outcomeOf());
    subject.record(outcomeOf({ code: 'denied' }));
    const text = await subject.scrape();
    const series = (code: string) =>
      `sallyport_exchanges_total{upstream="warehouse",method="tools/call",code="${code}"}`;
    expect(read(text, series('ok'))).toBe(3);
    expect(read(text, series('denied'))).toBe(1);
    expect(read(text, 'sallyport_request_bytes_total{upstream="warehouse"}')).toBe(480);
  });

  test('tells how much there is to do', async () => {
    const text = await metrics().scrape();
    expect(read(text, 'sallyport_overload_level')).toBe(1.5);
    expect(read(text, 'sallyport_event_loop_delay_seconds')).toBe(0.02);
    expect(read(text, 'sallyport_admission_wait_seconds')).toBe(0.3);
    expect(read(text, 'sallyport_admission_line')).toBe(7);
    expect(read(text, 'sallyport_requests_in_flight')).toBe(9);
  });

  test('puts durations into cumulative buckets', async () => {
    const subject = metrics();
    for (const durationMs of [5, 10, 15, 999_999]) subject.record(outcomeOf({ durationMs }));
    const text = await subject.scrape();
    const bucket = (le: string) =>
      `sallyport_exchange_duration_seconds_bucket{le="${le}",upstream="warehouse",method="tools/call"}`;
    expect(read(text, bucket('0.01'))).toBe(2);
    expect(read(text, bucket('0.02'))).toBe(3);
    expect(read(text, bucket('300'))).toBe(3);
    expect(read(text, bucket('+Inf'))).toBe(4);
    const labels = '{upstream="warehouse",method="tools/call"}';
    expect(read(text, `sallyport_exchange_duration_seconds_count${labels}`)).toBe(4);
    expect(read(text, `sallyport_exchange_duration_seconds_sum${labels}`)).toBeCloseTo(1000.029);
  });

  test('names denials, what shadow rules would have done, limits, dropped frames and questions', async () => {
    const subject = metrics();
    const denied = allowed({
      effect: 'deny',
      reasons: [{ code: 'no-rule', rule: undefined, location: undefined }],
      shadow: { effect: 'allow', reason: { code: 'allowed', rule: 'r', location: 'l' } },
    });
    subject.record(
      outcomeOf({
        code: 'denied',
        exchange: exchangeOf({ facts: { decision: denied, dropped: new Map([['json-invalid', 2]]) } }),
      }),
    );
    subject.record(
      outcomeOf({
        code: 'concurrency-limited',
        exchange: exchangeOf({
          limits: ['queries'],
          facts: { limits: ['daily', 'queries'], limitedBy: 'queries' },
        }),
      }),
    );
    for (const limitedBy of ['queries', 'no limit of the policy']) {
      const exchange = exchangeOf({ limits: ['daily', 'queries'], facts: { limitedBy } });
      subject.record(outcomeOf({ code: 'rate-limited', exchange }));
    }
    subject.record(
      outcomeOf({
        event: 'question',
        question: { method: 'sampling/createMessage', rule: undefined },
        code: 'denied',
      }),
    );
    subject.limitEvent({ kind: 'shadow-limit', limit: 'queries', upstream: 'warehouse' });
    const text = await subject.scrape();
    expect(read(text, 'sallyport_denials_total{upstream="warehouse",reason="no-rule"}')).toBe(1);
    expect(
      read(text, 'sallyport_shadow_decisions_total{upstream="warehouse",effect="allow",reason="allowed"}'),
    ).toBe(1);
    expect(read(text, 'sallyport_dropped_frames_total{upstream="warehouse",reason="json-invalid"}')).toBe(2);
    expect(read(text, 'sallyport_limited_total{upstream="warehouse",limit="queries"}')).toBe(2);
    expect(read(text, 'sallyport_limited_total{upstream="warehouse",limit="_other"}')).toBe(1);
    expect(read(text, 'sallyport_shadow_limited_total{upstream="warehouse",limit="queries"}')).toBe(1);
    expect(
      read(
        text,
        'sallyport_questions_total{upstream="warehouse",method="sampling/createMessage",code="denied"}',
      ),
    ).toBe(1);
  });

  test('counts what rules in shadow mode would have refused, rule by rule', async () => {
    const subject = metrics();
    const deny = { code: 'denied-by-rule', rule: 'tried', location: 'l' } as const;
    const decision = allowed({ shadow: { effect: 'deny', reason: deny } });
    const finding = { check: 'arguments', rule: 'paths', path: 'p', detail: 'd' } as const;
    const findings = [
      { ...finding, effect: 'would-refuse' },
      { ...finding, rule: undefined, effect: 'would-refuse' },
      { ...finding, effect: 'refused' },
    ] as const;
    const exchange = exchangeOf({ facts: { decision, findings: [...findings] } });
    for (let i = 0; i < 3; i += 1) subject.record(outcomeOf({ exchange }));
    subject.record(
      outcomeOf({
        exchange: exchangeOf({
          facts: { decision: allowed({ shadow: { effect: 'allow', reason: { ...deny, rule: 'wide' } } }) },
        }),
      }),
    );
    subject.limitEvent({ kind: 'shadow-limit', limit: 'queries', upstream: 'warehouse' });
    subject.limitEvent({ kind: 'limit-store-full', limit: 'daily', upstream: 'warehouse' });
    const lines = (await subject.scrape())
      .split('\n')
      .filter((line) => line.startsWith('sallyport_would_deny_total{'));
    expect(lines.sort()).toEqual([
      'sallyport_would_deny_total{upstream="warehouse",rule="_other"} 3',
      'sallyport_would_deny_total{upstream="warehouse",rule="limits.queries"} 1',
      'sallyport_would_deny_total{upstream="warehouse",rule="paths"} 3',
      'sallyport_would_deny_total{upstream="warehouse",rule="tried"} 3',
    ]);
  });

  test('counts what checks of content found, one by one where one stands for many', async () => {
    const metrics = createMetrics({ upstreams: ['warehouse'], version: '0.0.0', process: false });
    const finding = { check: 'results', rule: 'r', path: 'content', detail: 'secrets' } as const;
    const facts = {
      findings: [
        { ...finding, effect: 'redacted', count: 3 } as const,
        { ...finding, effect: 'refused' } as const,
      ],
      moreFindings: 4,
    };
    metrics.record(outcomeOf({ exchange: exchangeOf({ facts }) }));
    const text = await metrics.scrape();
    const name = 'sallyport_findings_total';
    expect(read(text, `${name}{check="results",effect="redacted",upstream="warehouse"}`)).toBe(3);
    expect(read(text, `${name}{check="results",effect="refused",upstream="warehouse"}`)).toBe(1);
    expect(read(text, `${name}{check="_other",effect="_other",upstream="warehouse"}`)).toBe(4);
  });

  test('counts refusals before anyone is known apart from exchanges', async () => {
    const subject = metrics();
    subject.record(
      outcomeOf({
        event: 'refusal',
        exchange: undefined,
        principal: undefined,
        upstream: undefined,
        code: 'credential-missing',
      }),
    );
    const text = await subject.scrape();
    expect(read(text, 'sallyport_refusals_total{upstream="_other",code="credential-missing"}')).toBe(1);
    expect(text).not.toMatch(/^sallyport_exchanges_total\{/m);
  });

  test('shows streams that are open', async () => {
    const subject = metrics();
    const open = exchangeOf({ kind: 'stream-open' });
    subject.record(outcomeOf({ event: 'stream-opened', exchange: open }));
    subject.record(outcomeOf({ event: 'stream-opened', exchange: open }));
    subject.record(outcomeOf({ event: 'stream-ended', exchange: open, durationMs: 3_600_000 }));
    const text = await subject.scrape();
    expect(read(text, 'sallyport_streams_active{upstream="warehouse"}')).toBe(1);
    expect(read(text, 'sallyport_exchanges_total{upstream="warehouse",method="stream-open",code="ok"}')).toBe(
      1,
    );
    expect(text).not.toMatch(/^sallyport_exchange_duration_seconds_count\{/m);
  });

  test('shows audit, reloads and certificates', async () => {
    const subject = metrics();
    subject.reloaded('success', 1_700_000_000_000);
    subject.reloaded('failure', 1_700_000_100_000);
    const text = await subject.scrape();
    expect(read(text, 'sallyport_audit_records_total')).toBe(7);
    expect(read(text, 'sallyport_audit_lost_total')).toBe(2);
    expect(read(text, 'sallyport_audit_accepting')).toBe(1);
    expect(read(text, 'sallyport_reloads_total{result="success"}')).toBe(1);
    expect(read(text, 'sallyport_reloads_total{result="failure"}')).toBe(1);
    expect(read(text, 'sallyport_reload_last_success_timestamp_seconds')).toBe(1_700_000_000);
    expect(read(text, 'sallyport_certificate_expiry_timestamp_seconds{certificate="listener 0"}')).toBe(
      1_800_000_000,
    );
    expect(read(text, 'sallyport_crl_next_update_timestamp_seconds{list="list 0"}')).toBe(1_700_500_000);
    expect(read(text, 'sallyport_exchanges_active')).toBe(4);
  });

  test('has exactly the documented metrics', async () => {
    const primary = createPrimaryMetrics(
      () => ({ configured: 2, serving: 2, restarts: 0, waitingConnections: 0, turnedAway: 0 }),
      {
        process: false,
      },
    );
    const snapshot = await metrics().snapshot();
    const text = await primary.scrape([{ worker: 1, pid: 1, snapshot }]);
    const exported = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    expect(exported.sort()).toEqual(metricDefinitions.map(({ name, type }) => `${name} ${type}`).sort());
  });

  test('counts the deny list by kind', async () => {
    const text = await metrics().scrape();
    expect(text).toContain('sallyport_revocations_entries{kind="tokens"} 2');
    expect(text).toContain('sallyport_revocations_entries{kind="certificates"} 1');
  });

  test('brings process metrics along', async () => {
    expect(await metrics({ process: true }).scrape()).toMatch(/^process_resident_memory_bytes \d+/m);
  });
});

describe('labels', () => {
  test.each(['tools/callx', '__proto__', 'constructor', 'a"b\nc', 'Tools/call'])(
    'of a method that the table does not know: %j becomes _other',
    async (method) => {
      const subject = metrics();
      subject.record(outcomeOf({ exchange: exchangeOf({ method }) }));
      const text = await subject.scrape();
      expect(read(text, 'sallyport_exchanges_total{upstream="warehouse",method="_other",code="ok"}')).toBe(1);
      expect(text).not.toContain(`method="${method}"`);
    },
  );

  test('of tools are those that policy or the upstream knows; all others share one', async () => {
    const subject = metrics();
    const known = { knownTools: ['query'], catalogTools: ['export'] };
    for (const name of ['query', 'export', 'made-up-1', 'made-up-2', '__proto__', 'toString']) {
      subject.record(outcomeOf({ exchange: exchangeOf({ ...known, facts: tool(name) }) }));
    }
    const text = await subject.scrape();
    const series = (name: string) =>
      `sallyport_target_exchanges_total{upstream="warehouse",kind="tool",name="${name}",code="ok"}`;
    expect(read(text, series('query'))).toBe(1);
    expect(read(text, series('export'))).toBe(1);
    expect(read(text, series('_other'))).toBe(4);
  });

  test('of a name that nobody knows do not grow with what clients send', async () => {
    const subject = metrics();
    for (let i = 0; i < 500; i += 1) {
      subject.record(
        outcomeOf({ exchange: exchangeOf({ method: `m${i}`, facts: tool(`t${i}`) }), upstream: `u${i}` }),
      );
    }
    const lines = (await subject.scrape())
      .split('\n')
      .filter((line) => line.startsWith('sallyport_exchanges_total{'));
    expect(lines).toHaveLength(1);
  });

  test('have a greatest number even where an upstream lists names without end', async () => {
    const subject = metrics();
    for (let i = 0; i < 3000; i += 1) {
      subject.record(outcomeOf({ exchange: exchangeOf({ catalogTools: [`t${i}`], facts: tool(`t${i}`) }) }));
    }
    const text = await subject.scrape();
    const lines = text.split('\n').filter((line) => line.startsWith('sallyport_target_exchanges_total{'));
    expect(lines).toHaveLength(2001);
    expect(
      read(
        text,
        'sallyport_target_exchanges_total{upstream="_other",kind="_other",name="_other",code="_other"}',
      ),
    ).toBe(1000);
    expect(read(text, 'sallyport_metric_overflows_total{metric="sallyport_target_exchanges_total"}')).toBe(
      1000,
    );
  });

  test('of codes are those of the table', async () => {
    const subject = metrics();
    subject.record(outcomeOf({ code: 'made-up' as never }));
    const series = 'sallyport_exchanges_total{upstream="warehouse",method="tools/call",code="_other"}';
    expect(read(await subject.scrape(), series)).toBe(1);
  });
});

test('the buckets are those that OpenTelemetry advises for MCP', () => {
  expect(durationBuckets).toEqual([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]);
});

test('a family keeps values apart that only together look alike', () => {
  const family = new Family({ name: 'n', type: 'counter', help: 'h', labels: ['a', 'b'] }, () => ({
    value: 0,
  }));
  family.cell('x', 'yz').value += 1;
  family.cell('xy', 'z').value += 2;
  expect(family.entries.map(({ labels, cell }) => [labels, cell.value])).toEqual([
    [{ a: 'x', b: 'yz' }, 1],
    [{ a: 'xy', b: 'z' }, 2],
  ]);
});
