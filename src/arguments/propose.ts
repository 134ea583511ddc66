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

/** Values that must have been seen before their type is taken for the argument's, where no schema declares it. */
const fewestForTypes = 5;
/** Values that must have been seen before a role is read from a name that is nearly always right. */
const fewestForNames = 10;
/** And from one that holds other things as often. */
const fewestForVagueNames = 30;
/** Values that must have been seen before a bound is drawn round them. */
const fewestForBounds = 20;
/** Values that must have been seen before more is asked of them than is usual for their kind. */
const fewestForStrict = 50;

/**
 * Proposes a role for each argument of a tool, for review and for shadow mode. Never stricter than what was observed:
 * of several possible roles, the strictest that every observed value fits, and none that few values speak for. Where no
 * values were looked at, only declared types and formats and names that hold one thing nearly everywhere count, in
 * their mildest usual form.
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
  // Whoever sends null once will again; and where neither schema nor many calls say otherwise, somebody may.
  const unsure = shape.schema === undefined && shape.values.length < fewestForBounds;
  const nullable = shape.nullable || unsure || shape.values.includes(null);
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
    if (looked ? values.length < candidate.needs : !candidate.certain) continue;
    if (fits(candidate.role, values)) return candidate;
  }
  return undefined;
}

interface Candidate extends RoleProposal {
  /** Values that must have been seen. */
  readonly needs: number;
  /** Whether it may be proposed where no values were looked at. */
  readonly certain: boolean;
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
    yield { role: { enum: declared }, why: 'the schema lists its values', needs: 0, certain: true };
  }
  const said = declaredKind(schema);
  const type = values.length > 0 ? kindOf(values) : said;
  // What the schema declares needs no witnesses. A price may be whole five times and not the sixth.
  const needs = said === type ? 0 : fewestForTypes;
  switch (type) {
    case 'boolean':
      yield { role: { bool: {} }, why: 'only true and false', needs, certain: true };
      return;
    case 'int': {
      const whole = said === 'int' ? 0 : fewestForStrict;
      const bound = bounds(values);
      yield { role: { int: bound }, why: 'whole numbers only', needs: whole, certain: true };
      yield { role: { int: {} }, why: 'whole numbers only', needs: whole, certain: true };
      yield {
        role: { number: {} },
        why: 'numbers only',
        needs: said === 'number' ? 0 : fewestForTypes,
        certain: true,
      };
      return;
    }
    case 'number':
      yield { role: { number: {} }, why: 'numbers only', needs, certain: true };
      return;
    case 'text': {
      const hint = roleHint(shape, tool);
      if (hint !== undefined) yield* rungs(hint, values);
      yield { role: { text: { maxLength: lengthFor(values) } }, why: 'free text', needs, certain: true };
      return;
    }
    case undefined:
      return;
  }
}

function* rungs(
  { role, ladder, usual, why, byName, certain }: RoleHint,
  values: readonly JsonValue[],
): Generator<Candidate> {
  const within = role === 'path' ? commonFolder(values) : undefined;
  if (within !== undefined) {
    yield { role: { path: { within: [within] } }, why, needs: fewestForStrict, certain: false };
  }
  for (const [rung, spec] of ladder.entries()) {
    const named = certain ? fewestForNames : fewestForVagueNames;
    const needs = rung < usual ? fewestForStrict : byName ? named : 0;
    // Without any value: what is usual, and neither more nor less.
    yield { role: spec, why, needs, certain: certain && rung === usual };
  }
}

/** The folder that all paths seen share, if it says anything: two names deep, because projects lie beside one another. */
function commonFolder(values: readonly JsonValue[]): string | undefined {
  if (values.length < fewestForStrict) return undefined;
  let common: readonly string[] | undefined;
  for (const value of values) {
    if (typeof value !== 'string' || !value.startsWith('/')) return undefined;
    const folders = value.split('/').slice(1, -1);
    const shared: readonly string[] = common ?? folders;
    const length = shared.findIndex((name, index) => name !== folders[index]);
    common = length === -1 ? shared : shared.slice(0, length);
  }
  return common === undefined || common.length < 2 ? undefined : `/${common.slice(0, 2).join('/')}`;
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
function fits(role: JsonObject, values: readonly JsonValue[]): boolean {
  const rule = compileArgumentRule(readArgumentRule({ args: { value: role } }), place);
  return values.every((value) => rule.judge({ value }, call).fault === undefined);
}
