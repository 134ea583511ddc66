import { type JsonObject, type JsonValue, own } from '../values/json.ts';
import { type ArgumentShape, argumentShapes, isWhole } from './argument-shapes.ts';
import { compileArgumentRule } from './compile.ts';
import { readArgumentRule } from './options.ts';
import { type RoleHint, roleHint } from './role-hints.ts';

/** What `roles propose` and the benchmark of false refusals know of a tool. */
export interface ToolShape {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: JsonObject | undefined;
}

export interface Proposal {
  /** Roles by argument path, as `arguments[].args` of a policy file. */
  readonly args: Readonly<Record<string, JsonObject>>;
  /** For each of them, why: for the person who reviews it. */
  readonly why: Readonly<Record<string, string>>;
}

/** Values that must have been seen before a role is read from a name rather than from a declared type. */
const fewestForNames = 5;
/** Values that must have been seen before a bound is drawn round them. */
const fewestForBounds = 20;

/**
 * Proposes a role for each argument of a tool, for review and for shadow mode. Never stricter than what was observed:
 * of several possible roles, the strictest that every observed value fits.
 *
 * @param observed arguments of past calls; undefined where none were looked at: names and types alone then decide
 */
export function proposeRoles(tool: ToolShape, observed?: readonly JsonObject[]): Proposal {
  const args: Record<string, JsonObject> = {};
  const why: Record<string, string> = {};
  for (const shape of argumentShapes(tool.inputSchema, observed ?? [])) {
    const proposal = proposeFor(shape, tool, observed !== undefined);
    if (proposal === undefined) continue;
    args[shape.path] = proposal.role;
    why[shape.path] = proposal.why;
  }
  return { args, why };
}

interface RoleProposal {
  readonly role: JsonObject;
  readonly why: string;
}

function proposeFor(shape: ArgumentShape, tool: ToolShape, looked: boolean): RoleProposal | undefined {
  // Whoever sends null once will again.
  const nullable = shape.values.includes(null);
  const values = shape.values.filter((value) => value !== null);
  const proposal = strictest(shape, values, tool, looked);
  return proposal !== undefined && nullable
    ? { ...proposal, role: { ...proposal.role, nullable: true } }
    : proposal;
}

function strictest(
  shape: ArgumentShape,
  values: readonly JsonValue[],
  tool: ToolShape,
  looked: boolean,
): RoleProposal | undefined {
  for (const candidate of candidates(shape, values, tool)) {
    if (candidate.byName && looked && values.length < fewestForNames) continue;
    if (values.every((value) => fits(candidate.role, value))) return candidate;
  }
  return undefined;
}

interface Candidate extends RoleProposal {
  /** Read from a name, not from a declared type. */
  readonly byName: boolean;
}

/** Strictest first. */
function* candidates(
  shape: ArgumentShape,
  values: readonly JsonValue[],
  tool: ToolShape,
): Generator<Candidate> {
  const { schema } = shape;
  const declared = schema === undefined ? undefined : own(schema, 'enum');
  if (Array.isArray(declared) && declared.length > 0 && declared.every(isScalar)) {
    yield { role: { enum: declared }, why: 'the schema lists its values', byName: false };
  }
  const type = values.length > 0 ? kindOf(values) : declaredKind(schema);
  switch (type) {
    case 'boolean':
      yield { role: { bool: {} }, why: 'only true and false', byName: false };
      return;
    case 'int':
      yield { role: { int: bounds(values) }, why: 'whole numbers only', byName: false };
      yield { role: { int: {} }, why: 'whole numbers only', byName: false };
      return;
    case 'number':
      yield { role: { number: {} }, why: 'numbers only', byName: false };
      return;
    case 'text': {
      const hint = roleHint(shape, tool);
      if (hint !== undefined) for (const role of rolesOf(hint, values)) yield { ...hint, role };
      yield { role: { text: { maxLength: lengthFor(values) } }, why: 'free text', byName: false };
      return;
    }
    case undefined:
      return;
  }
}

function rolesOf(hint: RoleHint, values: readonly JsonValue[]): readonly JsonObject[] {
  const within = hint.role === 'path' ? commonFolder(values) : undefined;
  return within === undefined ? hint.ladder : [{ path: { within: [within] } }, ...hint.ladder];
}

/** The folder that all paths seen share, if it says anything. */
function commonFolder(values: readonly JsonValue[]): string | undefined {
  if (values.length < fewestForBounds) return undefined;
  let common: readonly string[] | undefined;
  for (const value of values) {
    if (typeof value !== 'string' || !value.startsWith('/')) return undefined;
    const folders = value.split('/').slice(1, -1);
    const shared: readonly string[] = common ?? folders;
    const length = shared.findIndex((name, index) => name !== folders[index]);
    common = length === -1 ? shared : shared.slice(0, length);
  }
  return common === undefined || common.length < 2 ? undefined : `/${common.slice(0, 4).join('/')}`;
}

function bounds(values: readonly JsonValue[]): JsonObject {
  if (values.length < fewestForBounds) return {};
  const numbers = values.map(Number);
  const most = Math.max(...numbers.map(Math.abs));
  // Ten times what was seen, rounded up: a bound is for what no honest caller comes near.
  const max = 10 ** Math.ceil(Math.log10(Math.max(most, 10)) + 1);
  return { min: numbers.every((number) => number >= 0) ? 0 : -max, max };
}

/** Four times the longest seen, in powers of two, and never below some pages; where little was seen, a megabyte. */
function lengthFor(values: readonly JsonValue[]): number {
  const longest = values.reduce<number>(
    (length, value) => Math.max(length, typeof value === 'string' ? value.length : 0),
    0,
  );
  const least = values.length < fewestForBounds ? 2 ** 20 : 2 ** 14;
  return Math.min(2 ** Math.ceil(Math.log2(Math.max(longest * 4, least))), 2 ** 24);
}

function kindOf(values: readonly JsonValue[]): 'boolean' | 'int' | 'number' | 'text' | undefined {
  if (values.every((value) => typeof value === 'boolean')) return 'boolean';
  if (values.every((value) => typeof value === 'string')) return 'text';
  if (values.every(isWhole)) return 'int';
  return values.every((value) => typeof value === 'number' || isWhole(value)) ? 'number' : undefined;
}

function declaredKind(schema: JsonObject | undefined): 'boolean' | 'int' | 'number' | 'text' | undefined {
  switch (schema === undefined ? undefined : own(schema, 'type')) {
    case 'boolean':
      return 'boolean';
    case 'integer':
      return 'int';
    case 'number':
      return 'number';
    case 'string':
      return 'text';
    default:
      return undefined;
  }
}

function isScalar(value: JsonValue): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

const place = { id: 'proposal', location: 'proposal', mode: 'shadow' } as const;
const call = { upstream: '', tool: '', principal: { id: '' }, time: 0 };

/** Judged by the very role that the proposal would put in force. */
function fits(role: JsonObject, value: JsonValue): boolean {
  const rule = compileArgumentRule(readArgumentRule({ args: { value: role } }), place);
  return rule.judge({ value }, call).fault === undefined;
}
