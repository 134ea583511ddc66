/**
 * `npm run bench:false-positives -- [options] FILE...`: how many honest calls would be refused.
 *
 * *Declared*: by the roles that the lines themselves or the policy file declare; a single value by its class. *Names*: a
 * call that declares none, by the roles that the names of its arguments suggest. *Proposed*: by what `roles propose` would
 * write for the tool after seeing half of its calls, in shadow, judged on the other half, both ways round; and by what it
 * would write from the schema alone. docs/rates.md tells the formats.
 */
import { proposeRoles } from '../src/arguments/propose.ts';
import type { JsonObject } from '../src/values/json.ts';
import { Reading, readCommandLine } from './content/command-line.ts';
import type { CallSample, Sample } from './content/sample.ts';
import type { Outcome } from './content/score.ts';
import { noticedIn } from './content/signatures.ts';
import { Tally } from './content/tally.ts';

const request = await readCommandLine(['bench/corpora/honest.jsonl', 'bench/corpora/honest-held-out.jsonl']);
const { scorer } = request;
const reading = new Reading();
const declared = new Tally();
const named = new Tally();
const proposed = new Tally();
const unseen = new Tally();
const undecided = new Tally();
const alerts = new Tally();
const calls = new Map<string, CallSample[]>();

for await (const sample of reading.samples(request, 'honest')) score(sample);
scoreProposals();

if (request.json) {
  console.log(
    JSON.stringify(
      {
        declared,
        named,
        proposed,
        unseen,
        undecided,
        alerts,
        otherSide: reading.otherSide,
        unusable: reading.unusable,
      },
      undefined,
      2,
    ),
  );
} else {
  declared.print('Declared roles: honest lines refused', 'refused');
  named.print(
    'No roles declared: honest calls refused by the roles that names of arguments suggest',
    'refused',
  );
  proposed.print('Proposed roles, in shadow: honest calls that would be refused', 'refused');
  unseen.print('Proposed from schemas alone, in shadow: honest calls that would be refused', 'refused');
  undecided.print('Values that no role decides (free text): refused', 'refused');
  alerts.print('Signatures (alerts only): honest lines noticed', 'noticed');
  reading.otherSide.print('Lines that are not honest, left out');
  reading.unusable.print('Lines that could not be used');
  console.log(
    `\n${declared.trials} judged by declared roles, ${named.trials} calls declare none, ${proposed.trials} judged by ` +
      `proposed roles, ${undecided.trials} values in free text`,
  );
}
if (declared.trials + named.trials + proposed.trials + undecided.trials === 0) {
  console.error('Nothing could be scored.');
  process.exitCode = 1;
}

function score(sample: Sample): void {
  const outcome = scorer.score(sample, 'honest');
  if (outcome.kind === 'unusable') {
    reading.unusable.add(sample, outcome.reason);
    return;
  }
  const seen = noticedIn(sample.kind === 'value' ? sample.value : sample.arguments);
  alerts.count(sample, seen !== undefined, seen);
  if (sample.kind === 'call') keep(sample);
  if (outcome.kind === 'undecided') undecided.count(sample, false);
  else if (outcome.kind === 'undeclared') count(named, sample, scorer.scoreByNames(sample as CallSample));
  else count(declared, sample, outcome);
}

function keep(sample: CallSample): void {
  const key = JSON.stringify([sample.source, sample.tool]);
  const seen = calls.get(key);
  if (seen === undefined) calls.set(key, [sample]);
  else seen.push(sample);
}

function scoreProposals(): void {
  for (const samples of calls.values()) {
    const { tool: name } = samples[0]!;
    const tool = { name, inputSchema: samples.find(({ schema }) => schema !== undefined)?.schema };
    for (const parity of [0, 1]) {
      const learnt = samples.filter((_, index) => index % 2 !== parity).map((sample) => sample.arguments);
      if (learnt.length === 0) continue;
      const { args } = proposeRoles(tool, learnt);
      const judged = samples.filter((_, index) => index % 2 === parity);
      for (const sample of judged) count(proposed, sample, scorer.scoreProposal(sample, args as JsonObject));
    }
    if (tool.inputSchema === undefined) continue;
    const { args } = proposeRoles(tool);
    for (const sample of samples) count(unseen, sample, scorer.scoreProposal(sample, args as JsonObject));
  }
}

function count(tally: Tally, sample: Sample, outcome: Outcome): void {
  const { refusal } = outcome as { refusal?: { role: string; fault: string; path: string } };
  const reason = refusal === undefined ? undefined : `${refusal.role}:${refusal.fault} (${refusal.path})`;
  tally.count(sample, outcome.kind === 'refused', reason, `${sample.file}:${sample.line}`);
}
