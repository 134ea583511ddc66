import { argumentShapes } from '../../src/arguments/argument-shapes.ts';
import { roleHint } from '../../src/arguments/role-hints.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../../src/values/json.ts';
import { classRole, isInjection } from './classes.ts';
import { PolicyJudge, type Refusal } from './judged.ts';
import type { CallSample, Sample, ValueSample } from './sample.ts';
import type { Side } from './side.ts';
import { decides, isHarmless, isRole, trialsOf } from './variants.ts';

export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** No role decides it: free text, or a class that no role stands for. */
  | { readonly kind: 'undecided' }
  /** An attack in name that is none in the role. */
  | { readonly kind: 'harmless' }
  /** A call that declares no roles, in a file of honest calls. */
  | { readonly kind: 'undeclared' }
  | { readonly kind: 'unusable'; readonly reason: string };

/** A role and the value that is held to it. */
interface Held {
  readonly role: JsonValue;
  readonly value: JsonValue;
  readonly path: string;
}

/** Scores samples by the roles that their lines, their class or a policy file give their arguments. */
export class Scorer {
  readonly #roles = new PolicyJudge();
  readonly #policy: PolicyJudge | undefined;

  /** @param policy text of a policy file, for calls that declare nothing themselves */
  constructor(policy?: string) {
    this.#policy = policy === undefined ? undefined : new PolicyJudge(policy);
  }

  /** By what the line declares, else the policy, else (attacks and single values) the class. */
  score(sample: Sample, side: Side): Outcome {
    try {
      return sample.kind === 'value' ? this.#scoreValue(sample, side) : this.#scoreCall(sample, side);
    } catch (error) {
      return { kind: 'unusable', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** An honest call by the roles that the names of its arguments suggest, each value by itself. */
  scoreByNames(sample: CallSample): Outcome {
    return this.#holdAll(namedRoles(sample), 'honest');
  }

  /** By the very roles that a proposal would put in force. */
  scoreProposal(sample: CallSample, args: JsonObject): Outcome {
    const refusal = this.#roles.refusal(sample.tool, sample.arguments, args);
    return refusal === undefined ? { kind: 'passed' } : { kind: 'refused', refusal };
  }

  #scoreValue(sample: ValueSample, side: Side): Outcome {
    const { value } = sample;
    const role = sample.role ?? roleOfValue(sample, side);
    if (role === undefined || role === 'text') return { kind: 'undecided' };
    if (!isRole(role)) return { kind: 'unusable', reason: `no such role: ${JSON.stringify(role)}` };
    if (!decides(role)) return { kind: 'undecided' };
    return this.#holdAll([{ role, value, path: 'value' }], side);
  }

  #scoreCall(sample: CallSample, side: Side): Outcome {
    const message = this.#roles.refusal(sample.tool, sample.arguments, {});
    if (message !== undefined) return { kind: 'refused', refusal: message };
    if (sample.roles !== undefined) return this.#scoreDeclared(sample, sample.roles, side);
    if (sample.role === undefined && this.#policy?.knows(sample.tool) === true) {
      const refusal = this.#policy.refusal(sample.tool, sample.arguments);
      return refusal === undefined ? { kind: 'passed' } : { kind: 'refused', refusal };
    }
    const ofClass = side === 'attack' ? classRole(sample.class) : undefined;
    const role = sample.role ?? (ofClass === 'shell' ? 'id' : ofClass);
    if (role === undefined) return { kind: side === 'attack' ? 'undecided' : 'undeclared' };
    if (!isRole(role)) {
      return role === 'text'
        ? { kind: 'undecided' }
        : { kind: 'unusable', reason: `no such role: ${JSON.stringify(role)}` };
    }
    if (!decides(role)) return { kind: 'undecided' };
    const held = targetsOf(sample, role);
    return held.length === 0 ? { kind: 'undecided' } : this.#holdAll(held, side);
  }

  #scoreDeclared(sample: CallSample, roles: JsonObject, side: Side): Outcome {
    const held: Held[] = [];
    for (const [path, role] of Object.entries(roles)) {
      if (role === undefined) continue;
      if (!isRole(role)) return { kind: 'unusable', reason: `no such role: ${JSON.stringify(role)}` };
      if (side === 'attack' && !decides(role)) continue;
      held.push(
        ...leavesOf(sample)
          .filter((leaf) => isAt(leaf.path, path))
          .map(({ value }) => ({ role, value, path })),
      );
    }
    if (held.length === 0) return { kind: side === 'attack' ? 'undecided' : 'passed' };
    return this.#holdAll(held, side);
  }

  /** Honest: each must be taken by one of its declarations. An attack: one must be refused by all of its. */
  #holdAll(held: readonly Held[], side: Side): Outcome {
    let harmless = held.length > 0;
    for (const { role, value, path } of held) {
      let refusal: Refusal | undefined;
      let taken = false;
      for (const { spec, value: tried } of trialsOf(role, value, side)) {
        const found = this.#roles.refusal('probe', { value: tried }, { value: spec });
        if (found === undefined) taken = true;
        else refusal = meaning(refusal, found);
        if (taken) break;
      }
      if (!taken && refusal !== undefined) return { kind: 'refused', refusal: { ...refusal, path } };
      harmless &&= isHarmless(role, value);
    }
    return { kind: side === 'attack' && harmless ? 'harmless' : 'passed' };
  }
}

/** The first that says more than that a text is not of a grammar or preset. */
function meaning(first: Refusal | undefined, next: Refusal): Refusal {
  return first === undefined || /^(?:unparsable|pattern|drive|outside-tree)$/.test(first.fault)
    ? next
    : first;
}

function roleOfValue(sample: ValueSample, side: Side): string | undefined {
  const of = classRole(sample.class);
  if (of === undefined) {
    if (sample.argument === undefined) return undefined;
    const hint = roleHint({ name: sample.argument, schema: undefined }, { name: '' });
    return hint?.role;
  }
  if (of === 'shell') return side === 'attack' ? 'id' : undefined;
  return side === 'honest' && of === 'sql' && isInjection(sample.class) ? undefined : of;
}

interface Leaf {
  readonly path: string;
  readonly name: string;
  readonly value: JsonValue;
  readonly schema: JsonObject | undefined;
}

/** Every value that is neither object nor list. */
function leavesOf(sample: CallSample): readonly Leaf[] {
  const bySchema = new Map(argumentShapes(sample.schema, []).map(({ path, schema }) => [path, schema]));
  const leaves: Leaf[] = [];
  const visit = (value: JsonValue, path: string, name: string, depth: number): void => {
    if (depth > 32 || leaves.length >= 10_000) return;
    if (Array.isArray(value)) {
      for (const element of value as readonly JsonValue[]) visit(element, `${path}[*]`, name, depth + 1);
    } else if (isJsonObject(value)) {
      for (const key of Object.keys(value)) {
        visit(own(value, key) ?? null, path === '' ? key : `${path}.${key}`, key, depth + 1);
      }
    } else leaves.push({ path, name, value, schema: bySchema.get(path) });
  };
  visit(sample.arguments, '', '', 0);
  return leaves;
}

/** `paths` stands for `paths[*]` as well: whoever declares a role for a list means what is in it. */
function isAt(path: string, declared: string): boolean {
  const plain = declared.replace(/^\$\.?/, '').replace(/\[\d+\]/g, '[*]');
  return path === plain || path.replace(/(?:\[\*\])+$/, '') === plain;
}

function namedRoles(sample: CallSample): readonly Held[] {
  return leavesOf(sample).flatMap(({ path, name, value, schema }) => {
    if (typeof value !== 'string' || value === '') return [];
    const hint = roleHint({ name, schema }, { name: sample.tool });
    return hint?.certain !== true || !decides(hint.role) ? [] : [{ role: hint.role, value, path }];
  });
}

const commandNames = /^(?:command|cmd|script|shell_command|bash|code)$/i;

/**
 * The arguments of a call that a role is for: those whose name says so, else every text in it. A command is held to the
 * role `command`, because no operator would declare it an identifier.
 */
function targetsOf(sample: CallSample, role: JsonValue): readonly Held[] {
  const texts = leavesOf(sample).filter(({ value }) => typeof value === 'string' && value !== '');
  const named = texts.filter(({ name, schema }) => {
    const hint = roleHint({ name, schema }, { name: sample.tool });
    return hint?.role === role || (role === 'host' && hint?.role === 'url');
  });
  return (named.length > 0 ? named : texts).map(({ path, name, value }) => ({
    role: role === 'id' && commandNames.test(name) ? 'command' : role,
    value,
    path,
  }));
}
