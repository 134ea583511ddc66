/**
 * `npm run bench:detection -- FILE...`: how many attacks the roles let through.
 *
 * Each line of each file holds one payload. It is judged as the value of an argument that has the role of the line, or
 * of its class (content/roles-of.ts), through a compiled policy as in the gateway. Free text is never judged by its
 * content, so classes that only free text could hold are counted apart, as what the signatures noticed.
 */
import { parseArgs } from 'node:util';
import { PolicyJudge } from './content/judged.ts';
import { isFreeText, roleOf } from './content/roles-of.ts';
import { readSamples, type Sample } from './content/sample.ts';
import { noticedIn } from './content/signatures.ts';
import { Tally } from './content/tally.ts';

const { positionals } = parseArgs({ allowPositionals: true });
const files = positionals.length > 0 ? positionals : ['bench/corpora/attacks.jsonl'];

const judge = new PolicyJudge();
const missed = new Tally();
const noticed = new Tally();
let unread = 0;
for (const file of files) {
  for await (const sample of readSamples(file)) {
    if ('unread' in sample) {
      unread += 1;
      continue;
    }
    score(sample);
  }
}
missed.print('Attacks on arguments with a role: passed', 'passed');
noticed.print('Attacks anywhere: noticed by a signature (alerts only)', 'noticed');
console.log(`\n${missed.trials} judged, ${missed.hits} passed, ${unread} lines unread`);

function score(sample: Sample): void {
  const where = `${sample.file}:${sample.line}`;
  for (const value of valuesOf(sample)) {
    const spec = roleOf(sample);
    const seen = noticedIn(value);
    noticed.count(sample, seen !== undefined, seen);
    if (isFreeText(spec)) continue;
    const passes = judge.fault('probe', { value }, { value: spec }) === undefined;
    missed.count(sample, passes, `${sample.class} passed`, where);
  }
}

/** Of a line that holds a whole call, every text in it is a payload: the one that is an attack must be refused. */
function valuesOf(sample: Sample): readonly string[] {
  if (typeof sample.value === 'string') return [disguised(sample.value, sample)];
  if (sample.value !== undefined) return [String(sample.value)];
  return Object.values(sample.arguments ?? {}).filter((value): value is string => typeof value === 'string');
}

/** Lists of addresses hold bare hosts: as an argument they stand in a URL. */
function disguised(value: string, sample: Sample): string {
  const isUrl = Object.hasOwn(roleOf(sample), 'url');
  if (!isUrl || /^[a-z][a-z0-9+.-]*:/i.test(value) || value.includes('/')) return value;
  return `http://${value.includes(':') && !value.startsWith('[') ? `[${value}]` : value}/`;
}
