import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/document/problems.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { runDecisionTable } from '../../src/policy/decision-table.ts';
import { limitsFor } from '../../src/policy/limits.ts';

const folder = fileURLToPath(new URL('../../policies/', import.meta.url));
const yaml = (path: string) =>
  readdirSync(path)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ file: name, text: readFileSync(join(path, name), 'utf8') }));

const compiled = compilePolicy(yaml(folder));

describe('the default policies', () => {
  it('compile without a warning', () => {
    expect(compiled.ok ? compiled.warnings : compiled.problems.map(formatProblem)).toEqual([]);
  });

  const tables = yaml(join(folder, 'tests'));
  it('have decision tables', () => expect(tables.length).toBeGreaterThan(0));

  for (const table of tables) {
    it(`decide as tests/${table.file} says`, () => {
      if (!compiled.ok) throw new Error('see the test above');
      const result = runDecisionTable(table, compiled.policy);
      if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
      expect(result.failures.map(formatProblem)).toEqual([]);
      expect(result.passed).toBeGreaterThan(15);
    });
  }

  it('limit the echo of viewers, and of nobody else', () => {
    if (!compiled.ok) throw new Error('see the test above');
    const { policy } = compiled;
    const limits = (name: string) =>
      limitsFor(policy, {
        upstream: 'everything',
        kind: 'tool',
        name: 'echo',
        method: 'tools/call',
        time: 0,
        subject: {
          id: name,
          credentials: [
            {
              kind: 'certificate',
              uris: [`spiffe://sallyport.local/${name}`],
              dns: [],
              commonName: undefined,
              fingerprint256: '',
            },
          ],
        },
      }).map((limit) => limit.name);
    expect(limits('carol')).toEqual(['viewer-echo', 'calls']);
    expect(limits('alice')).toEqual(['calls']);
    expect(policy.limits[0]).toMatchObject({
      rate: { count: 5, periodMs: 60_000, burst: 5 },
      mode: 'enforce',
    });
  });
});
