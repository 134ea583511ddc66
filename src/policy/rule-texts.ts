import type { AccessRequest } from './access-request.ts';
import { rolesOf } from './bindings.ts';
import type { ComparedPolicy } from './compare.ts';
import type { RuleEffect } from './conditions/condition.ts';
import { testKnown } from './conditions/when.ts';
import { coversAction } from './covers-action.ts';
import type { AclObject, CompiledPolicy, CompiledRule } from './model.ts';
import { coversUpstream, findInScope } from './scope.ts';
import { isOnTrial } from './trial.ts';

/** A rule that names a target, as it stands in its file but for its name, description and targets. */
export interface RuleText {
  readonly effect: RuleEffect;
  /** Whether it has conditions at all. */
  readonly conditional: boolean;
  /** Whether it has conditions about the request: arguments, network, time. */
  readonly passing: boolean;
  /** Whether it holds whatever the request is: all its conditions are about the caller and the target, and hold. */
  readonly holds: boolean;
  readonly text: string;
  /** Whether it is an entry of an ACL object. */
  readonly acl: boolean;
}

/** What policy says about one request, as it is written. */
export interface AboutRequest {
  readonly rules: readonly RuleText[];
  /** Whether an ACL object protects the target. */
  readonly isProtected: boolean;
}

/** Finds the written form of the rules that have a say about a request. */
export class RuleTexts {
  readonly #policy: CompiledPolicy;
  readonly #written = new Map<string, string>();

  constructor({ policy, files }: ComparedPolicy) {
    this.#policy = policy;
    for (const { file, document, locate } of files) {
      const add = (path: readonly (string | number)[], id: string | undefined, rule: object): void => {
        const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
        this.#written.set(`${id ?? place.slice(1)} ${file}:${locate(path).line}`, meaningOf(rule));
      };
      for (const [name, role] of Object.entries(document.roles)) {
        for (const effect of ['allow', 'deny'] as const) {
          for (const [index, rule] of role[effect].entries())
            add(['roles', name, effect, index], rule.id, rule);
        }
      }
      for (const [index, object] of document.acl.entries()) {
        for (const effect of ['allow', 'deny'] as const) {
          for (const [at, entry] of object[effect].entries())
            add(['acl', index, effect, at], entry.id, entry);
        }
      }
    }
  }

  #textOf(rule: CompiledRule): string {
    const text = this.#written.get(`${rule.id} ${rule.location}`);
    // Any other word for it would make all unknown rules look alike, and hide what changed.
    if (text === undefined) throw new TypeError(`${rule.id} (${rule.location}) is not in the files compared`);
    return text;
  }

  /** Rules in force that name the target, of the subject's roles; those of ACL objects among them. */
  about(request: AccessRequest): AboutRequest {
    const { subject, resource, context } = request;
    const { upstream, kind, name } = resource;
    const { time } = context;
    const { roles } = rolesOf(subject, this.#policy);
    const rules: CompiledRule[] = [];
    for (const role of roles) findInScope(role.rules, upstream, kind, name, rules);
    const found: AclObject[] = [];
    findInScope(this.#policy.parts.aclIndex, upstream, kind, name, found);
    const objects = found.filter(
      (object) => !isOnTrial(object, time) && coversUpstream(object.scope.upstreams, upstream),
    );
    const entries = objects.flatMap((object) => roles.flatMap((role) => object.entries.get(role) ?? []));
    const inForce = (rule: CompiledRule): boolean =>
      !isOnTrial(rule, time) && coversUpstream(rule.scope.upstreams, upstream) && coversAction(rule, request);
    const write = (acl: boolean) => (rule: CompiledRule) => ({
      effect: rule.effect,
      conditional: rule.when !== undefined,
      passing: (rule.when?.passing.length ?? 0) > 0,
      holds: (rule.when?.passing.length ?? 0) === 0 && testKnown(rule.when, request) === 'true',
      text: `${rule.effect} ${this.#textOf(rule)}`,
      acl,
    });
    return {
      rules: [
        ...[...new Set(rules)].filter(inForce).map(write(false)),
        ...[...new Set(entries)].filter(inForce).map(write(true)),
      ],
      isProtected: objects.length > 0,
    };
  }
}

const notMeaning: ReadonlySet<string> = new Set([
  'id',
  'description',
  'tools',
  'resources',
  'prompts',
  'methods',
  'upstreams',
  'actions',
  'roles',
  'audit',
  // Only rules in force are asked about: a trial that has ended says no more.
  'mode',
  'until',
]);

function meaningOf(rule: object): string {
  const entries = Object.entries(rule).filter(([key, value]) => !notMeaning.has(key) && value !== undefined);
  return entries.length === 0 ? 'always' : JSON.stringify(Object.fromEntries(entries.sort()));
}
