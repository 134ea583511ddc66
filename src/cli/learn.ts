import { withGrammars } from '../arguments/with-grammars.ts';
import { formatProblem } from '../document/problems.ts';
import { writeYaml } from '../document/write-yaml.ts';
import { visible } from '../pins/visible.ts';
import type { AccessRequest } from '../policy/access-request.ts';
import { compilePolicy } from '../policy/compile.ts';
import { decide } from '../policy/decide.ts';
import { PolicyLearner } from '../policy/learn.ts';
import { own } from '../values/json.ts';
import { type RecordedRequest, readAuditRecords, recordedRequest } from './audit-records.ts';
import { type Command, exitCodes, text } from './command.ts';

/** Ways to end of a call that was let through. */
const letThrough: ReadonlySet<string> = new Set(['ok', 'tool-error', 'rpc-error', 'cancelled']);

export const learnCommand: Command = {
  summary: 'propose the smallest policy that allows what audit files show',
  help: `Proposes the smallest policy that allows what audit files show, for review: exact names, exact callers, no
wildcard. Callers who did the same share a role.

Usage: sallyport learn AUDIT... [--upstream NAME] [--since TIME] [--include-denied]

  AUDIT               audit files of the gateway
  --upstream NAME     only what went to this upstream
  --since TIME        only what happened since; ISO 8601
  --include-denied    also what the policies of then denied: read the proposal twice as carefully

What an attacker did is in the audit too: the proposal is a draft and is never in force by itself. Arguments are not
learnt ("roles propose" proposes rules on them), nor are groups: whoever was seen is bound by name.
Before it is printed, the proposal is compiled and every observation is put to it.
Exit code 0, 1 where nothing was seen or an observation would be denied, 3 where a file is wrong.

Examples:
  sallyport learn audit/sallyport.jsonl > policies/learnt.yaml
  sallyport learn audit/*.jsonl --upstream warehouse --since 2026-11-01
  sallyport learn audit/sallyport.jsonl --include-denied
`,
  options: {
    upstream: { type: 'string' },
    since: { type: 'string' },
    'include-denied': { type: 'boolean' },
  },
  async run(values, files, io) {
    if (files.length === 0) {
      io.stderr(`Name at least one audit file.\n\n${learnCommand.help}`);
      return exitCodes.usage;
    }
    const since = text(values, 'since');
    const from = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since);
    if (Number.isNaN(from)) {
      io.stderr('--since: not an ISO 8601 time\n');
      return exitCodes.usage;
    }
    const upstream = text(values, 'upstream');
    const withDenied = values['include-denied'] === true;
    const wants = (recorded: RecordedRequest): boolean => {
      if (upstream !== undefined && recorded.request.resource.upstream !== upstream) return false;
      if (recorded.request.context.time < from) return false;
      return withDenied || (recorded.effect === 'allow' && letThrough.has(recorded.code));
    };
    const learner = new PolicyLearner();
    const observed = new Map<string, AccessRequest>();
    let passed = 0;
    for await (const record of readAuditRecords(files)) {
      const recorded = recordedRequest(record);
      if (recorded === undefined) {
        if (own(record, 'decision') !== undefined) passed += 1;
        continue;
      }
      if (!wants(recorded)) continue;
      const request = { ...recorded.request, context: { ...recorded.request.context, arguments: undefined } };
      observed.set(keyOf(request), request);
      if (!learner.observe(request)) {
        io.stderr('Too many different things were seen to review: narrow it with --upstream or --since.\n');
        return exitCodes.no;
      }
    }
    const { document, leftOut, remarks } = learner.finish();
    if (passed > 0)
      io.stderr(`left out: ${passed} records with a caller or a target that was cut or is none\n`);
    for (const sentence of leftOut) io.stderr(`left out: ${visible(sentence, 1000)}\n`);
    for (const sentence of remarks) io.stderr(`note: ${visible(sentence, 1000)}\n`);
    if (observed.size === 0) {
      io.stderr('Nothing was seen that a policy could allow.\n');
      return exitCodes.no;
    }
    const yaml = writeYaml(document);
    const compiled = await withGrammars(() => compilePolicy([{ file: 'learnt.yaml', text: yaml }]));
    if (!compiled.ok) {
      for (const problem of compiled.problems) io.stderr(`${formatProblem(problem)}\n`);
      return exitCodes.configuration;
    }
    io.stdout(yaml);
    const denied = [...observed.values()].filter(
      (request) => decide(request, compiled.policy).effect === 'deny',
    );
    for (const { subject, action, resource } of denied.slice(0, 20)) {
      const what = `${subject.id} ${action} ${resource.kind} ${resource.name} on ${resource.upstream}`;
      io.stderr(`not allowed by the proposal: ${visible(what, 1000)}\n`);
    }
    return denied.length === 0 ? exitCodes.ok : exitCodes.no;
  },
};

function keyOf({ subject, action, resource }: AccessRequest): string {
  return JSON.stringify([subject.id, action, resource.upstream, resource.kind, resource.name]);
}
