import type { Action, ResourceKind } from './access-request.ts';
import type { PolicyDocument } from './document.ts';
import { compilePattern } from './pattern.ts';
import type { TargetTexts } from './scope.ts';

/** One target that policies could tell from others. */
export interface ImaginedTarget {
  readonly upstream: string;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly action: Action;
  /** See `AccessRequest.resource.implied`. */
  readonly implied: boolean;
}

/** What stands where a wildcard is: nobody writes it in a rule. */
export const filler = 'anything';

const kinds: readonly ResourceKind[] = ['tool', 'resource', 'prompt', 'method'];

const memberOf = { tool: 'tools', resource: 'resources', prompt: 'prompts', method: 'methods' } as const;

const actionsOf: Readonly<Record<ResourceKind, readonly Action[]>> = {
  tool: ['call'],
  resource: ['read', 'subscribe', 'complete', 'ask'],
  prompt: ['get', 'complete'],
  method: ['use', 'ask'],
};

/** Names of one kind are combined pairwise up to this many patterns: the pairs grow with its square. */
const mostCombined = 300;

/**
 * Every target that these policies can tell apart: an instance of each pattern, instances that two patterns share, and
 * one that none names, on each upstream that is named and one that is not.
 *
 * @param upstreams further upstreams that exist
 */
export function imagineTargets(
  documents: readonly PolicyDocument[],
  upstreams: readonly string[] = [],
): readonly ImaginedTarget[] {
  const patterns = new Map<ResourceKind, Set<string>>(kinds.map((kind) => [kind, new Set()]));
  const places = new Set<string>(upstreams);
  for (const document of documents) {
    for (const texts of scopesOf(document)) {
      for (const text of texts.upstreams ?? []) places.add(instance(text));
      for (const kind of kinds) for (const text of texts[memberOf[kind]] ?? []) patterns.get(kind)!.add(text);
    }
  }
  places.add(`${filler}-else`);
  const targets: ImaginedTarget[] = [];
  for (const upstream of places) {
    for (const kind of kinds) {
      for (const name of instances([...patterns.get(kind)!], kind)) {
        for (const action of actionsOf[kind]) targets.push({ upstream, kind, name, action, implied: false });
      }
    }
    targets.push({ upstream, kind: 'method', name: 'tools/list', action: 'use', implied: true });
  }
  return targets;
}

function* scopesOf(document: PolicyDocument): Generator<TargetTexts> {
  for (const { allow, deny } of Object.values(document.roles)) yield* [...allow, ...deny];
  for (const { match } of document.scopes) yield match;
  for (const { tool, resource, prompt, upstreams } of document.acl) {
    yield { tools: tool, resources: resource, prompts: prompt, upstreams };
  }
}

function instances(texts: readonly string[], kind: ResourceKind): ReadonlySet<string> {
  const separator = kind === 'resource' ? '/' : undefined;
  const found = new Set(texts.map(instance));
  // What both an allow and a deny name: `get_*` and `*_secret` share `get_anything_secret`.
  const wild = texts.filter((text) => text.includes('*')).slice(0, mostCombined);
  const compiled = wild.map((text) => compilePattern(text, separator));
  for (const [index, one] of wild.entries()) {
    for (const [position, other] of wild.entries()) {
      if (index === position) continue;
      const candidate = one.replace(/\*+/, instance(other)).replace(/\*+/g, filler);
      if (compiled[index]!.matches(candidate) && compiled[position]!.matches(candidate)) found.add(candidate);
    }
  }
  found.add(kind === 'resource' ? `${filler}-else:///${filler}` : `${filler}-else`);
  return found;
}

/** A name that the pattern matches. */
export function instance(text: string): string {
  return text.replace(/\*+/g, filler);
}
