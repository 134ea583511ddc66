import { withGrammars } from '../arguments/with-grammars.ts';
import { readPolicySources } from '../config/policy-sources.ts';
import { parseDocument } from '../document/parse-document.ts';
import { formatProblem, type Problem } from '../document/problems.ts';
import { visible } from '../pins/visible.ts';
import { assumeRoles } from '../policy/assume-roles.ts';
import { rolesOf } from '../policy/bindings.ts';
import {
  type ComparedPolicy,
  comparePolicies,
  type Difference,
  sectionsThatDiffer,
} from '../policy/compare.ts';
import { compilePolicy } from '../policy/compile.ts';
import { decide } from '../policy/decide.ts';
import { policyDocument } from '../policy/document.ts';
import type { PolicyFile } from '../policy/policy-file.ts';
import { type RecordedRequest, readAuditRecords, recordedRequest } from './audit-records.ts';
import { type Command, exitCodes, jsonLines } from './command.ts';

export const diffCommand: Command = {
  summary: 'say who gains and who loses what between two policies',
  help: `Says who gains and who loses what between two folders of policies.

Usage: sallyport diff OLD NEW [--audit FILE]... [--upstream NAME]... [--json]

  OLD, NEW            folders with policy files
  --audit FILE        also puts every recorded decision to both; may be given more than once
  --upstream NAME     a further upstream that exists; the policies' own are always asked about
  --json              the answer as JSON

Both policies are asked about every caller and every target that either of them can tell apart: an instance of each
pattern of bindings and rules, of what two patterns share, and one that nothing names, today and as trials end.
Conditions are compared as they are written, and so are bindings with operators on claims. Limits and rules about
content are only counted.
A recorded caller keeps roles that its id alone does not give, as they came from claims that are not recorded.
Exit code 0 where nothing differs, 1 where something does, 3 where a policy is wrong.

Examples:
  sallyport diff policies/ /tmp/proposed/
  sallyport diff policies/ /tmp/proposed/ --audit audit/sallyport.jsonl
  sallyport diff policies/ /tmp/proposed/ --upstream warehouse --json
`,
  options: {
    audit: { type: 'string', multiple: true },
    upstream: { type: 'string', multiple: true },
    json: { type: 'boolean' },
  },
  async run(values, positionals, io) {
    const [oldFolder, newFolder] = positionals;
    if (oldFolder === undefined || newFolder === undefined || positionals.length > 2) {
      io.stderr(`Name two folders.\n\n${diffCommand.help}`);
      return exitCodes.usage;
    }
    const [before, after] = [await readCompared(oldFolder), await readCompared(newFolder)];
    if (!before.ok || !after.ok) {
      for (const side of [before, after]) {
        if (!side.ok) for (const problem of side.problems) io.stderr(`${formatProblem(problem)}\n`);
      }
      return exitCodes.configuration;
    }
    const upstreams = (values['upstream'] as readonly string[] | undefined) ?? [];
    const { differences, unasked, asked, cut } = comparePolicies(before.compared, after.compared, {
      upstreams,
      time: Date.now(),
    });
    const sections = sectionsThatDiffer(documentsOf(before.compared), documentsOf(after.compared));
    const files = (values['audit'] as readonly string[] | undefined) ?? [];
    const recorded = await compareRecorded(files, before.compared, after.compared);
    const unknown = unasked.before.length + unasked.after.length;
    const isSame = differences.length + unknown + sections.length + recorded.length === 0;
    if (cut) io.stderr(`Only the first ${asked} questions were asked: the answer is not whole.\n`);
    if (values['json'] === true) {
      io.stdout(jsonLines({ differences, unasked, sections, recorded, asked, cut }));
    } else {
      for (const line of describe(differences)) io.stdout(`${line}\n`);
      for (const text of unasked.before)
        io.stdout(`binding gone, callers not imagined: ${visible(text, 2000)}\n`);
      for (const text of unasked.after)
        io.stdout(`binding new, callers not imagined: ${visible(text, 2000)}\n`);
      for (const { section, gone, added } of sections) {
        io.stdout(`${section}: ${gone} entries gone or changed, ${added} new or changed\n`);
      }
      for (const { caller, what, before: old, after: next, times } of recorded) {
        io.stdout(`recorded: ${visible(`${caller}: ${what}`, 3000)}: ${old} -> ${next} (${times} times)\n`);
      }
      if (isSame) io.stdout(`no difference in ${asked} questions\n`);
    }
    return isSame && !cut ? exitCodes.ok : exitCodes.no;
  },
};

type Read =
  | { readonly ok: true; readonly compared: ComparedPolicy }
  | { readonly ok: false; readonly problems: readonly Problem[] };

async function readCompared(folder: string): Promise<Read> {
  const sources = await readPolicySources(folder);
  const compiled = await withGrammars(() => compilePolicy(sources));
  if (!compiled.ok) return compiled;
  const files = sources.map((source): PolicyFile => {
    const parsed = parseDocument(source, policyDocument);
    if (!parsed.ok) throw new TypeError('a file that compiled can be read');
    return { file: source.file, document: parsed.value, locate: parsed.locate };
  });
  return { ok: true, compared: { policy: compiled.policy, files } };
}

function documentsOf({ files }: ComparedPolicy) {
  return files.map(({ document }) => document);
}

/** One line for each caller, target and change, callers together. */
function describe(differences: readonly Difference[]): readonly string[] {
  const lines: string[] = [];
  let last: string | undefined;
  for (const { caller, target, kind, before, after, from, conditions } of differences) {
    if (caller !== last) lines.push(`${visible(caller, 1000)}:`);
    last = caller;
    const what = visible(`${target.action} ${target.kind} ${target.name} on ${target.upstream}`, 3000);
    const since = from === undefined ? '' : ` from ${new Date(from).toISOString()} on, when a trial ends`;
    lines.push(`  ${kind.padEnd(7)} ${what}: ${before} -> ${after}${since}`);
    for (const text of conditions?.before ?? []) lines.push(`            was: ${visible(text, 5000)}`);
    for (const text of conditions?.after ?? []) lines.push(`            now: ${visible(text, 5000)}`);
  }
  return lines;
}

interface RecordedDifference {
  readonly caller: string;
  readonly what: string;
  readonly before: 'allow' | 'deny';
  readonly after: 'allow' | 'deny';
  readonly times: number;
}

/** Differences beyond these are not told apart any more; what they are about is in the first ones. */
const mostRecorded = 10_000;

async function compareRecorded(
  files: readonly string[],
  before: ComparedPolicy,
  after: ComparedPolicy,
): Promise<readonly RecordedDifference[]> {
  const found = new Map<string, RecordedDifference>();
  for await (const record of readAuditRecords(files)) {
    const recorded = recordedRequest(record);
    if (recorded === undefined) continue;
    const known = new Set(rolesOf(recorded.request.subject, before.policy).roles.map(({ name }) => name));
    const extra = recorded.roles.filter((role) => !known.has(role));
    const [old, next] = [before, after].map((side) => askAgain(recorded, extra, side)) as [
      'allow' | 'deny',
      'allow' | 'deny',
    ];
    if (old === next) continue;
    const { subject, action, resource } = recorded.request;
    const what = `${action} ${resource.kind} ${resource.name} on ${resource.upstream}`;
    const key = JSON.stringify([subject.id, what, old]);
    const times = (found.get(key)?.times ?? 0) + 1;
    if (times > 1 || found.size < mostRecorded) {
      found.set(key, { caller: subject.id, what, before: old, after: next, times });
    }
  }
  return [...found.values()];
}

function askAgain(
  { request }: RecordedRequest,
  extra: readonly string[],
  { policy }: ComparedPolicy,
): 'allow' | 'deny' {
  const byId = rolesOf(request.subject, policy).roles.map(({ name }) => name);
  const subject = assumeRoles(request.subject, [...byId, ...extra], policy);
  return decide({ ...request, subject }, policy).effect;
}
