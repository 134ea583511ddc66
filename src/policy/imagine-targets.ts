import type { Action, ResourceKind } from './access-request.ts';
import type { PolicyDocument } from './document.ts';
import { compilePattern, type Separator } from './pattern.ts';
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

/**
 * What stands where a wildcard is. No text of the documents holds it: a rule for the very word would otherwise hide that
 * another one takes its wildcard away.
 */
export function fillerFor(documents: readonly PolicyDocument[]): string {
  const written = JSON.stringify(documents);
  for (let count = 1; ; count += 1) {
    const word = count === 1 ? 'anything' : `anything${count}`;
    if (!written.includes(word)) return word;
  }
}

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
  const filler = fillerFor(documents);
  const patterns = new Map<ResourceKind, Set<string>>(kinds.map((kind) => [kind, new Set()]));
  const places = new Set<string>(upstreams);
  for (const document of documents) {
    for (const texts of scopesOf(document)) {
      for (const text of texts.upstreams ?? []) places.add(instance(text, filler));
      for (const kind of kinds) for (const text of texts[memberOf[kind]] ?? []) patterns.get(kind)!.add(text);
    }
  }
  places.add(`${filler}-else`);
  const targets: ImaginedTarget[] = [];
  for (const upstream of places) {
    for (const kind of kinds) {
      for (const name of instances([...patterns.get(kind)!], kind, filler)) {
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

function instances(texts: readonly string[], kind: ResourceKind, filler: string): ReadonlySet<string> {
  const separator = kind === 'resource' ? '/' : undefined;
  const found = new Set(texts.flatMap((text) => instancesOf(text, separator, filler)));
  // What both an allow and a deny name: `get_*` and `*_secret` share `get_anything_secret`.
  const wild = texts.filter((text) => text.includes('*')).slice(0, mostCombined);
  const compiled = wild.map((text) => compilePattern(text, separator));
  for (const [index, one] of wild.entries()) {
    for (const [position, other] of wild.entries()) {
      if (index === position) continue;
      const candidate = one.replace(/\*+/, instance(other, filler)).replace(/\*+/g, filler);
      if (compiled[index]!.matches(candidate) && compiled[position]!.matches(candidate)) found.add(candidate);
    }
  }
  found.add(kind === 'resource' ? `${filler}-else:///${filler}` : `${filler}-else`);
  return found;
}

/** A name that the pattern matches. */
function instance(text: string, filler: string): string {
  return text.replace(/\*+/g, () => filler);
}

/** Names that the pattern matches: one that `*` would match as well, and where `**` says more, one that only it does. */
export function instancesOf(text: string, separator: Separator, filler: string): readonly string[] {
  const plain = instance(text, filler);
  if (separator === undefined || !text.includes('**')) return [plain];
  const across = text.replace(/\*+/g, (run) => (run.length > 1 ? `${filler}${separator}${filler}` : filler));
  return [plain, across];
}
