import { z } from 'zod';
import { configJsonSchema } from '../../src/config/schema.ts';
import { type ErrorRow, errorTable } from '../../src/errors.ts';
import { auditFields } from '../../src/observe/audit-fields.ts';
import { definitions, metricDefinitions } from '../../src/observe/metric-definitions.ts';
import { policyDocument } from '../../src/policy/document.ts';
import { decisionTableDocument } from '../../src/policy/table-document.ts';
import { type Bound, bounds } from './bounds.ts';
import { errorCauses, errorGroups } from './error-causes.ts';
import { type JsonSchema, type KeyRow, keyRows, schemaAt } from './json-schema.ts';
import { keyTable, table } from './markdown.ts';

/** JSON Schema of a policy file, for editors and for the reference. */
export function policyJsonSchema(): JsonSchema {
  return z.toJSONSchema(policyDocument, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
}

/** JSON Schema of a decision table. */
export function decisionTableJsonSchema(): JsonSchema {
  return z.toJSONSchema(decisionTableDocument, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
}

/** Every key of the gateway file: one heading and one table for each top-level key. */
export function configReference(): string {
  const schema = configJsonSchema() as JsonSchema;
  const parts = Object.entries(schema.properties ?? {}).map(([key, child]) => {
    const own = keyRows({ ...schema, properties: { [key]: child } }, '');
    return `### ${key}\n\n${keyTable(own)}`;
  });
  return parts.join('\n\n');
}

/** The parts of a policy file; shapes that stand in several places are told once. */
export const policyParts: readonly {
  readonly title: string;
  readonly at: string;
  readonly stops: readonly string[];
}[] = [
  {
    title: 'A policy file',
    at: '',
    stops: ['roles', 'bindings', 'acl', 'limits', 'arguments', 'results', 'tools', 'flows', 'timeouts'],
  },
  {
    title: 'A role: `roles.NAME`',
    at: 'roles.*',
    stops: ['roles.*.allow', 'roles.*.deny'],
  },
  {
    title: 'A rule: an entry of `allow` or `deny` of a role',
    at: 'roles.*.allow[]',
    stops: ['roles.*.allow[].when'],
  },
  {
    title: 'Conditions: `when` of a rule or of an ACL entry',
    at: 'roles.*.allow[].when',
    stops: ['roles.*.allow[].when.args', 'roles.*.allow[].when.claims'],
  },
  {
    title: 'Operators: the value of an argument path, or of a claim',
    at: 'roles.*.allow[].when.args.*',
    stops: [],
  },
  {
    title: 'A binding',
    at: 'bindings[]',
    stops: ['bindings[].to[].token.claims', 'bindings[].to.token.claims'],
  },
  { title: 'A protected object', at: 'acl[]', stops: ['acl[].allow', 'acl[].deny'] },
  {
    title: 'An entry of `allow` or `deny` of a protected object',
    at: 'acl[].allow[]',
    stops: ['acl[].allow[].when'],
  },
  { title: 'A limit', at: 'limits[]', stops: [] },
  { title: 'A rule on arguments: an entry of `arguments`', at: 'arguments[]', stops: ['arguments[].args'] },
  {
    title: 'One argument: a value under `args`',
    at: 'arguments[].args.*',
    stops: [
      'arguments[].args.*.json.args',
      'arguments[].args.*.command.allow[].options',
      'arguments[].args.*.command.allow[].operands[]',
      'arguments[].args.*.command.allow[].operands.each',
    ],
  },
  {
    title: 'One word of a command: an operand, or the value of an option',
    at: 'arguments[].args.*.command.allow[].operands[]',
    stops: [
      'arguments[].args.*.command.allow[].operands[].id',
      'arguments[].args.*.command.allow[].operands[].path',
    ],
  },
  { title: 'A rule on results: an entry of `results`', at: 'results[]', stops: [] },
  { title: 'A mark: an entry of `tools`', at: 'tools[]', stops: [] },
  { title: 'A rule on flows: an entry of `flows`', at: 'flows[]', stops: [] },
  { title: 'A time of its own: an entry of `timeouts`', at: 'timeouts[]', stops: [] },
];

/** Every key of a policy file. Paths are given from the beginning of their part. */
export function policyReference(): string {
  const schema = policyJsonSchema();
  return policyParts
    .map(({ title, at, stops }) => `### ${title}\n\n${keyTable(partRows(schema, at, stops))}`)
    .join('\n\n');
}

export function decisionTableReference(): string {
  return keyTable(keyRows(decisionTableJsonSchema(), ''));
}

/** Rows of one part, with the way to the part cut off. */
export function partRows(schema: JsonSchema, at: string, stops: readonly string[]) {
  const rows = keyRows(schemaAt(schema, at), at, new Set(stops));
  const seen = new Set<string>();
  return rows.flatMap((row) => {
    // `to` takes one credential or a list of them: one row for both.
    const path = (at === '' ? row.path : row.path.slice(at.length + 1)).replace(/^to\[\]/, 'to');
    if (seen.has(path)) return [];
    seen.add(path);
    return [{ ...row, path }];
  });
}

/** Every error code: one table for each group. */
export function errorReference(): string {
  return errorGroups
    .map(({ title, codes }) => {
      const rows = codes.map((code) => {
        const row: ErrorRow = errorTable[code];
        const { when, help } = errorCauses[code];
        const statuses = [row.status, row.bareStatus ?? '', row.modernStatus ?? ''].map(String);
        return [`\`${code}\``, ...statuses, `${row.rpc}`, row.text, when, help];
      });
      const head = [
        'code',
        'HTTP',
        'without id',
        '2026-07-28',
        'JSON-RPC',
        'the client reads',
        'when',
        'what the caller can do',
      ];
      return `### ${title}\n\n${table(head, rows)}`;
    })
    .join('\n\n');
}

/** Every field of an audit record. */
export function auditReference(): string {
  return table(
    ['field', 'always', 'meaning'],
    auditFields.map(({ name, always, description }) => [`\`${name}\``, always ? 'yes' : '', description]),
  );
}

/** Every metric of the gateway's own. */
export function metricReference(): string {
  return table(
    ['metric', 'type', 'labels', 'meaning'],
    metricDefinitions.map(({ name, type, labels, help }) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      help,
    ]),
  );
}

/** Every option that bounds something, with what happens there. */
export function boundReference(): string {
  const options = boundOptions();
  const rows = bounds.flatMap((bound) => {
    const found = options.filter(({ path }) => isAbout(bound.keys, path));
    return found.map(({ path, default: value }) => [
      `\`${path}\``,
      value === undefined ? '' : `\`${String(value)}\``,
      bound.beyond,
      (bound.codes ?? []).map((code) => `\`${code}\``).join(', '),
      metricsOf(bound)
        .map((name) => `\`${name}\``)
        .join(', '),
    ]);
  });
  return table(['option', 'default', 'beyond', 'code', 'counted by'], rows);
}

/** Options that hold a size, a time or a number. */
export function boundOptions(): readonly KeyRow[] {
  return keyRows(configJsonSchema() as JsonSchema, '').filter(({ takes }) =>
    /\bsize\b|\btime span\b|\bnumber\b/.test(takes),
  );
}

/** @param keys paths; `.*` at the end stands for all below */
export function isAbout(keys: readonly string[], path: string): boolean {
  return keys.some((key) => (key.endsWith('.*') ? path.startsWith(key.slice(0, -1)) : path === key));
}

/** What counts a bound: its own metrics, or those that count every code. */
function metricsOf({ codes = [], metrics = [] }: Bound): readonly string[] {
  const own = metrics.map((metric) => definitions[metric].name);
  return own.length > 0 || codes.length === 0 ? own : [definitions.exchanges.name, definitions.refusals.name];
}
