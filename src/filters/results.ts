import type { GatewayError } from '../errors.ts';
import { replaceFrameSteps } from '../mcp/encode-steps.ts';
import type {
  ErrorFrame,
  Frame,
  MessageFrame,
  NotificationFrame,
  RequestFrame,
  ResultFrame,
} from '../mcp/frame.ts';
import type { MethodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, reject, replace, type Verdict } from '../pipeline/filter.ts';
import { holdsSecret, holdsSecretSteps } from '../redaction/holds.ts';
import type { ContentRedactor, TextRedactor } from '../redaction/redact-text.ts';
import { type Cleaner, createCleaner, type Tails } from '../results/clean.ts';
import { guardMessage, type Surroundings } from '../results/guard.ts';
import { guardNotification } from '../results/notification.ts';
import { ownSecretsPlan, type ResultPlan } from '../results/plan.ts';
import { prepareTexts } from '../results/prepare.ts';
import type { Reader } from '../results/read.ts';
import { Report } from '../results/report.ts';
import { planOf } from '../results/rule.ts';
import { type JsonObject, own } from '../values/json.ts';
import { finish, finishInTurns, type Steps } from '../values/steps.ts';
import type { Outstanding } from './outstanding.ts';
import { judgeError } from './result-errors.ts';
import { refusalOf, tellFindings } from './result-findings.ts';
import { labelled } from './result-label.ts';
import { createKnownSkills, isOfSkills } from './result-memory.ts';
import { hasRules, mayRead, rulesFor } from './result-rules.ts';
import { type ResultTarget, targetOfAnswer, targetOfMessage } from './result-target.ts';
import type { TaskBook } from './task-book.ts';

export interface ResultsDeps {
  readonly outstanding: Outstanding;
  /** Which call a task came from: a notification names only the task. */
  readonly tasks: Pick<TaskBook, 'findHandle'>;
  /** Knows the secrets that the gateway holds. */
  readonly redactor: ContentRedactor;
}

/** 32 KiB: some ten milliseconds where all of it is sensitive. A larger frame is judged in steps, and others have their turn. */
const largestAtOnce = 32_768;

/** Ends of texts that may go on in the next message of an exchange; apart for rules that are only tried out. */
interface Streams {
  readonly enforce: Tails;
  readonly shadow: Tails;
}

/** What the rules make of one message. */
interface Judged {
  readonly value: JsonObject;
  readonly plan: ResultPlan | undefined;
  readonly error: GatewayError | undefined;
}

type Guard = (message: JsonObject, cleaner: Cleaner, around: Surroundings) => Steps<JsonObject>;

/**
 * Guards what comes back, of every kind, as the `results:` of policy ask: sizes, types, links, characters, redaction.
 * The texts of a server's errors are replaced also where no rule says so.
 *
 * The last but one to see what goes to the client: schemas, canaries and policy judge what the server really said, and
 * nothing that they let through is added to afterwards. Definitions of tools, prompts and skills stay as they are: other
 * checks compare them with what was reviewed.
 */
export function results({ outstanding, tasks, redactor }: ResultsDeps): Filter {
  const streams = new WeakMap<Exchange, Streams>();
  const redactors = new WeakMap<Exchange, { readonly minted: string; readonly redactor: TextRedactor }>();
  const skills = createKnownSkills();
  const ownPlan = ownSecretsPlan();

  return {
    name: 'results',
    toClient(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      if (!('bytes' in frame)) return pass;
      const steps = guardSteps(frame, exchange);
      return frame.bytes.length > largestAtOnce ? finishInTurns(steps) : finish(steps);
    },
    end(exchange: Exchange): void {
      streams.delete(exchange);
    },
  };

  /** With places to stop: where the frame is large there is one in every few milliseconds. */
  function guardSteps(frame: MessageFrame, exchange: Exchange): Steps<Verdict> {
    switch (frame.kind) {
      case 'error':
        return guardError(frame, exchange);
      case 'result':
        return guardResult(frame, exchange);
      case 'notification':
      case 'request':
        return guardParams(frame, exchange);
    }
  }

  function* guardResult(frame: ResultFrame, exchange: Exchange): Steps<Verdict> {
    const asked = outstanding.find(frame.id, exchange);
    // Nobody asked: another check drops it.
    if (asked === undefined) return pass;
    const { row } = asked;
    skills.learn(row, frame.result, exchange.upstream);
    if (!hasRules(exchange) && !(yield* holdsOwn(frame.result, frame.bytes.length, exchange))) return pass;
    const target = targetOfAnswer(asked, exchange);
    const isDefinition = row.access === 'implied' || row.list !== undefined || isOfSkills(row);
    const guard: Guard = isDefinition
      ? function* (result, cleaner) {
          yield;
          return countEntries(result, row, cleaner);
        }
      : guardMessage;
    const isLast = exchange.request.kind === 'request';
    const { value, plan, error } = yield* judge(
      frame.result,
      frame.bytes.length,
      target,
      exchange,
      guard,
      isLast,
    );
    if (error !== undefined) return reject(error);
    const result =
      plan?.label === undefined || isDefinition || row.access !== 'target'
        ? value
        : labelled(value, target, exchange);
    return result === frame.result
      ? pass
      : replace(yield* replaceFrameSteps(frame, { ...frame.value, result }));
  }

  function* guardParams(frame: NotificationFrame | RequestFrame, exchange: Exchange): Steps<Verdict> {
    const { params } = frame;
    if (
      params === undefined ||
      !(hasRules(exchange) || (yield* holdsOwn(params, frame.bytes.length, exchange)))
    )
      return pass;
    const target = targetOfMessage(frame, exchange, tasks);
    const guard = frame.kind === 'notification' ? guardNotification : guardMessage;
    const { value, error } = yield* judge(params, frame.bytes.length, target, exchange, guard);
    if (error !== undefined) return reject(error);
    return value === params
      ? pass
      : replace(yield* replaceFrameSteps(frame, { ...frame.value, params: value }));
  }

  function* guardError(frame: ErrorFrame, exchange: Exchange): Steps<Verdict> {
    const asked = outstanding.find(frame.id, exchange);
    const target =
      asked === undefined ? targetOfMessage(frame, exchange, tasks) : targetOfAnswer(asked, exchange);
    const plan = planOf(rulesFor(target, exchange), 'enforce');
    const report = new Report();
    const { code: _code, ...words } = frame.error;
    // Words that are not passed on need not be read.
    const isLarge = frame.bytes.length > largestAtOnce;
    const reader =
      isLarge && plan?.relaysErrors === true
        ? yield* prepared(words, plan, new Map(), guardMessage, exchange)
        : undefined;
    const clean = (message: JsonObject): JsonObject => {
      const guarded = plan === undefined ? message : cleaned(message, plan, reader);
      return holdsSecret(guarded, redactorFor(exchange).needles) ? cleaned(guarded, ownPlan) : guarded;
    };
    const cleaned = (message: JsonObject, asks: ResultPlan, read?: Reader): JsonObject =>
      finish(
        guardMessage(
          message,
          createCleaner(asks, redactorFor(exchange), new Map(), report, read),
          surroundings(exchange),
        ),
      );
    const verdict = judgeError(frame, exchange, asked?.target, plan?.relaysErrors === true, clean);
    tellFindings(report, exchange, 'enforce');
    return report.refusal === undefined ? verdict : reject(refusalOf(report, exchange, 'enforce')!);
  }

  /** Runs one message past the rules: those that are tried out see the same message and change nothing. */
  function* judge(
    message: JsonObject,
    size: number,
    target: ResultTarget,
    exchange: Exchange,
    guard: Guard,
    isLast = false,
  ): Steps<Judged> {
    const rules = rulesFor(target, exchange);
    if (rules.length === 0)
      return yield* withoutOwn({ value: message, plan: undefined, error: undefined }, size, exchange);
    let kept = streams.get(exchange);
    if (kept === undefined) {
      kept = { enforce: new Map(), shadow: new Map() };
      // The answer to a request is the last of its exchange: nothing can go on after it.
      if (!isLast) streams.set(exchange, kept);
    }
    let judged: Judged = { value: message, plan: undefined, error: undefined };
    for (const mode of ['shadow', 'enforce'] as const) {
      const plan = planOf(rules, mode);
      if (plan === undefined) continue;
      const report = new Report();
      const isTooLarge = plan.maxBytes !== undefined && size > plan.maxBytes.value;
      if (isTooLarge) report.refuse(plan.maxBytes.rule, 'bytes');
      const reader =
        size > largestAtOnce && !isTooLarge
          ? yield* prepared(message, plan, kept[mode], guard, exchange)
          : undefined;
      const cleaner = createCleaner(plan, redactorFor(exchange), kept[mode], report, reader);
      const value = isTooLarge ? message : yield* guard(message, cleaner, surroundings(exchange));
      tellFindings(report, exchange, mode);
      const error = refusalOf(report, exchange, mode);
      if (mode === 'enforce') judged = { value, plan, error };
      yield;
    }
    return yield* withoutOwn(judged, size, exchange);
  }

  /** The texts of a large message, read before it is judged. Policy is not asked for the sake of finding them. */
  function prepared(
    message: JsonObject,
    plan: ResultPlan,
    tails: Tails,
    guard: Guard,
    exchange: Exchange,
  ): Steps<Reader> {
    const around = { ...surroundings(exchange), mayRead: () => true };
    return prepareTexts((cleaner) => guard(message, cleaner, around), plan, redactorFor(exchange), tails);
  }

  function* holdsOwn(value: JsonObject, size: number, exchange: Exchange): Steps<boolean> {
    const { needles } = redactorFor(exchange);
    return size > largestAtOnce ? yield* holdsSecretSteps(value, needles) : holdsSecret(value, needles);
  }

  /** The gateway's own secrets reach no client, whether or not a rule asks for it, nor in a definition. */
  function* withoutOwn(judged: Judged, size: number, exchange: Exchange): Steps<Judged> {
    const { value, plan, error } = judged;
    if (error !== undefined || !(yield* holdsOwn(value, size, exchange))) return judged;
    const report = new Report();
    const reader =
      size > largestAtOnce ? yield* prepared(value, ownPlan, new Map(), guardMessage, exchange) : undefined;
    const cleaner = createCleaner(ownPlan, redactorFor(exchange), new Map(), report, reader);
    const clean = yield* guardMessage(value, cleaner, surroundings(exchange));
    tellFindings(report, exchange, 'enforce');
    return { value: clean, plan, error: refusalOf(report, exchange, 'enforce') };
  }

  /** What was made for this very exchange is looked for as well: a server that echoes its headers would give it away. */
  function redactorFor(exchange: Exchange): TextRedactor {
    const minted = exchange.facts.minted.join('\n');
    if (minted === '') return redactor;
    const known = redactors.get(exchange);
    if (known?.minted === minted) return known.redactor;
    const made = { minted, redactor: redactor.holding(exchange.facts.minted) };
    redactors.set(exchange, made);
    return made.redactor;
  }

  function surroundings(exchange: Exchange): Surroundings {
    return {
      mayRead: (uri) => mayRead(uri, exchange),
      isSkillFile: (uri) => skills.isFile(uri, exchange.upstream),
    };
  }
}

function countEntries(result: JsonObject, row: MethodRow, { plan, report }: Cleaner): JsonObject {
  const entries = row.list === undefined ? undefined : own(result, row.list.member);
  if (plan.maxItems !== undefined && Array.isArray(entries) && entries.length > plan.maxItems.value) {
    report.refuse(plan.maxItems.rule, 'items');
  }
  return result;
}
