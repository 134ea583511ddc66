import { createHash } from 'node:crypto';
import { suggestion } from '../document/did-you-mean.ts';
import { type ParsedDocument, parseDocument } from '../document/parse-document.ts';
import { type DocumentPath, formatPath, type Problem, sortProblems } from '../document/problems.ts';
import { finish, type Steps } from '../values/steps.ts';
import type { ResourceKind } from './access-request.ts';
import { PolicyBuilder } from './build.ts';
import { type PolicyDocument, policyDocument } from './document.ts';
import { type PolicyWarning, type WarningCode, warn } from './lint/warning.ts';
import type { CompiledPolicy } from './model.ts';
import type { PolicyFile } from './policy-file.ts';
import { compileHierarchy } from './scope-hierarchy.ts';

export type { CompiledLimit, CompiledPolicy, LimitKey } from './model.ts';

/** One policy file, read by the caller. */
export interface PolicySource {
  /** How problems and reasons name the file. */
  readonly file: string;
  readonly text: string;
}

export type PolicyCompilation =
  | { readonly ok: true; readonly policy: CompiledPolicy; readonly warnings: readonly PolicyWarning[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A policy file, and what its text says by itself. */
export interface ParsedSource {
  readonly source: PolicySource;
  readonly parsed: ParsedDocument<PolicyDocument>;
}

/**
 * Compiles the files of a policy folder into one policy, or gives every problem of every file at once.
 *
 * The files are merged: neither their order nor the order of their rules changes a decision. A role, limit or rule id
 * that is defined twice, and a binding, ACL or limit that names an unknown role, are problems. References to the
 * environment (`${…}`) are ordinary text here: a policy means the same on every machine.
 *
 * No source at all compiles to a policy that allows nothing.
 */
export function compilePolicy(sources: readonly PolicySource[]): PolicyCompilation {
  return finish(
    compileParsed(sources.map((source) => ({ source, parsed: parseDocument(source, policyDocument) }))),
  );
}

/** As `compilePolicy`, of files that were parsed already. With places to stop. */
export function* compileParsed(sources: readonly ParsedSource[]): Steps<PolicyCompilation> {
  const ordered = [...sources].sort(
    ({ source: a }, { source: b }) => compareText(a.file, b.file) || compareText(a.text, b.text),
  );
  const problems: Problem[] = [];
  const files: PolicyFile[] = [];
  for (const { source, parsed } of ordered) {
    if (!parsed.ok) problems.push(...parsed.problems);
    else files.push({ file: source.file, document: parsed.value, locate: parsed.locate });
  }
  // Roles of a file that could not be read would all seem unknown: its own problems come first.
  if (problems.length > 0) return { ok: false, problems: sortProblems(problems) };

  const warnings: PolicyWarning[] = [];
  yield* checkAcrossFiles(files, problems, warnings);
  const hierarchy = compileHierarchy(files, problems);
  if (problems.length > 0) return { ok: false, problems: sortProblems(problems) };

  yield;
  const builder = new PolicyBuilder(hashOf(ordered.map(({ source }) => source)), hierarchy);
  for (const file of files) yield* builder.addRoles(file);
  for (const file of files) {
    yield* builder.addBindings(file);
    yield* builder.addAcl(file);
    yield* builder.addScopes(file);
    yield* builder.addLimits(file);
    yield* builder.addContentRules(file);
  }
  return { ok: true, policy: builder.finish(), warnings: sortProblems(warnings) as readonly PolicyWarning[] };
}

/** SHA-256 over names and texts, each with its length before it, so that no two sets of files run together. */
function hashOf(ordered: readonly PolicySource[]): string {
  const hash = createHash('sha256');
  for (const { file, text } of ordered) {
    for (const part of [file, text]) {
      const bytes = Buffer.from(part, 'utf8');
      hash.update(`${bytes.length}:`).update(bytes);
    }
  }
  return hash.digest('hex');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const contentSections = ['scopes', 'arguments', 'results', 'flows', 'timeouts'] as const;

/** What no file can know alone: names defined twice, roles that nobody defines, roles that nobody has. */
function* checkAcrossFiles(
  files: readonly PolicyFile[],
  problems: Problem[],
  warnings: PolicyWarning[],
): Steps<void> {
  const report = (file: PolicyFile, path: DocumentPath, message: string) =>
    problems.push({ ...file.locate(path), path: formatPath(path), message });
  const defined = {
    role: new Map<string, string>(),
    limit: new Map<string, string>(),
    id: new Map<string, string>(),
  };
  const define = (what: keyof typeof defined, name: string, file: PolicyFile, path: DocumentPath) => {
    const { line } = file.locate(path);
    const first = defined[what].get(name);
    if (first === undefined) defined[what].set(name, `${file.file}:${line}`);
    else report(file, path, `${what} "${name}" is already defined at ${first}`);
  };
  for (const file of files) {
    for (const [name, role] of Object.entries(file.document.roles)) {
      yield;
      define('role', name, file, ['roles', name]);
      for (const effect of ['allow', 'deny'] as const) {
        for (const [index, rule] of role[effect].entries()) {
          const path = ['roles', name, effect, index];
          if (rule.id !== undefined) define('id', rule.id, file, [...path, 'id']);
          for (const [code, message] of doubts(rule)) warnings.push(warn(file, path, code, message));
        }
      }
      // A role may be there for its priority alone.
      if (role.allow.length + role.deny.length === 0 && role.priority === undefined) {
        warnings.push(warn(file, ['roles', name], 'role-empty', `role "${name}" has no rules`));
      }
    }
    for (const [index, object] of file.document.acl.entries()) {
      yield;
      if (object.id !== undefined) define('id', object.id, file, ['acl', index, 'id']);
      for (const effect of ['allow', 'deny'] as const) {
        for (const [entry, { id }] of object[effect].entries()) {
          if (id !== undefined) define('id', id, file, ['acl', index, effect, entry, 'id']);
        }
      }
    }
    for (const [index, limit] of file.document.limits.entries()) {
      define('limit', limit.name, file, ['limits', index, 'name']);
    }
    for (const section of contentSections) {
      for (const [index, { id }] of file.document[section].entries()) {
        if (id !== undefined) define('id', id, file, [section, index, 'id']);
      }
    }
  }
  const bound = new Set<string>();
  for (const file of files) {
    for (const [path, names] of roleReferences(file.document)) {
      yield;
      for (const name of names) {
        if (path[0] === 'bindings') bound.add(name);
        if (defined.role.has(name)) continue;
        const hint = suggestion(name, defined.role.keys());
        report(file, path, `role "${name}" is not defined in any file${hint}`);
      }
    }
  }
  for (const file of files) {
    for (const name of Object.keys(file.document.roles)) {
      if (bound.has(name)) continue;
      yield;
      const message = `no binding gives anyone the role "${name}"`;
      warnings.push(warn(file, ['roles', name], 'role-unbound', message));
    }
  }
}

function* roleReferences(document: PolicyDocument): Generator<[DocumentPath, readonly string[]]> {
  for (const [index, binding] of document.bindings.entries()) {
    yield [['bindings', index, 'roles'], binding.roles];
  }
  for (const [index, object] of document.acl.entries()) {
    for (const effect of ['allow', 'deny'] as const) {
      for (const [entry, { roles }] of object[effect].entries()) {
        yield [['acl', index, effect, entry, 'roles'], roles];
      }
    }
  }
  for (const [index, limit] of document.limits.entries()) {
    if (limit.match.roles !== undefined) yield [['limits', index, 'match', 'roles'], limit.match.roles];
  }
  for (const section of [...contentSections, 'tools'] as const) {
    for (const [index, { match }] of document[section].entries()) {
      if (match.roles !== undefined) yield [[section, index, 'match', 'roles'], match.roles];
    }
  }
}

/** Which actions a kind of target can see. */
const actionsOf: ReadonlyMap<ResourceKind, readonly string[]> = new Map([
  ['tool', ['call']],
  ['resource', ['read', 'subscribe', 'complete', 'ask']],
  ['prompt', ['get', 'complete']],
  ['method', ['use', 'ask']],
]);

type Rule = PolicyDocument['roles'][string]['allow'][number];

/** What is legal, and yet probably not what its author meant. */
function* doubts(rule: Rule): Generator<readonly [WarningCode, string]> {
  const given: readonly [ResourceKind, readonly string[] | undefined][] = [
    ['tool', rule.tools],
    ['resource', rule.resources],
    ['prompt', rule.prompts],
    ['method', rule.methods],
  ];
  const possible = given.flatMap(([kind, names]) => (names === undefined ? [] : actionsOf.get(kind)!));
  for (const action of rule.actions ?? []) {
    if (!possible.includes(action)) {
      yield ['action-impossible', `nothing that this rule names can be asked to "${action}"`];
    }
  }
  const hasArguments = [rule.tools, rule.prompts, rule.methods].some((names) => names !== undefined);
  const asks = rule.resources !== undefined && rule.actions?.includes('ask') === true;
  if (rule.when?.args !== undefined && !hasArguments && !asks) {
    const message =
      'conditions on arguments cannot be evaluated here: only tools, prompts and methods have arguments';
    yield ['arguments-impossible', message];
  }
}
