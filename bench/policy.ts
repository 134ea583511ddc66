import type { AccessRequest } from '../src/policy/access-request.ts';
import { compilePolicy } from '../src/policy/compile.ts';
import { decide } from '../src/policy/decide.ts';
import { callerCredential, hits, widePolicy } from '../test/policy/support/wide-policy.ts';

/** Prints the cost of a decision by the number of rules. `node bench/policy.ts` */

const rounds = 7;
const decisions = 60_000;

console.log(
  'rules     compile      ns per decision, median of 7 (exact, prefix, arguments, URI glob, glob, none)',
);
for (const rules of [10, 100, 1_000, 10_000]) {
  const text = widePolicy(rules);
  const before = performance.now();
  const compiled = compilePolicy([{ file: 'bench.yaml', text }]);
  const compileMs = performance.now() - before;
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  const { policy } = compiled;
  const subject = { id: 'caller', credentials: [callerCredential] };
  const costs = hits.map(({ kind, name, action }) => {
    const request: AccessRequest = {
      subject,
      action,
      resource: { upstream: 'warehouse', kind, name },
      context: { arguments: { limit: 5, mode: 'a' }, address: '127.0.0.1', time: 0 },
    };
    const times: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const start = performance.now();
      for (let i = 0; i < decisions; i++) decide(request, policy);
      // The first round warms the compiler up.
      if (round > 0) times.push(((performance.now() - start) * 1e6) / decisions);
    }
    return times.sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
  });
  const columns = costs.map((ns) => ns.toFixed(0).padStart(6)).join('');
  console.log(`${String(rules).padEnd(9)} ${compileMs.toFixed(0).padStart(5)} ms  ${columns}`);
}
