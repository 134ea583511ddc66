import { parseValuePath } from '../values/value-path.ts';
import { compileRewrites, type RewriteDocument } from './rewrites.ts';
import type { Role, RoleKind } from './role.ts';
import { type ArgumentEntry, type ArgumentNode, buildTree } from './tree.ts';

/** What a rule says of one argument, as its schema lets it through. */
export type ArgumentSpec = RewriteDocument & {
  readonly required?: boolean | undefined;
  readonly forbidden?: true | undefined;
  readonly nullable?: boolean | undefined;
};

/** @param table the roles that may be given, by the key that gives them */
export function compileValues(
  specs: Readonly<Record<string, ArgumentSpec>>,
  table: Readonly<Record<string, RoleKind>>,
): ArgumentNode {
  return buildTree(
    Object.entries(specs).map(([text, spec]) => {
      const path = parseValuePath(text);
      if (path === undefined) throw new TypeError('the schema lets only paths through');
      return [path, compileEntry(spec, table)] as const;
    }),
  );
}

/** The role that a specification gives; undefined where it gives none. */
export function compileRole(spec: ArgumentSpec, table: Readonly<Record<string, RoleKind>>): Role | undefined {
  for (const [name, kind] of Object.entries(table)) {
    const options = (spec as Readonly<Record<string, unknown>>)[name];
    if (options !== undefined) return kind.compile(options);
  }
  return undefined;
}

function compileEntry(spec: ArgumentSpec, table: Readonly<Record<string, RoleKind>>): ArgumentEntry {
  const onText = spec.strip !== undefined || spec.normalize !== undefined;
  return {
    role: compileRole(spec, table),
    required: spec.required === true,
    forbidden: spec.forbidden === true,
    nullable: spec.nullable === true,
    rewrites: compileRewrites(spec),
    needs: onText ? 'text' : spec.clamp === undefined ? undefined : 'number',
  };
}
