/**
 * Whether the time of an answer tells a hidden target from an invented one.
 *
 *   node bench/disclosure.ts [--rounds 20000]
 *
 * Asks the filters about both in random order, round by round, in one process, and compares the two sets of times: the
 * difference of the medians, and Cliff's delta, which is 0 where neither is ever slower and 1 where one always is. A
 * second pair, the invented name against itself, tells how large both are by chance on this machine.
 */
import { parseArgs } from 'node:util';
import { decodeFrame, defaultDecodeLimits } from '../src/mcp/decode.ts';
import type { Frame } from '../src/mcp/frame.ts';
import { compilePolicy } from '../src/policy/compile.ts';
import { decide } from '../src/policy/decide.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20000' } } });
const rounds = Number(values.rounds);

const rules = Array.from({ length: 1_000 }, (_, index) => `{ tools: [tool_${index}, "set_${index}_*"] }`);
const compiled = compilePolicy([
  {
    file: 'bench.yaml',
    text: `
version: 1
roles:
  caller: { allow: [${rules.join(', ')}], deny: [{ tools: [denied] }] }
  other: { allow: [{ tools: [theirs] }] }
bindings: [{ roles: caller, to: { any: true } }]
acl: [{ tool: guarded, allow: [{ roles: other }] }]
`,
  },
]);
if (!compiled.ok) throw new Error('the policy of this benchmark does not compile');
const { policy } = compiled;
const subject = { id: 'caller', credentials: [{ kind: 'apiKey' as const, name: 'caller' }] };

function bytesFor(name: string): Buffer {
  return Buffer.from(
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } }),
  );
}

/** From the bytes of a call to its decision, microseconds. */
function timeOf(bytes: Buffer): number {
  const began = process.hrtime.bigint();
  const decoded = decodeFrame(bytes, defaultDecodeLimits, 'toUpstream');
  if (!decoded.ok) throw new Error(decoded.failure.detail);
  const decision = decide(
    {
      subject,
      action: 'call',
      resource: { upstream: 'warehouse', kind: 'tool', name: nameIn(decoded.value) },
      context: { arguments: {}, address: '127.0.0.1', time: 0 },
    },
    policy,
  );
  const took = Number(process.hrtime.bigint() - began) / 1_000;
  if (decision.effect !== 'deny' || decision.visible) throw new Error('that is not hidden');
  return took;
}

function nameIn(frame: Frame): string {
  if (frame.kind !== 'request') throw new Error('not a request');
  return String(frame.params?.name);
}

function compare(first: string, second: string): { readonly shift: number; readonly delta: number } {
  const times: readonly [number[], number[]] = [[], []];
  const bytes = [bytesFor(first), bytesFor(second)] as const;
  for (let round = 0; round < rounds + 2_000; round += 1) {
    const order = Math.random() < 0.5 ? ([0, 1] as const) : ([1, 0] as const);
    for (const which of order) {
      const took = timeOf(bytes[which]);
      // The first rounds are those of a compiler that is still at work.
      if (round >= 2_000) times[which].push(took);
    }
  }
  const [a, b] = times.map((list) => list.sort((x, y) => x - y)) as unknown as readonly [number[], number[]];
  return { shift: median(a) - median(b), delta: cliff(a, b) };
}

function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** How much likelier it is that a time of the first list is the longer one than the shorter one; both are sorted. */
function cliff(first: readonly number[], second: readonly number[]): number {
  let below = 0;
  let notAbove = 0;
  let balance = 0;
  for (const one of first) {
    while (below < second.length && second[below]! < one) below += 1;
    while (notAbove < second.length && second[notAbove]! <= one) notAbove += 1;
    balance += below - (second.length - notAbove);
  }
  return balance / (first.length * second.length);
}

const pairs: readonly (readonly [string, string, string])[] = [
  ['an invented name, twice', 'zzzzzz', 'yyyyyy'],
  ["another caller's tool", 'theirs', 'zzzzzz'],
  ['a tool that is denied', 'denied', 'zzzzzz'],
  ['a protected tool', 'guarded', 'zzzzzzz'],
];
process.stdout.write(`${rounds} rounds each, against an invented name of the same length\n\n`);
process.stdout.write('| hidden target | median later by | Cliff’s delta |\n|---|---|---|\n');
for (const [what, first, second] of pairs) {
  const { shift, delta } = compare(first, second);
  process.stdout.write(`| ${what} | ${shift.toFixed(3)} µs | ${delta.toFixed(3)} |\n`);
}
