import type { AccessRequest, Decision, Reason, ReasonCode } from './access-request.ts';
import { blameWhen, testKnown, testStanding, testWhen } from './conditions/when.ts';
import { coversAction } from './covers-action.ts';
import type { AclObject, CompiledRule, Role, RuleOrigin } from './model.ts';
import type { MissingScopes } from './required-scopes.ts';
import { isOnTrial } from './trial.ts';

/** Agreeing reasons that a decision carries. A record of a call needs a few; a wide policy could supply hundreds. */
const mostReasons = 8;

/** What rules say about one request: as enforced, and as it would be with the shadow rules. */
export class Hearing {
  readonly #request: AccessRequest;
  readonly #denies: CompiledRule[] = [];
  readonly #allows: CompiledRule[] = [];
  readonly #aclAllows: CompiledRule[] = [];
  /** Allow rules that name the target, but whose conditions do not hold. */
  readonly #failed: CompiledRule[] = [];
  readonly #aclFailed: CompiledRule[] = [];
  readonly #protectors: AclObject[] = [];
  readonly #shadow: {
    deny: CompiledRule | undefined;
    allow: CompiledRule | undefined;
    aclAllow: CompiledRule | undefined;
    protector: AclObject | undefined;
    implied: CompiledRule | undefined;
  } = { deny: undefined, allow: undefined, aclAllow: undefined, protector: undefined, implied: undefined };
  #missing: readonly MissingScopes[] = [];
  #missingOnTrial: readonly MissingScopes[] = [];
  #implied: CompiledRule | undefined;
  #hidden = false;
  #maybe = false;
  #aclMaybe = false;
  #auditArguments = false;

  constructor(request: AccessRequest) {
    this.#request = request;
  }

  /** Takes in a rule of the subject's roles that names the target. Hearing one twice changes nothing. */
  hear(rule: CompiledRule, acl: boolean): void {
    if (!coversAction(rule, this.#request)) return;
    const truth = testWhen(rule.when, this.#request);
    const onTrial = isOnTrial(rule, this.#request.context.time);
    if (rule.effect === 'deny') {
      if (truth === 'false') return;
      if (onTrial) {
        this.#shadow.deny = earlier(this.#shadow.deny, rule);
        return;
      }
      this.#denies.push(rule);
      this.#auditArguments ||= rule.auditArguments;
      if (rule.when === undefined || rule.when.passing.length === 0) this.#hidden = true;
      return;
    }
    if (onTrial) {
      if (truth !== 'true') return;
      if (acl) this.#shadow.aclAllow = earlier(this.#shadow.aclAllow, rule);
      else this.#shadow.allow = earlier(this.#shadow.allow, rule);
      return;
    }
    if (truth === 'true') {
      (acl ? this.#aclAllows : this.#allows).push(rule);
      this.#auditArguments ||= rule.auditArguments;
    } else (acl ? this.#aclFailed : this.#failed).push(rule);
    if (truth === 'true' || testKnown(rule.when, this.#request) === 'true') {
      if (acl) this.#aclMaybe = true;
      else this.#maybe = true;
    }
  }

  /** Takes in an ACL object that matches the target, with the entries for the subject's roles. */
  hearAcl(object: AclObject, roles: readonly Role[]): void {
    if (isOnTrial(object, this.#request.context.time)) {
      this.#shadow.protector = earlier(this.#shadow.protector, object);
    } else this.#protectors.push(object);
    for (const role of roles) {
      for (const entry of object.entries.get(role) ?? []) this.hear(entry, true);
    }
  }

  /** Takes in what `scopes:` asks for and the subject's token does not have. */
  lack(missing: readonly MissingScopes[], onTrial: readonly MissingScopes[]): void {
    this.#missing = missing;
    this.#missingOnTrial = onTrial;
  }

  /** Looks for any allow rule on the upstream, whatever it names. */
  imply(roles: readonly Role[]): void {
    const { upstream } = this.#request.resource;
    for (const role of roles) {
      const found = role.coverage.some(upstream, (rule) => {
        if (testStanding(rule.when, this.#request) !== 'true') return false;
        const onTrial = isOnTrial(rule, this.#request.context.time);
        if (onTrial) this.#shadow.implied = earlier(this.#shadow.implied, rule);
        else this.#implied = rule;
        return !onTrial;
      });
      if (found) return;
    }
  }

  decision(): Decision {
    const isProtected = this.#protectors.length > 0;
    const allowed = isProtected
      ? this.#aclAllows.length > 0
      : this.#allows.length + this.#aclAllows.length > 0 || this.#implied !== undefined;
    const granted = this.#denies.length === 0 && allowed;
    const effect = granted && this.#missing.length === 0 ? 'allow' : 'deny';
    const maybe = this.#aclMaybe || (!isProtected && (this.#maybe || this.#implied !== undefined));
    const reasons = granted ? this.#whyAllowed(isProtected, effect) : this.#whyDenied(isProtected);
    const shadow = this.#shadowed(granted);
    return {
      effect,
      reasons,
      visible: granted || (maybe && !this.#hidden),
      obligations: { auditArguments: this.#auditArguments },
      ...(shadow === undefined ? {} : { shadow }),
    };
  }

  /** By rules; a token that lacks a scope is denied all the same. */
  #whyAllowed(isProtected: boolean, effect: Decision['effect']): Decision['reasons'] {
    if (effect === 'deny') {
      const [first, ...others] = this.#missing.slice(0, mostReasons);
      return [scopeReason(first!), ...others.map(scopeReason)];
    }
    const rules = isProtected ? this.#aclAllows : [...this.#allows, ...this.#aclAllows];
    if (rules.length === 0) return [reason('implied', this.#implied)];
    return reasonsOf(rules, (rule) => reason('allowed', rule));
  }

  #whyDenied(isProtected: boolean): Decision['reasons'] {
    if (this.#denies.length > 0)
      return reasonsOf(this.#denies, (rule) => this.#because('denied-by-rule', rule));
    const failed = isProtected ? this.#aclFailed : [...this.#failed, ...this.#aclFailed];
    if (failed.length > 0) return reasonsOf(failed, (rule) => this.#because('condition-failed', rule));
    if (isProtected) return reasonsOf(this.#protectors, (object) => reason('denied-by-acl', object));
    return [reason('no-rule', undefined)];
  }

  #because(code: ReasonCode, rule: CompiledRule): Reason {
    const condition = rule.when === undefined ? undefined : blameWhen(rule.when, this.#request);
    return condition === undefined ? reason(code, rule) : { ...reason(code, rule), condition };
  }

  /** The effect with shadow rules, where it is another one. @param granted by rules as they are enforced */
  #shadowed(granted: boolean): Decision['shadow'] {
    const changed = granted ? this.#shadowDeny() : this.#shadowAllow();
    // Where a scope is missing, nothing that roles say changes the outcome.
    if (this.#missing.length > 0) return undefined;
    const [scopes] = this.#missingOnTrial;
    if (scopes === undefined) return changed;
    return granted ? (changed ?? { effect: 'deny', reason: scopeReason(scopes) }) : undefined;
  }

  #shadowDeny(): Decision['shadow'] {
    const { deny, aclAllow, protector } = this.#shadow;
    if (deny !== undefined) return { effect: 'deny', reason: this.#because('denied-by-rule', deny) };
    if (protector === undefined) return undefined;
    if (this.#aclAllows.length > 0 || aclAllow !== undefined) return undefined;
    return { effect: 'deny', reason: reason('denied-by-acl', protector) };
  }

  #shadowAllow(): Decision['shadow'] {
    const { deny, allow, aclAllow, protector, implied } = this.#shadow;
    if (this.#denies.length > 0 || deny !== undefined) return undefined;
    if (aclAllow !== undefined) return { effect: 'allow', reason: reason('allowed', aclAllow) };
    if (this.#protectors.length > 0 || protector !== undefined) return undefined;
    if (allow !== undefined) return { effect: 'allow', reason: reason('allowed', allow) };
    return implied === undefined ? undefined : { effect: 'allow', reason: reason('implied', implied) };
  }
}

function scopeReason({ rule, missing }: MissingScopes): Reason {
  return { ...reason('scope-missing', rule), condition: `scopes.${missing[0]}` };
}

function reason(code: ReasonCode, origin: RuleOrigin | undefined): Reason {
  return { code, rule: origin?.id, location: origin?.location };
}

function reasonsOf<T extends RuleOrigin & { readonly order: number }>(
  rules: readonly T[],
  toReason: (rule: T) => Reason,
): Decision['reasons'] {
  const [first, ...others] =
    rules.length === 1 ? rules : [...new Set(rules)].sort((a, b) => a.order - b.order).slice(0, mostReasons);
  return [toReason(first!), ...others.map(toReason)];
}

function earlier<T extends { readonly order: number }>(known: T | undefined, candidate: T): T {
  return known === undefined || candidate.order < known.order ? candidate : known;
}
