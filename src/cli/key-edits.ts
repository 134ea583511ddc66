import { isDeepStrictEqual } from 'node:util';
import { editYaml } from '../document/edit-yaml.ts';
import type { DocumentSource } from '../document/parse-document.ts';
import { formatProblem } from '../document/problems.ts';
import { type ApiKeyEntry, parseApiKeyFile } from '../identity/api-key-file.ts';
import { noRevocations, parseRevocations, type RevocationList } from '../identity/revocation-list.ts';
import type { JsonObject } from '../values/json.ts';

/** What is to become of the keys of a file. Prefixes name them. */
export interface KeyChange {
  readonly added?: readonly ApiKeyEntry[];
  /** Prefix -> its new `expiresAt`. */
  readonly expiring?: ReadonlyMap<string, string>;
  readonly removed?: ReadonlySet<string>;
}

/** The file cannot be read, or what would be written is not what was meant. Nothing is written then. */
export class UnfitFile extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnfitFile';
  }
}

/** The keys of a file. @param source without text: a file that is not there yet, and holds none. @throws UnfitFile */
export function keysOf(source: {
  readonly file: string;
  readonly text: string | undefined;
}): readonly ApiKeyEntry[] {
  if (source.text === undefined) return [];
  const parsed = parseApiKeyFile(source as DocumentSource);
  if (!parsed.ok) throw new UnfitFile(parsed.problems.map(formatProblem).join('\n'));
  return parsed.value.keys;
}

/**
 * The text of a key file after a change. Comments stay.
 *
 * Read again before it is given back: it holds every key that it should and no other, or nothing is to be written.
 *
 * @throws UnfitFile
 */
export function changeKeys(file: string, text: string | undefined, change: KeyChange): string {
  const { added = [], expiring = new Map<string, string>(), removed = new Set<string>() } = change;
  const before = keysOf({ file, text });
  const wanted = [
    ...before
      .filter(({ prefix }) => !removed.has(prefix))
      .map((entry) => {
        const expiresAt = expiring.get(entry.prefix);
        return expiresAt === undefined ? entry : { ...entry, expiresAt };
      }),
    ...added,
  ];
  const after = edited(file, () => {
    const editor = editYaml(text);
    for (const [index, { prefix }] of [...before.entries()].reverse()) {
      const expiresAt = expiring.get(prefix);
      if (expiresAt !== undefined) editor.set(['keys', index, 'expiresAt'], expiresAt);
      if (removed.has(prefix)) editor.remove(['keys', index]);
    }
    for (const entry of added) editor.append(['keys'], entry as unknown as JsonObject);
    return editor.text();
  });
  if (!isDeepStrictEqual(keysOf({ file, text: after }), wanted)) {
    throw new UnfitFile(`${file}: is written in a way that cannot be changed safely (anchors, perhaps)`);
  }
  return after;
}

/** The text of a deny list with these keys on it. Those that it has already are left as they are. @throws UnfitFile */
export function denyKeys(
  file: string,
  text: string | undefined,
  entries: readonly { readonly prefix: string; readonly at: string; readonly reason: string }[],
): string {
  const held = text === undefined ? undefined : listOf(file, text);
  const fresh = entries.filter(({ prefix }) => !denies(held, prefix));
  const after = edited(file, () => {
    const editor = editYaml(text);
    for (const entry of fresh) editor.append(['apiKeys'], { ...entry });
    return editor.text();
  });
  const counts = held?.counts ?? noRevocations.counts;
  const wanted = { ...counts, apiKeys: counts.apiKeys + fresh.length };
  const list = listOf(file, after);
  if (!isDeepStrictEqual(list.counts, wanted) || !entries.every(({ prefix }) => denies(list, prefix))) {
    throw new UnfitFile(`${file}: is written in a way that cannot be changed safely (anchors, perhaps)`);
  }
  return after;
}

function denies(list: RevocationList | undefined, prefix: string): boolean {
  return list?.find({ kind: 'apiKey', name: '', prefix, roles: [], expiresAt: undefined }) !== undefined;
}

function listOf(file: string, text: string): RevocationList {
  const parsed = parseRevocations({ file, text }, []);
  if (!parsed.ok) throw new UnfitFile(parsed.problems.map(formatProblem).join('\n'));
  return parsed.list;
}

function edited(file: string, edit: () => string): string {
  try {
    return edit();
  } catch (error) {
    throw new UnfitFile(`${file}: cannot be changed (${(error as Error).message})`);
  }
}
