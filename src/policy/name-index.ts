import type { NamePattern } from './pattern.ts';

/**
 * Items by name pattern: a map for exact names, a radix trie over the literal beginnings of the others. Looking a
 * name up touches only items whose literal beginning is a beginning of the name, however many others there are.
 */
export class NameIndex<T> {
  readonly #exact = new Map<string, T[]>();
  readonly #root: TrieNode<T> = { label: '', entries: [], children: new Map() };

  add(pattern: NamePattern, item: T): void {
    if (!pattern.exact) {
      insert(this.#root, pattern.literal, { pattern, item });
      return;
    }
    const present = this.#exact.get(pattern.text);
    if (present === undefined) this.#exact.set(pattern.text, [item]);
    else present.push(item);
  }

  /**
   * Appends every item that has a pattern matching the name. An item with several such patterns comes several times.
   *
   * @param tally counts the patterns that had to be tried, for tests that pin the cost of a decision
   */
  find(name: string, found: T[], tally?: { patterns: number }): void {
    const exact = this.#exact.get(name);
    if (exact !== undefined) for (const item of exact) found.push(item);
    let node: TrieNode<T> | undefined = this.#root;
    let at = 0;
    while (node !== undefined && name.startsWith(node.label, at)) {
      at += node.label.length;
      for (const entry of node.entries) {
        if (tally !== undefined) tally.patterns += 1;
        if (entry.pattern.matches(name)) found.push(entry.item);
      }
      node = at < name.length ? node.children.get(name.charCodeAt(at)) : undefined;
    }
  }
}

interface TrieNode<T> {
  /** The characters between the parent and this node. */
  label: string;
  entries: { readonly pattern: NamePattern; readonly item: T }[];
  /** By the first code unit of their label. */
  children: Map<number, TrieNode<T>>;
}

function insert<T>(root: TrieNode<T>, literal: string, entry: TrieNode<T>['entries'][number]): void {
  let node = root;
  let rest = literal;
  while (rest !== '') {
    const child = node.children.get(rest.charCodeAt(0));
    if (child === undefined) {
      const leaf: TrieNode<T> = { label: rest, entries: [entry], children: new Map() };
      node.children.set(rest.charCodeAt(0), leaf);
      return;
    }
    const shared = sharedLength(child.label, rest);
    if (shared < child.label.length) split(child, shared);
    node = child;
    rest = rest.slice(shared);
  }
  node.entries.push(entry);
}

/** Makes a node end after `length` characters of its label; what it held moves into one child. */
function split<T>(node: TrieNode<T>, length: number): void {
  const lower: TrieNode<T> = {
    label: node.label.slice(length),
    entries: node.entries,
    children: node.children,
  };
  node.label = node.label.slice(0, length);
  node.entries = [];
  node.children = new Map([[lower.label.charCodeAt(0), lower]]);
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}
