import type { DocumentPath } from '../document/problems.ts';
import type { Subject } from './access-request.ts';
import type { PolicyFile } from './compile.ts';
import type { RuleEffect } from './conditions/condition.ts';
import { compileWhen } from './conditions/when.ts';
import { Coverage } from './coverage.ts';
import type { AclEntryDocument, BindingDocument, LimitDocument, RuleDocument } from './document.ts';
import type {
  AclObject,
  CompiledBinding,
  CompiledLimit,
  CompiledPolicy,
  CompiledRule,
  LimitRow,
  Role,
  Scope,
} from './model.ts';
import { addToScopeIndex, compileScope, createScopeIndex } from './scope.ts';

/** Turns checked files into indexes. Roles of all files are added before anything that names them. */
export class PolicyBuilder {
  readonly #hash: string;
  readonly #roles = new Map<string, Role>();
  readonly #rules: CompiledRule[] = [];
  readonly #acl: AclObject[] = [];
  readonly #aclIndex = createScopeIndex<AclObject>();
  readonly #bindings: CompiledBinding[] = [];
  readonly #limits: CompiledLimit[] = [];
  readonly #limitIndex = createScopeIndex<LimitRow>();
  readonly #tools = new Set<string>();
  readonly #prompts = new Set<string>();
  #order = 0;

  constructor(hash: string) {
    this.#hash = hash;
  }

  addRoles(file: PolicyFile): void {
    for (const [name, document] of Object.entries(file.document.roles)) {
      const location = lineOf(file, ['roles', name]);
      const role: Role = { name, location, rules: createScopeIndex(), coverage: new Coverage() };
      this.#roles.set(name, role);
      for (const effect of ['allow', 'deny'] as const) {
        for (const [index, rule] of document[effect].entries()) {
          const scope = this.#scope(rule);
          const compiled = this.#rule(rule, {
            id: `roles.${name}.${effect}[${index}]`,
            location: lineOf(file, ['roles', name, effect, index]),
            effect,
            roles: [role],
            scope,
            shadow: rule.mode === 'shadow',
          });
          addToScopeIndex(role.rules, scope, compiled);
        }
      }
    }
  }

  addBindings(file: PolicyFile, compile: (document: BindingDocument) => (subject: Subject) => boolean): void {
    for (const [index, document] of file.document.bindings.entries()) {
      this.#bindings.push({
        id: `bindings[${index}]`,
        location: lineOf(file, ['bindings', index]),
        roles: document.roles.map((name) => this.#role(name)),
        matches: compile(document),
      });
    }
  }

  addAcl(file: PolicyFile): void {
    for (const [index, document] of file.document.acl.entries()) {
      const scope = this.#scope({
        tools: document.tool,
        resources: document.resource,
        prompts: document.prompt,
        upstreams: document.upstreams,
      });
      const entries = new Map<Role, CompiledRule[]>();
      for (const effect of ['allow', 'deny'] as const) {
        for (const [position, entry] of document[effect].entries()) {
          const roles = [...new Set(entry.roles)].map((name) => this.#role(name));
          const compiled = this.#rule(entry, {
            id: `acl[${index}].${effect}[${position}]`,
            location: lineOf(file, ['acl', index, effect, position]),
            effect,
            roles,
            scope,
            shadow: document.mode === 'shadow' || entry.mode === 'shadow',
          });
          for (const role of roles) entries.set(role, [...(entries.get(role) ?? []), compiled]);
        }
      }
      const object: AclObject = {
        id: document.id ?? `acl[${index}]`,
        location: lineOf(file, ['acl', index]),
        order: this.#order++,
        shadow: document.mode === 'shadow',
        scope,
        entries,
      };
      this.#acl.push(object);
      addToScopeIndex(this.#aclIndex, scope, object);
    }
  }

  addLimits(file: PolicyFile): void {
    for (const [index, document] of file.document.limits.entries()) {
      const scope = this.#scope(document.match);
      const limit = compileLimit(document, lineOf(file, ['limits', index]));
      const roles = document.match.roles;
      this.#limits.push(limit);
      addToScopeIndex(this.#limitIndex, scope, {
        limit,
        upstreams: scope.upstreams,
        roles: roles === undefined ? undefined : new Set(roles.map((name) => this.#role(name))),
      });
    }
  }

  finish(): CompiledPolicy {
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
        limitIndex: this.#limitIndex,
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
      shadow: boolean;
    },
  ): CompiledRule {
    const rule: CompiledRule = {
      id: document.id ?? place.id,
      location: place.location,
      order: this.#order++,
      effect: place.effect,
      roles: place.roles,
      actions: document.actions === undefined ? undefined : new Set(document.actions),
      when: compileWhen(document.when, place.effect),
      shadow: place.shadow,
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

function compileLimit(document: LimitDocument, location: string): CompiledLimit {
  const { name, per, rate, concurrency, mode } = document;
  return {
    name,
    per: [...new Set(per)],
    // Without a burst, a whole period's count may come at once: a rate of 30/min refuses nobody who makes 30 calls.
    ...(rate === undefined ? {} : { rate: { ...rate, burst: document.burst ?? rate.count } }),
    ...(concurrency === undefined ? {} : { concurrency }),
    mode,
    location,
  };
}

function lineOf(file: PolicyFile, path: DocumentPath): string {
  return `${file.file}:${file.locate(path).line}`;
}
