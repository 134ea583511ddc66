import { Unclear } from './query.ts';

type Node = Readonly<Record<string, unknown>>;

const onOff = ['true', 'false', 'on', 'off', '1', '0'];

/** Options of EXPLAIN in PostgreSQL 18 and their values; each may stand without one. Extensions may add others. */
const options: ReadonlyMap<string, readonly string[]> = new Map([
  ['analyze', onOff],
  ['verbose', onOff],
  ['costs', onOff],
  ['settings', onOff],
  ['generic_plan', onOff],
  ['buffers', onOff],
  ['wal', onOff],
  ['timing', onOff],
  ['summary', onOff],
  ['memory', onOff],
  ['serialize', ['none', 'text', 'binary']],
  ['format', ['text', 'xml', 'json', 'yaml']],
]);

/**
 * Takes EXPLAIN off a statement. ANALYZE runs what it explains, so all is asked of that which would be asked without.
 *
 * @returns the statement in it, wrapped as the parser wraps it; undefined where none is explained
 * @throws Unclear for options that are not known
 */
export function explainedStatement(wrapped: Node | undefined): Node | undefined {
  const explain = wrapped?.['ExplainStmt'] as Node | undefined;
  if (explain === undefined) return undefined;
  for (const [name, value] of Object.entries(explain)) {
    if (name === 'options') (value as readonly Node[]).forEach(checkOption);
    else if (name !== 'query') throw new Unclear('construct');
  }
  return explain['query'] as Node;
}

function checkOption(wrapped: Node): void {
  const { defname, arg, defaction, location: _, ...others } = (wrapped['DefElem'] ?? {}) as Node;
  const values = options.get(String(defname));
  const known = values !== undefined && (arg === undefined || values.includes(textOf(arg as Node)));
  if (!known || defaction !== 'DEFELEM_UNSPEC' || Object.keys(others).length > 0) {
    throw new Unclear('construct');
  }
}

function textOf(arg: Node): string {
  const { String: text, Integer: number } = arg as {
    String?: { sval?: string };
    Integer?: { ival?: number };
  };
  // A zero is left out of the tree.
  if (number !== undefined) return String(number.ival ?? 0);
  return (text?.sval ?? '').toLowerCase();
}
