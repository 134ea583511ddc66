import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { toExactNumber } from '../values/json.ts';
import { type Environment, interpolate } from './interpolate.ts';
import { type DocumentPath, formatPath } from './problems.ts';

/** An operator's file: far beyond any real one, small enough that reading it cannot hurt. */
const longestText = 8 * 1024 * 1024;

/** Values after aliases are followed. 10,000 rules are about 100,000 values; ten nested aliases can be 10 billion. */
const mostValues = 500_000;

/** Nesting of an operator's file. Hand-written files stay below ten; recursion must stay far from the stack's end. */
const deepest = 64;

/** Where the parser speaks to programmers, words for the file's author. */
const yamlWording: ReadonlyMap<string, string> = new Map([
  ['MULTIPLE_DOCS', 'a file holds one document; this begins a second one'],
  ['RESOURCE_EXHAUSTION', 'nested too deeply'],
  ['NON_STRING_KEY', 'a key must be text'],
]);

/** Of a file that is no YAML at all, a hundred complaints say as much as a hundred thousand. */
const mostComplaints = 100;

/** A value with the offsets it came from; children by key or index. */
export interface SourceTree {
  readonly value: unknown;
  /** Of the key, or of the value where there is none. */
  readonly keyOffset: number;
  readonly valueOffset: number;
  readonly children: ReadonlyMap<string | number, SourceTree> | undefined;
}

export interface Fault {
  readonly offset: number;
  readonly path: DocumentPath;
  readonly message: string;
}

export interface YamlReading {
  /** Undefined where the text is not one well-formed document. */
  readonly tree: SourceTree | undefined;
  readonly faults: readonly Fault[];
  /** Formatted paths of scalars whose references could not be filled. */
  readonly unfilled: ReadonlySet<string>;
  position(offset: number): { readonly line: number; readonly column: number };
}

/**
 * Reads YAML text into plain values that remember their places. Never throws.
 *
 * @param exactNumbers keep integers beyond 2^53 with all their digits, as the decoder of messages does
 */
export function readYaml(
  text: string,
  environment: Environment | undefined,
  exactNumbers = false,
): YamlReading {
  const lines = new LineCounter();
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const failed = (faults: readonly Fault[]): YamlReading => ({
    tree: undefined,
    faults,
    unfilled: new Set(),
    position,
  });
  if (text.length > longestText) {
    return failed([{ offset: 0, path: [], message: `the file is longer than ${longestText} characters` }]);
  }
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    // Checked below: the parser compares each key with all others, which takes minutes for a large mapping.
    uniqueKeys: false,
    stringKeys: true,
    strict: true,
    prettyErrors: false,
    lineCounter: lines,
  });
  // Warnings are unknown tags and directives: whatever the author meant by them would be lost.
  const complaints = [...document.errors, ...document.warnings];
  if (complaints.length > 0) {
    return failed(
      complaints.slice(0, mostComplaints).map((complaint) => ({
        offset: complaint.pos[0],
        path: [],
        message: yamlWording.get(complaint.code) ?? complaint.message,
      })),
    );
  }
  if (document.contents === null) {
    return failed([{ offset: 0, path: [], message: 'the file is empty' }]);
  }
  try {
    const walk = new Walk(document, environment, exactNumbers);
    const tree = walk.visit(document.contents, [], 0, undefined);
    return {
      tree: walk.exhausted ? undefined : tree,
      faults: walk.faults,
      unfilled: walk.unfilled,
      position,
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return failed([{ offset: 0, path: [], message: 'nested too deeply' }]);
  }
}

class Walk {
  readonly faults: Fault[] = [];
  readonly unfilled = new Set<string>();
  exhausted = false;
  #values = 0;
  readonly #targets: ReadonlyMap<Alias, Node>;
  readonly #environment: Environment | undefined;
  readonly #exactNumbers: boolean;

  constructor(document: Document.Parsed, environment: Environment | undefined, exactNumbers: boolean) {
    this.#targets = aliasTargets(document);
    this.#environment = environment;
    this.#exactNumbers = exactNumbers;
  }

  visit(node: unknown, path: DocumentPath, depth: number, keyOffset: number | undefined): SourceTree {
    const valueOffset = offsetOf(node) ?? keyOffset ?? 0;
    const place = { keyOffset: keyOffset ?? valueOffset, valueOffset };
    this.#values += 1;
    if (this.#values > mostValues || depth > deepest) {
      if (!this.exhausted) {
        const message =
          depth > deepest ? `nested deeper than ${deepest} levels` : `more than ${mostValues} values`;
        this.faults.push({ offset: valueOffset, path, message });
      }
      this.exhausted = true;
      return { ...place, value: null, children: undefined };
    }
    if (isAlias(node)) {
      const target = this.#targets.get(node);
      if (target === undefined) {
        this.faults.push({ offset: valueOffset, path, message: 'this alias names no anchor above it' });
        this.unfilled.add(formatPath(path));
        return { ...place, value: null, children: undefined };
      }
      // The alias itself is where the reader looks; its members keep the places of the anchor.
      return { ...this.visit(target, path, depth + 1, keyOffset), ...place };
    }
    if (isMap(node)) {
      const children = new Map<string | number, SourceTree>();
      const value: Record<string, unknown> = {};
      for (const pair of node.items) {
        if (this.exhausted) break;
        const key = isScalar(pair.key) ? pair.key.value : pair.key;
        const offset = offsetOf(pair.key) ?? valueOffset;
        if (typeof key !== 'string' || key === '__proto__') {
          const message = typeof key === 'string' ? `the key "${key}" is not accepted` : 'a key must be text';
          this.faults.push({ offset, path, message });
          continue;
        }
        if (children.has(key)) {
          this.faults.push({ offset, path: [...path, key], message: 'this key is given twice' });
          continue;
        }
        const child = this.visit(pair.value, [...path, key], depth + 1, offset);
        children.set(key, child);
        value[key] = child.value;
      }
      return { ...place, value, children };
    }
    if (isSeq(node)) {
      const children = new Map<string | number, SourceTree>();
      const value: unknown[] = [];
      for (const [index, item] of node.items.entries()) {
        if (this.exhausted) break;
        const child = this.visit(item, [...path, index], depth + 1, undefined);
        children.set(index, child);
        value.push(child.value);
      }
      return { ...place, value, children };
    }
    if (this.#exactNumbers && isScalar(node) && isBeyondDoubles(node.value, node.source)) {
      return { ...place, value: toExactNumber(node.source!), children: undefined };
    }
    const value = isScalar(node) ? this.#scalar(node.value, node.type, valueOffset, path) : null;
    return { ...place, value, children: undefined };
  }

  #scalar(value: unknown, style: string | undefined, offset: number, path: DocumentPath): unknown {
    if (typeof value !== 'string' || this.#environment === undefined || !value.includes('${')) return value;
    const filled = interpolate(value, this.#environment);
    if (!filled.ok) {
      this.faults.push({ offset, path, message: filled.message });
      this.unfilled.add(formatPath(path));
      return value;
    }
    // Unquoted `${PORT}` may become a number or a boolean; quoted, and everything else, stays text.
    return style === 'PLAIN' ? plainScalar(filled.text) : filled.text;
  }
}

function isBeyondDoubles(value: unknown, source: string | undefined): boolean {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return false;
  return source !== undefined && /^-?[1-9][0-9]*$/.test(source);
}

/** What each alias stands for: the last node before it with its anchor. The parser's own lookup walks the file anew each time. */
function aliasTargets(document: Document.Parsed): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) targets.set(node, target);
      } else if (isNode(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

function plainScalar(text: string): unknown {
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (/^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?$/.test(text)) return Number(text);
  return text;
}

function offsetOf(node: unknown): number | undefined {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
  return range?.[0];
}
