import { type DocumentPath, formatPath, type Problem } from '../../document/problems.ts';
import type { PolicyFile } from '../policy-file.ts';

/** What is legal, and yet probably not what its author meant. */
export interface PolicyWarning extends Problem {
  /** One stable word for each sort. */
  readonly code: WarningCode;
}

export type WarningCode =
  | 'upstream-unknown' // `upstreams:` names none of the gateway's
  | 'tool-unlisted' // no upstream that the rule is about lists such a tool
  | 'shadowed' // an unconditional deny of the same role is at least as wide
  | 'shadowed-by-acl' // protected objects are at least as wide: only their entries count
  | 'condition-impossible' // a condition that can never hold
  | 'condition-constant' // an expression that says the same of every request
  | 'allows-all' // a wildcard for every tool or resource of every upstream
  | 'allows-anybody-all' // the same on some upstream, for callers who prove nothing in particular
  | 'priority-anybody' // a role of high priority for callers who prove nothing in particular
  | 'common-name' // callers told apart by a name that no CA has to keep unique
  | 'role-unbound' // no binding gives the role
  | 'role-empty' // the role has no rules
  | 'binding-empty' // the roles of a binding allow nothing
  | 'issuer-unknown' // a binding to tokens that the gateway does not take
  | 'scopes-unasked' // `scopes:`, and no token that could have one
  | 'duplicate' // the same is written twice
  | 'trial-endless' // shadow mode without an end
  | 'trial-ending' // a trial that ends within a fortnight
  | 'trial-ended' // a trial that is over: this is enforced
  | 'action-impossible' // an action that nothing named can be asked for
  | 'arguments-impossible' // conditions on arguments of what has none
  | 'limit-unreachable' // a rate, quota or concurrency that another bound always comes before
  | 'timeout-capped'; // more time than an upstream gives any call

/** What is known of the gateway that the policy is for. What is absent is not checked. */
export interface LintContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Names of the gateway's upstreams. */
  readonly upstreams?: readonly string[];
  /** Issuers whose tokens the gateway takes. */
  readonly issuers?: readonly string[];
  /** Names of the tools that upstreams list, as far as they could be asked. */
  readonly tools?: ReadonlyMap<string, ReadonlySet<string>>;
  /** How many calls the whole gateway, and one caller in it, may have under way. */
  readonly atOnce?: { readonly all: number; readonly perCaller: number };
  /** The most that each upstream gives one call, in milliseconds. */
  readonly longest?: ReadonlyMap<string, number>;
}

/** Looks through one file, or through what no file can know alone. */
export type Lint = (files: readonly PolicyFile[], context: LintContext) => Iterable<PolicyWarning>;

export function warn(
  file: PolicyFile,
  path: DocumentPath,
  code: WarningCode,
  message: string,
): PolicyWarning {
  return { ...file.locate(path), path: formatPath(path), message, code };
}

/** The path of a list's item, or of the one item where no list is written. */
export function itemPath(file: PolicyFile, path: DocumentPath, at: number): DocumentPath {
  const [list, item] = [file.locate(path), file.locate([...path, at])];
  return list.line === item.line && list.column === item.column ? path : [...path, at];
}

/** `file:line:col: path: message [code]`. */
export function formatWarning({ file, line, column, path, message, code }: PolicyWarning): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message} [${code}]`;
}
