import type { Steps } from '../values/steps.ts';
import { compileBinding } from './bindings.ts';
import { ContentBuilder } from './build-content.ts';
import { compileLimit } from './compile-limit.ts';
import type { DescribeCaller } from './conditions/cel.ts';
import type { RuleEffect } from './conditions/condition.ts';
import { compileWhen } from './conditions/when.ts';
import { Coverage } from './coverage.ts';
import { describeCaller } from './describe-subject.ts';
import type { AclEntryDocument, RuleDocument } from './document.ts';
import { compileInTime } from './in-time.ts';
import type {
  AclObject,
  CompiledBinding,
  CompiledLimit,
  CompiledPolicy,
  CompiledRule,
  LimitRow,
  Role,
  Scope,
  ScopeRule,
} from './model.ts';
import { lineIn, type PolicyFile } from './policy-file.ts';
import type { ScopeHierarchy } from './required-scopes.ts';
import { addToScopeIndex, compileScope, createScopeIndex } from './scope.ts';
import { joinTrials, type Trial, type TrialDocument, toTrial } from './trial.ts';

/** Turns checked files into indexes, in steps. Roles of all files are added before anything that names them. */
export class PolicyBuilder {
  readonly #hash: string;
  readonly #roles = new Map<string, Role>();
  readonly #rules: CompiledRule[] = [];
  readonly #acl: AclObject[] = [];
  readonly #aclIndex = createScopeIndex<AclObject>();
  readonly #bindings: CompiledBinding[] = [];
  readonly #scopes = createScopeIndex<ScopeRule>();
  readonly #limits: CompiledLimit[] = [];
  readonly #limitIndex = createScopeIndex<LimitRow>();
  readonly #content = new ContentBuilder({
    scope: (match) => this.#scope(match),
    roles: (names) => this.#roleSet(names),
  });
  readonly #tools = new Set<string>();
  readonly #prompts = new Set<string>();
  readonly #hierarchy: ScopeHierarchy;
  #scopeCount = 0;
  #dated = false;
  #order = 0;

  #policy: CompiledPolicy | undefined;
  /** Conditions are asked once there is a policy, and then they may ask for the roles that it gives. */
  readonly #describe: DescribeCaller = (subject) => describeCaller(subject, this.#policy!);

  constructor(hash: string, hierarchy: ScopeHierarchy) {
    this.#hash = hash;
    this.#hierarchy = hierarchy;
  }

  *addRoles(file: PolicyFile): Steps<void> {
    for (const [name, document] of Object.entries(file.document.roles)) {
      const location = lineIn(file, ['roles', name]);
      const role: Role = {
        name,
        location,
        rules: createScopeIndex(),
        coverage: new Coverage(),
        priority: document.priority ?? 'normal',
      };
      this.#roles.set(name, role);
      for (const effect of ['allow', 'deny'] as const) {
        for (const [index, rule] of document[effect].entries()) {
          const scope = this.#scope(rule);
          const compiled = this.#rule(rule, {
            id: `roles.${name}.${effect}[${index}]`,
            location: lineIn(file, ['roles', name, effect, index]),
            effect,
            roles: [role],
            scope,
            trial: this.#trial(rule),
          });
          addToScopeIndex(role.rules, scope, compiled);
          yield;
        }
      }
    }
  }

  *addBindings(file: PolicyFile): Steps<void> {
    for (const [index, document] of file.document.bindings.entries()) {
      this.#bindings.push({
        id: `bindings[${index}]`,
        location: lineIn(file, ['bindings', index]),
        roles: document.roles.map((name) => this.#role(name)),
        ...compileBinding(document, this.#hierarchy),
      });
      yield;
    }
  }

  *addAcl(file: PolicyFile): Steps<void> {
    for (const [index, document] of file.document.acl.entries()) {
      const scope = this.#scope({
        tools: document.tool,
        resources: document.resource,
        prompts: document.prompt,
        upstreams: document.upstreams,
      });
      const trial = this.#trial(document);
      const entries = new Map<Role, CompiledRule[]>();
      for (const effect of ['allow', 'deny'] as const) {
        for (const [position, entry] of document[effect].entries()) {
          const roles = [...new Set(entry.roles)].map((name) => this.#role(name));
          const compiled = this.#rule(entry, {
            id: `acl[${index}].${effect}[${position}]`,
            location: lineIn(file, ['acl', index, effect, position]),
            effect,
            roles,
            scope,
            trial: joinTrials(trial, this.#trial(entry)),
          });
          for (const role of roles) entries.set(role, [...(entries.get(role) ?? []), compiled]);
          yield;
        }
      }
      const object: AclObject = {
        id: document.id ?? `acl[${index}]`,
        location: lineIn(file, ['acl', index]),
        order: this.#order++,
        ...trial,
        scope,
        entries,
      };
      this.#acl.push(object);
      addToScopeIndex(this.#aclIndex, scope, object);
    }
  }

  *addScopes(file: PolicyFile): Steps<void> {
    for (const [index, document] of file.document.scopes.entries()) {
      const scope = this.#scope(document.match);
      const rule: ScopeRule = {
        id: document.id ?? `scopes[${index}]`,
        location: lineIn(file, ['scopes', index]),
        order: this.#scopeCount++,
        ...this.#trial(document),
        scope,
        roles: this.#roleSet(document.match.roles),
        scopes: [...new Set(document.scopes)],
      };
      addToScopeIndex(this.#scopes, scope, rule);
      yield;
    }
  }

  *addLimits(file: PolicyFile): Steps<void> {
    for (const [index, document] of file.document.limits.entries()) {
      const scope = this.#scope(document.match);
      const location = lineIn(file, ['limits', index]);
      const limit = compileInTime(document, (mode) => compileLimit(document, mode, location));
      const order = this.#limits.push(limit.rule) - 1;
      addToScopeIndex(this.#limitIndex, scope, {
        limit,
        order,
        upstreams: scope.upstreams,
        roles: this.#roleSet(document.match.roles),
      });
      yield;
    }
  }

  addContentRules(file: PolicyFile): Steps<void> {
    return this.#content.add(file);
  }

  #trial(document: TrialDocument): Trial {
    const trial = toTrial(document);
    this.#dated ||= trial.shadow && trial.until !== Number.POSITIVE_INFINITY;
    return trial;
  }

  #roleSet(names: readonly string[] | undefined): ReadonlySet<Role> | undefined {
    return names === undefined ? undefined : new Set(names.map((name) => this.#role(name)));
  }

  finish(): CompiledPolicy {
    this.#policy = this.#assemble();
    return this.#policy;
  }

  #assemble(): CompiledPolicy {
    return {
      hash: this.#hash,
      limits: this.#limits,
      knownNames: { tools: this.#tools, prompts: this.#prompts },
      parts: {
        roles: this.#roles,
        rules: this.#rules,
        acl: this.#acl,
        aclIndex: this.#aclIndex,
        bindings: this.#bindings,
        scopes: { count: this.#scopeCount, index: this.#scopes },
        hierarchy: this.#hierarchy,
        limitIndex: this.#limitIndex,
        ...this.#content.finish(),
        dated: this.#dated,
        roleSets: new WeakMap(),
      },
    };
  }

  #rule(
    document: RuleDocument | AclEntryDocument,
    place: {
      id: string;
      location: string;
      effect: RuleEffect;
      roles: readonly Role[];
      scope: Scope;
      trial: Trial;
    },
  ): CompiledRule {
    const rule: CompiledRule = {
      id: document.id ?? place.id,
      location: place.location,
      order: this.#order++,
      effect: place.effect,
      roles: place.roles,
      actions: document.actions === undefined ? undefined : new Set(document.actions),
      when: compileWhen(document.when, place.effect, this.#describe),
      ...place.trial,
      auditArguments: document.audit === 'arguments',
      scope: place.scope,
    };
    this.#rules.push(rule);
    if (rule.effect === 'allow') for (const role of rule.roles) role.coverage.add(rule);
    return rule;
  }

  #scope(texts: Parameters<typeof compileScope>[0]): Scope {
    const scope = compileScope(texts);
    for (const pattern of scope.names?.get('tool') ?? []) if (pattern.exact) this.#tools.add(pattern.text);
    for (const pattern of scope.names?.get('prompt') ?? [])
      if (pattern.exact) this.#prompts.add(pattern.text);
    return scope;
  }

  #role(name: string): Role {
    const role = this.#roles.get(name);
    if (role === undefined) throw new TypeError('references to roles are checked before anything is built');
    return role;
  }
}
