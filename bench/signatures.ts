/**
 * `node bench/signatures.ts [HONEST [ATTACKS]]`: how often each signature notices honest calls, and attacks.
 *
 * With `--write` it writes the rates of honest calls into `src/signatures/measured.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { scanArguments } from '../src/signatures/scan.ts';
import { signatures } from '../src/signatures/signatures.ts';
import type { JsonObject } from '../src/values/json.ts';

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean' } },
  allowPositionals: true,
});
const [honestFile = 'bench/corpora/honest.jsonl', attackFile = 'bench/corpora/attacks.jsonl'] = positionals;

const all = [...signatures.values()];
const honest = read(honestFile).map(({ arguments: args }) => (args ?? {}) as JsonObject);
const attacks = read(attackFile);
const classOf: Readonly<Record<string, string>> = { path: 'traversal' };

const hits = new Map(all.map(({ name }) => [name, 0]));
for (const args of honest) {
  for (const { signature } of scanArguments(args, all))
    hits.set(signature.name, hits.get(signature.name)! + 1);
}
for (const { name, class: of, enabled } of all) {
  const own = attacks.filter((attack) => (classOf[attack.class!] ?? attack.class) === of);
  const seen = own.filter(
    ({ payload }) => scanArguments({ payload: payload! }, [signatures.get(name)!]).length > 0,
  );
  const rate = (100 * hits.get(name)!) / honest.length;
  console.log(
    `${name.padEnd(26)} ${enabled ? 'on ' : 'off'} honest ${String(hits.get(name)).padStart(5)} (${rate.toFixed(2)} %)` +
      `  attacks of its class ${((100 * seen.length) / own.length).toFixed(1)} %`,
  );
}
const on = all.filter(({ enabled }) => enabled);
const any = honest.filter((args) => scanArguments(args, on).length > 0).length;
console.log(`\nAny that is on: ${any} of ${honest.length} honest calls`);
for (const kind of new Set(attacks.map((attack) => attack.class))) {
  const own = attacks.filter((attack) => attack.class === kind);
  const seen = own.filter(({ payload }) => scanArguments({ payload: payload! }, on).length > 0).length;
  console.log(`Any that is on: ${((100 * seen) / own.length).toFixed(1)} % of attacks of class ${kind}`);
}

if (values.write === true) {
  const file = new URL('../src/signatures/measured.ts', import.meta.url);
  const rows = [...hits].map(
    ([name, count]) => `  ['${name}', { hits: ${count}, calls: ${honest.length} }],`,
  );
  const text = readFileSync(file, 'utf8').replace(
    /new Map\(\[[\s\S]*\]\);/,
    `new Map([\n${rows.join('\n')}\n]);`,
  );
  writeFileSync(file, text);
}

function read(file: string): { class?: string; arguments?: object; payload?: string }[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { class?: string; arguments?: object; payload?: string });
}
