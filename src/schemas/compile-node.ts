import { isJsonObject, type JsonObject, type JsonValue } from '../values/json.ts';
import {
  compileContains,
  compileEntryCount,
  compileItems,
  compileUnevaluatedItems,
  compileUniqueItems,
} from './array-keywords.ts';
import { formatPath } from './fault.ts';
import {
  compileAllOf,
  compileAnyOf,
  compileIf,
  compileNot,
  compileOneOf,
  compileRef,
} from './in-place-keywords.ts';
import type { SchemaLimits } from './limits.ts';
import { Node } from './node.ts';
import {
  compileDependencies,
  compileDependentRequired,
  compileDependentSchemas,
  compileMemberCount,
  compileProperties,
  compilePropertyNames,
  compileRequired,
  compileUnevaluatedProperties,
} from './object-keywords.ts';
import { compilePattern, type LinearPattern } from './pattern.ts';
import { indexReferences, type References } from './references.ts';
import {
  compileComparison,
  compileEnum,
  compileFormat,
  compileLength,
  compileMembers,
  compilePatternKeyword,
  compileType,
  numberKeywords,
} from './scalar-keywords.ts';
import { type Dialect, type Site, Unenforceable } from './site.ts';

/**
 * Compiles a schema into a graph of nodes.
 *
 * @param root a copy that nobody else holds, of objects without prototype
 * @throws Unenforceable
 */
export function compileGraph(root: JsonValue, dialect: Dialect, limits: SchemaLimits): Node {
  const compiler = new Compiler(root, dialect, limits);
  const node = compiler.compile(root, isJsonObject(root) ? root : {}, []);
  settle(compiler.made, limits);
  return node;
}

type Path = readonly string[];

/** Some 300 references one after another. */
const longestWay = 1024;

class Compiler {
  private readonly dialect: Dialect;
  private readonly limits: SchemaLimits;
  private readonly references: References;
  readonly made: Node[] = [];
  private readonly nodes = new Map<JsonObject, Node>();
  private readonly patterns = new Map<string, LinearPattern>();
  private values = 0;

  constructor(root: JsonValue, dialect: Dialect, limits: SchemaLimits) {
    this.dialect = dialect;
    this.limits = limits;
    this.references = indexReferences(isJsonObject(root) ? root : {});
  }

  /** @param around the resource of the subschema around this one */
  compile(schema: JsonValue, around: JsonObject, path: Path): Node {
    if (schema === true) return this.count(path);
    if (schema === false) return this.never(path);
    if (!isJsonObject(schema)) throw new Unenforceable('schema-invalid', formatPath(path));
    const known = this.nodes.get(schema);
    if (known !== undefined) return known;
    const node = this.count(path);
    // Before its keywords: they may refer to it.
    this.nodes.set(schema, node);
    compileKeywords(this.siteOf(schema, node, this.references.resourceOf(schema, around), path));
    return node;
  }

  private count(path: Path): Node {
    if (this.made.length >= this.limits.maxSubschemas) {
      throw new Unenforceable('too-many-subschemas', formatPath(path));
    }
    // Compiling follows references, and the stack must hold all of them.
    if (path.length > longestWay) throw new Unenforceable('chain-too-long', formatPath(path));
    const node = new Node();
    this.made.push(node);
    return node;
  }

  private never(path: Path): Node {
    const node = this.count(path);
    node.isFalse = true;
    node.checks.push((_value, run) => run.fail('false'));
    return node;
  }

  private siteOf(schema: JsonObject, node: Node, resource: JsonObject, path: Path): Site {
    const fail = (reason: string, ...more: Path): never => {
      throw new Unenforceable(reason, formatPath([...path, ...more]));
    };
    const child = (part: JsonValue, ...more: Path): Node => this.compile(part, resource, [...path, ...more]);
    return {
      schema,
      node,
      dialect: this.dialect,
      limits: this.limits,
      fail,
      child,
      inPlace: (part, ...more) => {
        const made = child(part, ...more);
        node.inPlace.push(made);
        return made;
      },
      target: (reference) => {
        if (typeof reference !== 'string') return fail('keyword-invalid', '$ref');
        const found = this.references.find(reference, resource);
        if (found === 'remote') return fail('reference-remote', '$ref');
        if (found === undefined) return fail('reference-unknown', '$ref');
        const made = this.compile(found.schema, found.resource, [...path, '$ref']);
        node.inPlace.push(made);
        return made;
      },
      pattern: (text, ...more) => {
        const known = this.patterns.get(text);
        if (known !== undefined) return known;
        if (text.length > this.limits.maxPatternLength) return fail('pattern-too-long', ...more);
        if (this.patterns.size >= this.limits.maxPatterns) return fail('too-many-patterns', ...more);
        const pattern = compilePattern(text, this.limits.maxPatternSize);
        if (pattern === undefined) return fail('pattern-not-linear', ...more);
        this.patterns.set(text, pattern);
        return pattern;
      },
      countValues: (count) => {
        this.values += count;
        if (this.values > this.limits.maxEnumValues) fail('too-many-values');
      },
    };
  }
}

/**
 * Every keyword that is judged, in this order: cheap ones first, and what asks for the rest after all that could have
 * looked at it. All others are annotations, whatever they are called.
 */
function compileKeywords(site: Site): void {
  const { schema, dialect } = site;
  const given = (keyword: string, compile: (value: JsonValue) => void): void => {
    const value = schema[keyword];
    if (value !== undefined) compile(value);
  };
  const isModern = dialect === '2020-12';
  // Which subschema these mean depends on who refers to this one: that cannot be settled before a call.
  if (schema['$dynamicRef'] !== undefined || schema['$recursiveRef'] !== undefined) {
    site.fail('reference-dynamic');
  }
  if (schema['$schema'] !== undefined && schema['$id'] !== undefined && dialectOf(schema) !== dialect) {
    site.fail('dialect-mixed', '$schema');
  }
  if (!isModern && schema['$ref'] !== undefined) {
    // Draft-07 core, section 8.3: whatever stands beside it is ignored.
    compileRef(site, schema['$ref']);
    return;
  }
  given('type', (value) => compileType(site, value));
  given('const', (value) => compileMembers(site, 'const', [value]));
  given('enum', (value) => compileEnum(site, value));
  for (const keyword of numberKeywords) given(keyword, (value) => compileComparison(site, keyword, value));
  given('minLength', (value) => compileLength(site, 'minLength', value));
  given('maxLength', (value) => compileLength(site, 'maxLength', value));
  given('format', (value) => compileFormat(site, value));
  given('pattern', (value) => compilePatternKeyword(site, value));
  given('minItems', (value) => compileEntryCount(site, 'minItems', value));
  given('maxItems', (value) => compileEntryCount(site, 'maxItems', value));
  given('minProperties', (value) => compileMemberCount(site, 'minProperties', value));
  given('maxProperties', (value) => compileMemberCount(site, 'maxProperties', value));
  given('required', (value) => compileRequired(site, value));
  if (isModern) {
    given('dependentRequired', (value) => compileDependentRequired(site, 'dependentRequired', value));
  }
  given('$ref', (value) => compileRef(site, value));
  compileProperties(site);
  given('propertyNames', (value) => compilePropertyNames(site, value));
  compileItems(site);
  compileContains(site);
  given('uniqueItems', (value) => compileUniqueItems(site, value));
  given('allOf', (value) => compileAllOf(site, value));
  given('anyOf', (value) => compileAnyOf(site, value));
  given('oneOf', (value) => compileOneOf(site, value));
  given('not', (value) => compileNot(site, value));
  compileIf(site);
  if (isModern) {
    given('dependentSchemas', (value) => compileDependentSchemas(site, 'dependentSchemas', value));
    given('unevaluatedProperties', (value) => compileUnevaluatedProperties(site, value));
    given('unevaluatedItems', (value) => compileUnevaluatedItems(site, value));
  } else {
    given('dependencies', (value) => compileDependencies(site, value));
  }
}

/** The dialect that a schema says it is written in; undefined where this gateway does not know it. */
export function dialectOf(schema: JsonObject): Dialect | undefined {
  const named = schema['$schema'];
  if (named === undefined) return '2020-12';
  if (typeof named !== 'string') return undefined;
  return dialects.get(named.replace(/^https:/, 'http:').replace(/#$/, ''));
}

const dialects: ReadonlyMap<string, Dialect> = new Map([
  ['http://json-schema.org/draft/2020-12/schema', '2020-12'],
  ['http://json-schema.org/draft-07/schema', 'draft-07'],
]);

/**
 * Refuses references that come back to themselves without having moved on in the value: they would never end. And
 * settles for each node whether anything that looks at the same value declares members.
 */
function settle(nodes: readonly Node[], limits: SchemaLimits): void {
  const depths = new Map<Node, number | 'open'>();
  const depthOf = (node: Node): number => {
    const known = depths.get(node);
    if (known === 'open') throw new Unenforceable('reference-endless', '');
    if (known !== undefined) return known;
    depths.set(node, 'open');
    let depth = 0;
    node.declaresAnywhere = declares(node);
    for (const next of node.inPlace) {
      depth = Math.max(depth, depthOf(next) + 1);
      node.declaresAnywhere ||= next.declaresAnywhere;
      node.namesObject ||= next.namesObject;
    }
    if (depth > limits.maxChain) throw new Unenforceable('chain-too-long', '');
    depths.set(node, depth);
    return depth;
  };
  for (const node of nodes) depthOf(node);
}

function declares({ members }: Node): boolean {
  return members !== undefined && (members.named.size > 0 || members.patterns.length > 0);
}
