/**
 * `node bench/signatures.ts [HONEST...]`: how often each signature notices honest calls, file by file, and attacks.
 *
 * With `--write` the rates of this project's own two corpora go into `src/signatures/measured.ts`; with `--table` the
 * rows of docs/signatures.md are printed.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { scanArguments } from '../src/signatures/scan.ts';
import { signatures } from '../src/signatures/signatures.ts';
import type { JsonObject, JsonValue } from '../src/values/json.ts';
import { classRole } from './content/classes.ts';
import { wilson } from './content/interval.ts';
import { readSamples } from './content/sample.ts';

const own = ['bench/corpora/honest.jsonl', 'bench/corpora/honest-held-out.jsonl'];
const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean' }, table: { type: 'boolean' } },
  allowPositionals: true,
});
const files = positionals.length > 0 && values.write !== true ? positionals : own;
const all = [...signatures.values()];

const honest = await Promise.all(files.map(async (file) => (await read(file)).map(({ args }) => args)));
const attacks = [
  ...(await read('bench/corpora/attacks.jsonl')),
  ...(await read('bench/corpora/attacks-held-out.jsonl')),
];

const hits = honest.map((calls) => {
  const counts = new Map(all.map(({ name }) => [name, 0]));
  for (const args of calls) {
    for (const { signature } of scanArguments(args, all)) {
      counts.set(signature.name, counts.get(signature.name)! + 1);
    }
  }
  return counts;
});

for (const { name, class: of, enabled } of all) {
  const same = attacks.filter((attack) => attack.of === of);
  const seen = same.filter(({ args }) => scanArguments(args, [signatures.get(name)!]).length > 0).length;
  const found = honest.map((calls, index) => ({ count: hits[index]!.get(name)!, calls: calls.length }));
  const share = `${((100 * seen) / same.length).toFixed(1)} %`;
  if (values.table === true) {
    const cells = found.map(({ count, calls }) => `${count} of ${calls} (${interval(count, calls)})`);
    console.log(`| \`${name}\` | ${enabled ? 'on' : 'off'} | ${cells.join(' | ')} | ${share} |`);
  } else {
    const cells = found.map(({ count, calls }) => `${count} of ${calls}`.padStart(12)).join(' ');
    console.log(
      `${name.padEnd(26)} ${enabled ? 'on ' : 'off'} honest ${cells}  attacks of its class ${share}`,
    );
  }
}
const on = all.filter(({ enabled }) => enabled);
for (const [index, calls] of honest.entries()) {
  const any = calls.filter((args) => scanArguments(args, on).length > 0).length;
  console.log(`\nAny that is on: ${any} of ${calls.length} honest calls in ${files[index]}`);
}
for (const of of new Set(attacks.map((attack) => attack.of))) {
  const same = attacks.filter((attack) => attack.of === of);
  const seen = same.filter(({ args }) => scanArguments(args, on).length > 0).length;
  console.log(`Any that is on: ${((100 * seen) / same.length).toFixed(1)} % of attacks of class ${of}`);
}
if (values.write === true) write();

async function read(file: string): Promise<readonly { readonly args: JsonObject; readonly of: string }[]> {
  const found: { args: JsonObject; of: string }[] = [];
  for await (const sample of readSamples(file)) {
    if ('unusable' in sample) throw new Error(`${sample.file}:${sample.line}: ${sample.unusable}`);
    const value: JsonValue = sample.kind === 'call' ? sample.arguments : { payload: sample.value };
    found.push({ args: value, of: signatureClass(sample.class) });
  }
  return found;
}

/** The class of signatures that a class of attacks belongs to. */
function signatureClass(name: string): string {
  const role = classRole(name);
  if (role === 'path') return 'traversal';
  if (role === 'url') return 'ssrf';
  return role === 'sql' || role === 'shell' ? role : name;
}

function interval(count: number, calls: number): string {
  const [low, high] = wilson(count, calls);
  return `${(100 * low).toFixed(2)}–${(100 * high).toFixed(2)} %`;
}

function write(): void {
  const cell = (name: string, index: number): string =>
    `{ hits: ${hits[index]!.get(name)}, calls: ${honest[index]!.length} }`;
  const rows = all.map(({ name }) => `  ['${name}', [${cell(name, 0)}, ${cell(name, 1)}]],`);
  writeFileSync(
    new URL('../src/signatures/measured.ts', import.meta.url),
    `/** How often a signature noticed honest calls. */
export interface Measured {
  readonly hits: number;
  readonly calls: number;
}

/**
 * By name, on the honest corpus and on the held-out one. Written by \`node bench/signatures.ts --write\`; a test measures
 * again and compares.
 */
export const measured: ReadonlyMap<string, readonly [honest: Measured, heldOut: Measured]> = new Map([
${rows.join('\n')}
]);
`,
  );
}
