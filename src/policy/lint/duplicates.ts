import type { DocumentPath } from '../../document/problems.ts';
import type { PolicyFile } from '../policy-file.ts';
import { rulesOf } from './walk.ts';
import { type Lint, warn } from './warning.ts';

/** The same rule of one role, or the same binding, protection or entry of `scopes:`, twice. */
export const duplicates: Lint = function* (files) {
  const seen = new Map<string, string>();
  const again = (file: PolicyFile, path: DocumentPath, key: string, document: object): string | undefined => {
    const { id: _id, description: _description, ...meaning } = document as Record<string, unknown>;
    const text = `${key} ${canonical(meaning)}`;
    const first = seen.get(text);
    if (first === undefined) seen.set(text, `${file.file}:${file.locate(path).line}`);
    return first;
  };
  const message = (first: string) => `says the same as ${first}`;
  for (const { file, path, role, effect, rule } of rulesOf(files)) {
    const first = again(file, path, `${role} ${effect}`, rule);
    if (first !== undefined) yield warn(file, path, 'duplicate', message(first));
  }
  for (const file of files) {
    for (const section of ['bindings', 'acl', 'scopes'] as const) {
      for (const [index, document] of file.document[section].entries()) {
        const first = again(file, [section, index], section, document);
        if (first !== undefined) yield warn(file, [section, index], 'duplicate', message(first));
      }
    }
  }
};

/** JSON with sorted keys: their order means nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
