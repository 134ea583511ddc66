import { compileArgumentRule } from '../arguments/compile.ts';
import type { ArgumentRule } from '../arguments/rule.ts';
import { compileResultRule, type ResultRule } from '../results/rule.ts';
import type { Steps } from '../values/steps.ts';
import { ContentIndexBuilder } from './content-index.ts';
import { compileInTime, mapInTime } from './in-time.ts';
import type {
  CompiledPolicy,
  ContentRow,
  FlowRule,
  InTime,
  Role,
  Scope,
  TimeoutRule,
  ToolMark,
} from './model.ts';
import { lineIn, type PolicyFile } from './policy-file.ts';
import { compileScope } from './scope.ts';
import type { TrialDocument } from './trial.ts';

type ContentMatch = Parameters<typeof compileScope>[0] & { readonly roles?: readonly string[] | undefined };

/** What the sections say by name, in the terms of the policy that is being built. */
export interface Resolve {
  scope(match: ContentMatch): Scope;
  roles(names: readonly string[] | undefined): ReadonlySet<Role> | undefined;
}

type ContentParts = Pick<
  CompiledPolicy['parts'],
  'arguments' | 'results' | 'marks' | 'flows' | 'timeouts' | 'longestHold'
>;

/** Builds the sections about what calls carry, what comes back and how long it may take. They allow nothing by themselves. */
export class ContentBuilder {
  readonly #resolve: Resolve;
  readonly #arguments = new ContentIndexBuilder<ArgumentRule>();
  readonly #results = new ContentIndexBuilder<ResultRule>();
  readonly #marks = new ContentIndexBuilder<ToolMark>();
  readonly #flows: ContentRow<FlowRule>[] = [];
  readonly #timeouts = new ContentIndexBuilder<TimeoutRule>();

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  /** Roles of all files are known by then. */
  *add(file: PolicyFile): Steps<void> {
    for (const [index, section] of file.document.arguments.entries()) {
      const place = this.#place(section, file, ['arguments', index]);
      const rule = mapInTime(place, (one) => compileArgumentRule(section, one));
      this.#add(this.#arguments, section.match, rule);
      yield;
    }
    for (const [index, section] of file.document.results.entries()) {
      const place = this.#place(section, file, ['results', index]);
      const rule = mapInTime(place, (one) => compileResultRule(section, one));
      this.#add(this.#results, section.match, rule);
      yield;
    }
    for (const section of file.document.tools) {
      const { untrusted, egress } = section;
      const mark: ToolMark = { untrusted: untrusted === true, egress: egress === true };
      this.#add(this.#marks, section.match, { rule: mark, later: undefined });
      yield;
    }
    for (const [index, { id = `timeouts[${index}]`, total, match }] of file.document.timeouts.entries()) {
      this.#add(this.#timeouts, match, { rule: { id, total }, later: undefined });
      yield;
    }
    for (const [index, section] of file.document.flows.entries()) {
      const { per, hold, effect, match } = section;
      const place = this.#place(section, file, ['flows', index]);
      this.#flows.push({
        alone: mapInTime(place, (one): readonly FlowRule[] => [{ ...one, per, hold, effect }]),
        order: this.#flows.length,
        upstreams: compileScope({ upstreams: match.upstreams }).upstreams,
        roles: this.#resolve.roles(match.roles),
      });
    }
  }

  finish(): ContentParts {
    return {
      arguments: this.#arguments.finish(),
      results: this.#results.finish(),
      marks: this.#marks.finish(),
      flows: this.#flows,
      timeouts: this.#timeouts.finish(),
      longestHold: Math.max(0, ...this.#flows.flatMap(({ alone }) => alone.rule).map(({ hold }) => hold)),
    };
  }

  #place(
    section: TrialDocument & { readonly id?: string | undefined },
    file: PolicyFile,
    path: readonly [string, number],
  ): InTime<{ id: string; location: string; mode: 'enforce' | 'shadow' }> {
    const id = section.id ?? `${path[0]}[${path[1]}]`;
    const location = lineIn(file, path);
    return compileInTime(section, (mode) => ({ id, location, mode }));
  }

  #add<T>(builder: ContentIndexBuilder<T>, match: ContentMatch, rule: InTime<T>): void {
    builder.add(this.#resolve.scope(match), this.#resolve.roles(match.roles), rule);
  }
}
