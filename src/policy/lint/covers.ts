import type { ResourceKind } from '../access-request.ts';
import type { Scope } from '../model.ts';
import type { NamePattern } from '../pattern.ts';
import { compileScope, type TargetTexts } from '../scope.ts';

/**
 * Whether a pattern certainly matches whatever another one matches. Says no where it cannot tell: a warning that is wrong
 * is read once, and then no other.
 */
function coversPattern(wide: NamePattern, narrow: NamePattern, kind: ResourceKind): boolean {
  if (wide.text === narrow.text) return true;
  if (narrow.exact) return wide.matches(narrow.text);
  // What ends in a wildcard that nothing stops matches all that begins alike.
  const rest = wide.text.slice(wide.literal.length);
  const endless = kind === 'resource' ? rest === '**' : /^\*+$/.test(rest);
  return endless && narrow.literal.startsWith(wide.literal);
}

function coversUpstreams(wide: Scope, narrow: Scope): boolean {
  if (wide.upstreams === undefined) return true;
  return (
    (narrow.upstreams ?? []).length > 0 &&
    narrow.upstreams!.every((one) => wide.upstreams!.some((other) => coversPattern(other, one, 'tool')))
  );
}

/** Whether some of the wide ones together certainly cover every target of the narrow one. */
export function coversTargets(wides: readonly TargetTexts[], narrow: TargetTexts): boolean {
  const scope = compileScope(narrow);
  const scopes = wides.map(compileScope).filter((wide) => coversUpstreams(wide, scope));
  if (scope.names === undefined) return false;
  return [...scope.names].every(([kind, patterns]) =>
    patterns.every((pattern) =>
      scopes.some((wide) =>
        wide.names === undefined
          ? true
          : (wide.names.get(kind) ?? []).some((other) => coversPattern(other, pattern, kind)),
      ),
    ),
  );
}
