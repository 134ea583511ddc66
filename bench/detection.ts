/**
 * `npm run bench:detection -- [options] FILE...`: how many attacks the roles let through.
 *
 * Each payload is judged as the value of an argument that has the role of its line, or of its class
 * (content/classes.ts), through a compiled policy as in the gateway. It counts as stopped only where every declaration
 * that an honest value may use refuses it (content/variants.ts). Free text is never judged by its content: classes that
 * only free text can hold are reported apart, as what the signatures noticed. docs/rates.md tells the formats.
 */
import { Reading, readCommandLine } from './content/command-line.ts';
import type { Sample } from './content/sample.ts';
import { noticedIn } from './content/signatures.ts';
import { LeftOut, Tally } from './content/tally.ts';

const request = await readCommandLine([
  'bench/corpora/attacks.jsonl',
  'bench/corpora/attacks-held-out.jsonl',
]);
const reading = new Reading();
const passed = new Tally();
const noticed = new Tally();
const undecided = new Tally();
const harmless = new LeftOut();

for await (const sample of reading.samples(request, 'attack')) score(sample);

if (request.json) {
  console.log(
    JSON.stringify(
      { passed, noticed, undecided, harmless, otherSide: reading.otherSide, unusable: reading.unusable },
      undefined,
      2,
    ),
  );
} else {
  passed.print('Attacks on arguments with a role: let through', 'passed');
  undecided.print(
    'Attacks that no role decides (free text): noticed by a signature, never refused',
    'noticed',
  );
  noticed.print('All attacks: noticed by a signature (alerts only)', 'noticed');
  harmless.print('Harmless in the role, not counted: no step out of the tree, no metacharacter');
  reading.otherSide.print('Lines that are no attacks, left out');
  reading.unusable.print('Lines that could not be used');
  console.log(`\n${passed.trials} judged, ${passed.hits} passed, ${undecided.trials} in free text`);
}
if (passed.trials + undecided.trials === 0) {
  console.error('Nothing could be scored.');
  process.exitCode = 1;
}

function score(sample: Sample): void {
  const outcome = request.scorer.score(sample, 'attack');
  if (outcome.kind === 'unusable') {
    reading.unusable.add(sample, outcome.reason);
    return;
  }
  if (outcome.kind === 'harmless') {
    harmless.add(sample, `class ${sample.class}`);
    return;
  }
  const seen = noticedIn(sample.kind === 'value' ? sample.value : sample.arguments);
  noticed.count(sample, seen !== undefined, seen);
  if (outcome.kind === 'undecided' || outcome.kind === 'undeclared') {
    undecided.count(sample, seen !== undefined, seen);
    return;
  }
  passed.count(sample, outcome.kind === 'passed', `${sample.class} passed`, `${sample.file}:${sample.line}`);
}
