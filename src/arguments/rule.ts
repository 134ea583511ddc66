import type { JsonObject, JsonValue } from '../values/json.ts';
import type { Steps } from '../values/steps.ts';
import type { Lookup } from './role.ts';

/** One entry of `arguments:` of a policy file, compiled. What it matches has been settled by policy/. */
export interface ArgumentRule {
  readonly id: string;
  /** `file:line`. */
  readonly location: string;
  readonly mode: 'enforce' | 'shadow';
  /** Arguments that neither the tool's schema nor this rule names: `undefined` leaves it to other rules. */
  readonly unknown: 'refuse' | 'allow' | undefined;
  /** What is done with the tool's own schema. `undefined` leaves it to other rules; the default is `enforce`. */
  readonly schema: 'enforce' | 'alert' | 'off' | undefined;
  /** Top-level arguments that the rule names, by a path that begins with them. */
  readonly names: ReadonlySet<string>;
  /**
   * Judges the arguments as they would be sent, and rewrites what the rule names a rewrite for.
   *
   * @param isSecret places of which other rules say that they are secret: their rewrites have no hashes
   */
  judge(args: JsonObject, call: CallContext, isSecret?: SecretPlaces): RuleJudgement;
  /**
   * Judges some of the arguments by themselves, as completion sends them: nothing is required or filled in, and no
   * relation is asked.
   */
  judgePart(args: JsonObject, call: CallContext, isSecret?: SecretPlaces): RuleJudgement;
  /** As `judge` or, where the arguments are only a part, `judgePart`, with places to stop. */
  judgeSteps(
    args: JsonObject,
    call: CallContext,
    partial: boolean,
    isSecret?: SecretPlaces,
  ): Steps<RuleJudgement>;
  /** Relations that can hold for no arguments of this JSON Schema: one line each, never a value. */
  relationFaults(schema: JsonValue): readonly string[];
  /** Values of arguments with a secret role, as text: nothing that is written down may show them. Total. */
  secretsIn(args: JsonObject): readonly string[];
  /** Whether a secret stands at a place in the arguments, around it or inside it. */
  readonly isSecretAt: SecretPlaces;
}

/** @param trail names and positions from the arguments to a value */
export type SecretPlaces = (trail: readonly (string | number)[]) => boolean;

/** Who calls what: what relations may look at beside the arguments. */
export interface CallContext {
  readonly upstream: string;
  readonly tool: string;
  /** The caller as relations see it: `id`, `domain` (of its mail address or trust domain), `claims`, `roles`. */
  readonly principal: JsonObject;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Why a rule refuses. Public but for `location`: the caller may see the rest. Never a value. */
export interface ArgumentFault {
  readonly rule: string;
  readonly location: string;
  /** Which argument: `edits[2].path`, at most 256 characters; `(arguments)` where it is about all of them. */
  readonly path: string;
  /** Role name, `relation`, `rewrite`, `required`, `forbidden`, `shape`, `sibling` or `unknown`. */
  readonly role: string;
  /** One stable word. */
  readonly fault: string;
  readonly allow: string;
}

/** One rewrite that a rule asked for by name. */
export interface Rewrite {
  readonly rule: string;
  readonly path: string;
  readonly rewrite: 'clamp' | 'default' | 'set' | 'drop' | 'strip' | 'normalize';
  /** Keyed or plain hash of the canonical JSON before and after, hex, 16 digits; undefined where there was no value. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export interface RuleJudgement {
  /** The arguments to go on with: the same object where nothing was rewritten. */
  readonly args: JsonObject;
  readonly rewrites: readonly Rewrite[];
  /** The first fault found; undefined where the arguments fit. */
  readonly fault: ArgumentFault | undefined;
  /** What must still be asked of the machine, with the path of its argument. Empty where there is a fault. */
  readonly lookups: readonly { readonly path: string; readonly role: string; readonly lookup: Lookup }[];
}
