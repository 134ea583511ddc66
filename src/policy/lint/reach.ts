import { suggestion } from '../../document/did-you-mean.ts';
import { compilePattern } from '../pattern.ts';
import { coversUpstream } from '../scope.ts';
import { coversTargets } from './covers.ts';
import { rulesOf, targetsIn, targetsOfObject } from './walk.ts';
import { itemPath, type Lint, warn } from './warning.ts';

/** `upstreams:` that name none of the gateway's. */
export const unknownUpstreams: Lint = function* (files, { upstreams: known }) {
  if (known === undefined) return;
  for (const { file, path, targets } of targetsIn(files)) {
    for (const [at, text] of (targets.upstreams ?? []).entries()) {
      const pattern = compilePattern(text, undefined);
      if (known.some((name) => pattern.matches(name))) continue;
      const hint = pattern.exact ? suggestion(text, known) : '';
      yield warn(
        file,
        itemPath(file, [...path, 'upstreams'], at),
        'upstream-unknown',
        `no upstream is named "${text}"${hint}`,
      );
    }
  }
};

/** Names of tools that no upstream lists. Nothing is said where a list that counts is not known. */
export const unlistedTools: Lint = function* (files, { upstreams = [], tools: lists }) {
  if (lists === undefined) return;
  for (const { file, path, targets } of targetsIn(files)) {
    const patterns = targets.upstreams?.map((text) => compilePattern(text, undefined));
    const meant = upstreams.filter((name) => coversUpstream(patterns, name));
    if (meant.length === 0 || meant.some((name) => !lists.has(name))) continue;
    const listed = meant.flatMap((name) => [...lists.get(name)!]);
    for (const [at, text] of (targets.tools ?? []).entries()) {
      const pattern = compilePattern(text, undefined);
      if (listed.some((name) => pattern.matches(name))) continue;
      const hint = pattern.exact ? suggestion(text, listed) : '';
      const member = path[0] === 'acl' ? 'tool' : 'tools';
      const where = meant.map((name) => `"${name}"`).join(', ');
      const list = meant.length === 1 ? 'lists' : 'list';
      yield warn(
        file,
        itemPath(file, [...path, member], at),
        'tool-unlisted',
        `${where} ${list} no tool "${text}"${hint}`,
      );
    }
  }
};

/** Allow rules that a deny, or the protection of an object, always beats. */
export const shadowedRules: Lint = function* (files) {
  const rules = [...rulesOf(files)];
  const objects = files.flatMap((file) =>
    file.document.acl.filter(({ mode }) => mode === 'enforce').map(targetsOfObject),
  );
  for (const { file, path, role, effect, rule } of rules) {
    if (effect === 'deny') continue;
    const denies = rules.filter(
      (other) =>
        other.effect === 'deny' &&
        other.role === role &&
        other.rule.mode === 'enforce' &&
        other.rule.when === undefined &&
        (other.rule.actions === undefined ||
          (rule.actions?.every((action) => other.rule.actions?.includes(action)) ?? false)),
    );
    if (
      coversTargets(
        denies.map((deny) => deny.rule),
        rule,
      )
    ) {
      const message = `denies of role "${role}" are at least as wide: this allows nothing`;
      yield warn(file, path, 'shadowed', message);
    } else if (coversTargets(objects, rule)) {
      const message =
        'protected objects are at least as wide: only entries of "acl" count, and this allows nothing';
      yield warn(file, path, 'shadowed-by-acl', message);
    }
  }
};
