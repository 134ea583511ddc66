import type { ArgumentRule } from '../arguments/rule.ts';
import { GatewayError } from '../errors.ts';
import type { Frame } from '../mcp/frame.ts';
import { type MethodRow, methodRow, type Target, targetsOf } from '../mcp/methods.ts';
import type { CatalogTool } from '../pipeline/catalog.ts';
import { addFinding, type Exchange } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import type { RefreshOutcome } from '../pipeline/refresh-catalog.ts';
import { argumentRulesFor } from '../policy/content.ts';
import type { SchemaBook, ToolChecks } from '../schemas/schema-book.ts';
import { isJsonObject, type JsonObject, own } from '../values/json.ts';
import type { Outstanding } from './outstanding.ts';
import { type Judgement, judgeArguments, judgeResult } from './schema-judgement.ts';
import { type SchemaRules, schemaRulesOf } from './schema-rules.ts';
import type { TaskBook } from './task-book.ts';

export interface SchemaDeps {
  readonly book: SchemaBook;
  readonly outstanding: Outstanding;
  /** Which tool began a task. */
  readonly tasks: Pick<TaskBook, 'find'>;
  /** Has the gateway list the tools of an upstream. Coalesced and cooled down; never rejects. */
  refreshCatalog(upstream: string): Promise<RefreshOutcome>;
  /** The top-level arguments that rules name: known, whatever the schema says. */
  namedArguments(rules: readonly ArgumentRule[]): ReadonlySet<string>;
  /** Milliseconds after which a look at an upstream's list is too old. */
  readonly maxAge: number;
}

/**
 * Holds calls to the tool's own input schema, as the upstream listed it last, and results to its output schema. What
 * the schema does not name is refused too, though the schema be open to it. After `authorize`: what a caller may not
 * see was answered there, and learns nothing of schemas.
 *
 * A tool that was in no list yet makes the gateway list once; so does a list that the upstream says has changed. An old
 * list is read anew beside the call, which does not wait.
 */
export function schema(deps: SchemaDeps): Filter {
  return {
    name: 'schema',
    toUpstream(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      const call = callOf(frame, exchange);
      if (call === undefined) return pass;
      const rules = rulesFor(call.name, exchange);
      if (rules.isOff) return pass;
      return withChecks(call.name, exchange, rules, (checks) =>
        settle(judgeArguments(call.arguments ?? none, checks.input, rules), rules, exchange, toCaller),
      );
    },
    toClient(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      if (frame.kind === 'notification') {
        const row = methodRow(frame.method, exchange.revision, 'toClient', 'notification');
        if (row?.announces === 'tools') exchange.catalog.freshness.stale = true;
        if (row?.taskResult === undefined || frame.params === undefined) return pass;
        const task = deps.tasks.find(own(frame.params, 'taskId'), exchange);
        return holdOutput(resultIn(frame.params, row), task?.tool, exchange);
      }
      if (frame.kind !== 'result') return pass;
      const asked = deps.outstanding.find(frame.id, exchange);
      if (asked === undefined) return drop('answer-unasked');
      const { row, target, opened } = asked;
      if (row.taskResult !== undefined) {
        return holdOutput(resultIn(frame.result, row), opened?.tasks[0]?.tool, exchange);
      }
      return row.targets.includes('tool') ? holdOutput(frame.result, target, exchange) : pass;
    },
  };

  /** @param result what the tool gave; undefined where it has given nothing yet */
  function holdOutput(
    result: JsonObject | undefined,
    tool: string | undefined,
    exchange: Exchange,
  ): Verdict | Promise<Verdict> {
    if (result === undefined || tool === undefined) return pass;
    const rules = rulesFor(tool, exchange);
    if (rules.isOff) return pass;
    return withChecks(tool, exchange, rules, (checks) => judgeOutput(result, checks, rules, exchange));
  }

  function rulesFor(tool: string, exchange: Exchange): SchemaRules {
    const { policy, upstream, principal: subject, time } = exchange;
    const found = argumentRulesFor(policy, { upstream, kind: 'tool', name: tool, subject, time });
    return schemaRulesOf(found, deps.namedArguments);
  }

  /** Goes on with the tool's checks: at once where they stand. */
  function withChecks(
    name: string,
    exchange: Exchange,
    rules: SchemaRules,
    then: (checks: ToolChecks) => Verdict,
  ): Verdict | Promise<Verdict> {
    const { catalog, upstream, startedAt } = exchange;
    const known = catalog.tool(name);
    if (known !== undefined && !catalog.freshness.stale) {
      const { readAt } = catalog.freshness;
      if (readAt === undefined || startedAt - readAt > deps.maxAge) void deps.refreshCatalog(upstream);
      return check(known, then);
    }
    return deps.refreshCatalog(upstream).then((outcome) => {
      const found = catalog.tool(name);
      return found === undefined ? unknown(outcome, rules, exchange) : check(found, then);
    });
  }

  function check(tool: CatalogTool, then: (checks: ToolChecks) => Verdict): Verdict | Promise<Verdict> {
    const checks = deps.book.checksOf(tool);
    return checks instanceof Promise ? checks.then(then) : then(checks);
  }
}

const none: JsonObject = Object.freeze({});

function callOf(frame: Frame, exchange: Exchange): Target | undefined {
  if (frame.kind !== 'request') return undefined;
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', 'request');
  if (row === undefined || !row.targets.includes('tool')) return undefined;
  const targets = targetsOf(row, frame.params);
  return targets.ok ? targets.value.find(({ kind }) => kind === 'tool') : undefined;
}

/** Nothing to check against: refused, unless the operator merely watches. */
function unknown(outcome: RefreshOutcome, rules: SchemaRules, exchange: Exchange): Verdict {
  const judgement: Judgement = {
    code: outcome === 'unreachable' ? 'upstream-unreachable' : 'definition-unknown',
    finding: { path: undefined, detail: 'definition-unknown' },
    data: undefined,
    of: 'schema',
  };
  return settle(judgement, rules, exchange, toCaller);
}

/** The tool's own result in what is said of its task: where the table says that it stands. */
function resultIn(carrier: JsonObject, row: MethodRow): JsonObject | undefined {
  if (row.taskResult === 'whole') return carrier;
  const embedded = own(carrier, 'result');
  return isJsonObject(embedded) ? embedded : undefined;
}

function judgeOutput(
  result: JsonObject,
  checks: ToolChecks,
  rules: SchemaRules,
  exchange: Exchange,
): Verdict {
  if (checks.output === undefined) return pass;
  return settle(judgeResult(result, checks.output, exchange.revision), rules, exchange, toNobody);
}

type Tell = (judgement: Judgement) => GatewayError;

/** A caller may know what is wrong with its own arguments. */
const toCaller: Tell = ({ code, data, finding }) =>
  new GatewayError(code, {
    ...(data === undefined ? {} : { data }),
    cause: `${finding.path ?? ''} ${finding.detail}`.trim(),
  });

/** What a server declares and breaks is for its operator. */
const toNobody: Tell = ({ code, finding }) =>
  new GatewayError(code, { cause: `${finding.path ?? ''} ${finding.detail}`.trim() });

function settle(
  judgement: Judgement | undefined,
  rules: SchemaRules,
  exchange: Exchange,
  tell: Tell,
): Verdict {
  if (judgement === undefined) return pass;
  const setting = judgement.of === 'unknown' ? rules.unknown : rules.schema;
  const { effect, rule } = setting;
  if (effect === undefined) return pass;
  addFinding(exchange, { check: 'schema', effect, rule, ...judgement.finding });
  return effect === 'refused' ? reject(tell(judgement)) : pass;
}
