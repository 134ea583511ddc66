/**
 * `npm run bench:false-positives -- [--policy FILE] FILE...`: how many honest calls would be refused.
 *
 * Two scores. *Declared*: the roles that the policy file or the lines themselves declare. *Proposed*: what `roles
 * propose` would write for the tool after seeing half of its calls, in shadow, judged on the other half, both ways
 * round. Judged through a compiled policy, as in the gateway.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { proposeRoles } from '../src/arguments/propose.ts';
import type { ArgumentFault } from '../src/arguments/rule.ts';
import type { JsonObject, JsonValue } from '../src/values/json.ts';
import { PolicyJudge } from './content/judged.ts';
import { defaultsOf, isFreeText, roleOf } from './content/roles-of.ts';
import { readSamples, type Sample } from './content/sample.ts';
import { noticedIn } from './content/signatures.ts';
import { Tally } from './content/tally.ts';

const { values, positionals } = parseArgs({
  options: { policy: { type: 'string' } },
  allowPositionals: true,
});
const files = positionals.length > 0 ? positionals : ['bench/corpora/honest.jsonl'];

const declared = new Tally();
const proposed = new Tally();
const alerts = new Tally();
const free = new PolicyJudge();
const given =
  values.policy === undefined ? undefined : new PolicyJudge(await readFile(values.policy, 'utf8'));

const calls = new Map<string, Sample[]>();
let unread = 0;
let undeclared = 0;
for (const file of files) {
  for await (const sample of readSamples(file)) {
    if ('unread' in sample) unread += 1;
    else if (sample.value !== undefined && sample.arguments === undefined) scoreValue(sample);
    else scoreCall(sample);
  }
}
scoreProposals();

declared.print('Declared roles: honest lines refused', 'refused');
proposed.print('Proposed roles, in shadow: honest calls that would be refused', 'refused');
alerts.print('Signatures (alerts only): honest lines noticed', 'noticed');
console.log(
  `\n${declared.trials} judged by declared roles, ${undeclared} calls declare none, ${proposed.trials} judged by ` +
    `proposed roles, ${unread} lines unread`,
);

function scoreValue(sample: Sample): void {
  const value = sample.value as JsonValue;
  const spec = roleOf(sample);
  notice(sample, value);
  report(
    declared,
    sample,
    free.fault('probe', { value }, { value: spec }),
    isFreeText(spec) ? 'text' : undefined,
  );
}

function scoreCall(sample: Sample): void {
  const args = sample.arguments ?? {};
  for (const value of Object.values(args)) if (value !== undefined) notice(sample, value);
  const tool = sample.tool ?? 'tool';
  if (sample.roles !== undefined) {
    const spec = Object.fromEntries(
      Object.entries(sample.roles).map(([name, role]) => [
        name,
        typeof role === 'string' ? defaultsOf(role) : (role as JsonObject),
      ]),
    );
    report(declared, sample, free.fault(tool, args, spec));
  } else if (given !== undefined) report(declared, sample, given.fault(tool, args));
  else undeclared += 1;
  const key = JSON.stringify([sample.source, tool]);
  const seen = calls.get(key);
  if (seen === undefined) calls.set(key, [sample]);
  else seen.push(sample);
}

function scoreProposals(): void {
  for (const samples of calls.values()) {
    for (const parity of [0, 1]) {
      const learnt = samples.filter((_, index) => index % 2 !== parity);
      const judged = samples.filter((_, index) => index % 2 === parity);
      if (learnt.length === 0) continue;
      const tool = { name: samples[0]!.tool ?? 'tool', inputSchema: samples[0]!.schema };
      const { args } = proposeRoles(
        tool,
        learnt.map((sample) => sample.arguments ?? {}),
      );
      for (const sample of judged) {
        report(proposed, sample, free.fault(tool.name, sample.arguments ?? {}, args as JsonObject));
      }
    }
  }
}

function notice(sample: Sample, value: JsonValue): void {
  const seen = noticedIn(typeof value === 'string' ? value : JSON.stringify(value));
  alerts.count(sample, seen !== undefined, seen);
}

function report(tally: Tally, sample: Sample, fault: ArgumentFault | undefined, about?: string): void {
  const reason =
    fault === undefined ? undefined : `${about ?? ''}${fault.role}:${fault.fault} (${fault.path})`;
  tally.count(sample, fault !== undefined, reason, `${sample.file}:${sample.line}`);
}
