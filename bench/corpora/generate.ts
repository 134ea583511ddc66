/**
 * Writes `honest.jsonl`, `attacks.jsonl` and their held-out counterparts beside this file: `node bench/corpora/generate.ts`.
 *
 * Own work, made from a fixed seed: the same each time. They are for measuring; that they are made of what this project
 * thought of is their limit, so measure your own calls too.
 */
import { writeFileSync } from 'node:fs';
import { makeAttacks } from './attacks.ts';
import { makeHeldOutAttacks } from './attacks-held-out.ts';
import { makeHonest } from './honest.ts';
import { makeHeldOut } from './honest-held-out.ts';
import { Random } from './random.ts';

const seed = 20_261_121;

function write(file: string, lines: readonly object[]): void {
  // Nothing invisible in a file that people read: line separators and their kin are written as escapes.
  const text = lines
    .map((line) =>
      JSON.stringify(line).replace(
        /[\u0080-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
    )
    .join('\n');
  writeFileSync(new URL(file, import.meta.url), `${text}\n`);
  console.log(`${file}: ${lines.length} lines, ${Math.round(text.length / 1024)} KiB`);
}

write('honest.jsonl', makeHonest(new Random(seed), 2_500));
write('attacks.jsonl', makeAttacks(new Random(seed + 1), 1_000));
write('honest-held-out.jsonl', makeHeldOut(new Random(seed + 2), 3_000));
write('attacks-held-out.jsonl', makeHeldOutAttacks(new Random(seed + 3), 1_200));
