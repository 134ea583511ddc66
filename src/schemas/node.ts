import { isJsonObject, type JsonObject, type JsonValue } from '../values/json.ts';
import type { LinearPattern } from './pattern.ts';
import { type Evaluated, mergeEvaluated, nothingEvaluated, type Run } from './run.ts';

/**
 * Whether a value passes one keyword.
 *
 * @param seen gathers what was looked at; undefined where nothing asks for it
 */
export type Check = (value: JsonValue, run: Run, seen: Evaluated | undefined) => boolean;

/** What `properties`, `patternProperties` and `additionalProperties` of one subschema say. */
export interface Members {
  readonly named: ReadonlyMap<string, Node>;
  readonly patterns: readonly { readonly pattern: LinearPattern; readonly node: Node }[];
  readonly rest: Node | undefined;
}

/** One subschema, compiled. References make it a graph, so it is filled in after it has been made. */
export class Node {
  readonly checks: Check[] = [];
  /** Subschemas that look at the same value. */
  readonly inPlace: Node[] = [];
  /** What its own keywords say of members. */
  members: Members | undefined;
  /** `type` names objects, its own or that of a subschema that looks at the same value. */
  namesObject = false;
  /** A subschema that looks at the same value declares members. Settled once the whole graph stands. */
  declaresAnywhere = false;
  /** It has its say on members or entries that other keywords left over. */
  asksForRest = false;
  /** The subschema `false`: nothing fits. */
  isFalse = false;
  /** Charged for each value it looks at. */
  weight = 1;

  /** Whether the value fits, as one of several subschemas that look at it. */
  test(value: JsonValue, run: Run, seen: Evaluated | undefined): boolean {
    run.charge(this.weight);
    // What is left over is asked of this subschema alone: what its neighbours looked at does not count.
    const gathered = this.asksForRest ? nothingEvaluated() : seen;
    for (const check of this.checks) if (!check(value, run, gathered)) return false;
    if (gathered !== seen && seen !== undefined) mergeEvaluated(seen, gathered!);
    return true;
  }

  /**
   * Whether a member, an entry or the whole value fits; where unknown names are looked for, whether it has none.
   * An object that declares no members is open by intention, except for the arguments as a whole.
   */
  enter(value: JsonValue, run: Run, isRoot = false): boolean {
    if (run.named === undefined || !(isRoot || this.declaresAnywhere))
      return this.test(value, run, undefined);
    // Most objects: nothing but its own keywords can name a member, and nothing need be gathered.
    if (this.inPlace.length === 0 && !this.asksForRest) {
      return this.test(value, run, undefined) && (!isJsonObject(value) || this.namesAll(value, run, isRoot));
    }
    const seen = nothingEvaluated();
    if (!this.test(value, run, seen)) return false;
    if (seen.rest || (!isRoot && (seen.open || seen.free)) || !isJsonObject(value)) return true;
    for (const name of Object.keys(value)) {
      if (!seen.names.has(name) && value[name] !== undefined && !run.letsThrough(name)) return false;
    }
    return true;
  }

  private namesAll(value: JsonObject, run: Run, isRoot: boolean): boolean {
    const { named, patterns, rest } = this.members ?? noMembers;
    if (rest !== undefined && (!isRoot || rest.checks.length > 0)) return true;
    for (const name of Object.keys(value)) {
      if (named.has(name) || value[name] === undefined) continue;
      if (patterns.some(({ pattern }) => pattern.test(name))) continue;
      if (!run.letsThrough(name)) return false;
    }
    return true;
  }
}

const noMembers: Members = { named: new Map(), patterns: [], rest: undefined };
