import { isExactNumber, isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';

/** One argument of a tool as its schema and past calls show it: a value that is neither object nor list. */
export interface ArgumentShape {
  /** As `arguments[].args` names it: `edits[*].path`. */
  readonly path: string;
  /** The last name on the path. */
  readonly name: string;
  /** The part of the schema that describes it; undefined where there is none, or none that is certain. */
  readonly schema: JsonObject | undefined;
  /** The schema lets null stand there. */
  readonly nullable: boolean;
  /** Values seen there, at most {@link mostValues}. */
  readonly values: readonly JsonValue[];
}

/** Values looked at for one argument: more would not change what is proposed. */
export const mostValues = 1000;

/** Arguments of one tool: beyond this a proposal is nothing that anybody reviews. */
const mostShapes = 200;
/** Nesting that proposals follow. */
const deepest = 6;
/** An object with more names than this is a map that callers fill, not a shape. */
const mostNames = 50;

interface Node {
  readonly schema: JsonObject | undefined;
  readonly nullable: boolean;
  readonly values: readonly JsonValue[];
}

/**
 * Every argument of a tool that could have a role, in the order of the schema and then of the calls.
 *
 * Where values are of several kinds, or an object has no fixed names, nothing is said of what is inside: a role there
 * would refuse honest calls.
 */
export function argumentShapes(
  inputSchema: JsonObject | undefined,
  observed: readonly JsonObject[],
): readonly ArgumentShape[] {
  const shapes: ArgumentShape[] = [];
  const visit = (node: Node, path: string, name: string, depth: number): void => {
    if (shapes.length >= mostShapes || depth > deepest) return;
    const values = node.values.slice(0, mostValues);
    const isObject = values.length > 0 ? values.every(isJsonObject) : typeOf(node.schema) === 'object';
    const isList = values.length > 0 ? values.every(isListValue) : typeOf(node.schema) === 'array';
    if (isObject) {
      visitObject({ ...node, values }, path, depth);
      return;
    }
    if (isList) {
      const items = node.schema === undefined ? undefined : own(node.schema, 'items');
      const elements = values.flatMap((value) => value as readonly JsonValue[]);
      visit({ ...describedBy(items), values: elements }, `${path}[*]`, name, depth + 1);
      return;
    }
    if (values.some((value) => isJsonObject(value) || isListValue(value))) return;
    shapes.push({ path, name, schema: node.schema, nullable: node.nullable, values });
  };
  const visitObject = (node: Node, path: string, depth: number): void => {
    const properties = objectOr(node.schema === undefined ? undefined : own(node.schema, 'properties'));
    const names = new Set(Object.keys(properties ?? {}));
    const isMap = path !== '' && node.schema !== undefined && properties === undefined;
    if (isMap) return;
    for (const value of node.values) for (const name of Object.keys(value as JsonObject)) names.add(name);
    if (path !== '' && names.size > mostNames) return;
    for (const name of names) {
      const values = node.values.flatMap((value) => {
        const member = own(value as JsonObject, name);
        return member === undefined ? [] : [member];
      });
      const described = describedBy(properties === undefined ? undefined : own(properties, name));
      visit({ ...described, values }, path + stepText(name, path === ''), name, depth + 1);
    }
  };
  visitObject({ schema: inputSchema, nullable: false, values: observed }, '', 0);
  return shapes;
}

function isListValue(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function objectOr(value: JsonValue | undefined): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

/**
 * What a schema says of the values that are not null: `anyOf` of a type and null, and a list of both, are how generators
 * of schemas write what may be left out.
 */
function describedBy(value: JsonValue | undefined): Pick<Node, 'schema' | 'nullable'> {
  const schema = objectOr(value);
  if (schema === undefined) return { schema, nullable: false };
  const choices = own(schema, 'anyOf') ?? own(schema, 'oneOf');
  if (Array.isArray(choices)) {
    const others = choices.filter((choice) => !isJsonObject(choice) || own(choice, 'type') !== 'null');
    const [only] = others;
    return {
      schema: others.length === 1 && isJsonObject(only) ? only : {},
      nullable: others.length < choices.length,
    };
  }
  const type = own(schema, 'type');
  if (!Array.isArray(type)) return { schema, nullable: false };
  const others = (type as readonly JsonValue[]).filter((name) => name !== 'null');
  return {
    schema: { ...schema, type: others.length === 1 ? others[0] : others },
    nullable: others.length < type.length,
  };
}

function typeOf(schema: JsonObject | undefined): string | undefined {
  const type = schema === undefined ? undefined : own(schema, 'type');
  return typeof type === 'string' ? type : undefined;
}

/** A name that {@link parseValuePath} reads back. */
function stepText(name: string, first: boolean): string {
  if (!/^[^.[\]"'*$\s]+$/.test(name)) return `[${JSON.stringify(name)}]`;
  return first ? name : `.${name}`;
}

/** Whether a number has no fraction, whatever its size. */
export function isWhole(value: JsonValue): boolean {
  return Number.isInteger(value) || (isExactNumber(value) && /^-?\d+$/.test(value.rawJSON));
}
