import { compileArgumentRule } from '../arguments/compile.ts';
import type { ArgumentRule } from '../arguments/rule.ts';
import type { DocumentPath } from '../document/problems.ts';
import { compileResultRule, type ResultRule } from '../results/rule.ts';
import type { Subject } from './access-request.ts';
import type { PolicyFile } from './compile.ts';
import type { RuleEffect } from './conditions/condition.ts';
import { compileWhen } from './conditions/when.ts';
import { ContentIndexBuilder } from './content-index.ts';
import { Coverage } from './coverage.ts';
import type { AclEntryDocument, BindingDocument, LimitDocument, RuleDocument } from './document.ts';
import type {
  AclObject,
  CompiledBinding,
  CompiledLimit,
  CompiledPolicy,
  CompiledRule,
  ContentRow,
  FlowRule,
  LimitRow,
  Role,
  Scope,
  ToolMark,
} from './model.ts';
import { addToScopeIndex, compileScope, createScopeIndex } from './scope.ts';

type ContentMatch = Parameters<typeof compileScope>[0] & { readonly roles?: readonly string[] | undefined };

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
  readonly #arguments = new ContentIndexBuilder<ArgumentRule>();
  readonly #results = new ContentIndexBuilder<ResultRule>();
  readonly #marks = new ContentIndexBuilder<ToolMark>();
  readonly #flows: Omit<ContentRow<FlowRule>, 'alone'>[] = [];
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
      this.#limits.push(limit);
      addToScopeIndex(this.#limitIndex, scope, {
        limit,
        upstreams: scope.upstreams,
        roles: this.#roleSet(document.match.roles),
      });
    }
  }

  addContentRules(file: PolicyFile): void {
    for (const [index, section] of file.document.arguments.entries()) {
      const place = this.#place(section, file, ['arguments', index]);
      this.#content(this.#arguments, section.match, compileArgumentRule(section, place));
    }
    for (const [index, section] of file.document.results.entries()) {
      const place = this.#place(section, file, ['results', index]);
      this.#content(this.#results, section.match, compileResultRule(section, place));
    }
    for (const section of file.document.tools) {
      const { untrusted, egress } = section;
      this.#content(this.#marks, section.match, { untrusted: untrusted === true, egress: egress === true });
    }
    for (const [index, section] of file.document.flows.entries()) {
      const { per, hold, effect, match } = section;
      const rule: FlowRule = { ...this.#place(section, file, ['flows', index]), per, hold, effect };
      this.#flows.push({
        rule,
        order: this.#flows.length,
        upstreams: compileScope({ upstreams: match.upstreams }).upstreams,
        roles: this.#roleSet(match.roles),
      });
    }
  }

  #place(
    section: { readonly id?: string | undefined; readonly mode: 'enforce' | 'shadow' },
    file: PolicyFile,
    path: readonly [string, number],
  ): { id: string; location: string; mode: 'enforce' | 'shadow' } {
    return {
      id: section.id ?? `${path[0]}[${path[1]}]`,
      location: lineOf(file, path),
      mode: section.mode,
    };
  }

  #content<T>(builder: ContentIndexBuilder<T>, match: ContentMatch, rule: T): void {
    builder.add(this.#scope(match), this.#roleSet(match.roles), rule);
  }

  #roleSet(names: readonly string[] | undefined): ReadonlySet<Role> | undefined {
    return names === undefined ? undefined : new Set(names.map((name) => this.#role(name)));
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
        arguments: this.#arguments.finish(),
        results: this.#results.finish(),
        marks: this.#marks.finish(),
        flows: this.#flows,
        longestHold: Math.max(0, ...this.#flows.map(({ rule }) => rule.hold)),
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
