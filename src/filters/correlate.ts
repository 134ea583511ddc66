import { GatewayError } from '../errors.ts';
import { replaceFrame, withId } from '../mcp/encode.ts';
import type {
  ErrorFrame,
  Frame,
  NotificationFrame,
  RequestFrame,
  RequestId,
  ResultFrame,
} from '../mcp/frame.ts';
import { methodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, reject, replace, type Verdict } from '../pipeline/filter.ts';
import { isJsonObject, type JsonObject, own } from '../values/json.ts';
import { fitsQuestion } from './answer-shapes.ts';
import { createElicitations, longestElicitationId } from './elicitations.ts';
import { idIn, metaOf, targetOf, withParams } from './frame-parts.ts';
import { createInputRounds } from './input-rounds.ts';
import { admitNotification, belongsToListen, type Subscription, subscriptionOf } from './listen.ts';
import type { MemoryLimits, RequestStateOptions } from './options.ts';
import type { Asked, Outstanding } from './outstanding.ts';
import { createQuestions, type OpenQuestion } from './questions.ts';
import { scopeOf } from './scope.ts';
import type { Sealer } from './seal.ts';
import { forgetAnswered, type SharedQuestions } from './shared-questions.ts';
import type { SharedRequests } from './shared-requests.ts';
import { ownerOf } from './task-book.ts';

export interface CorrelateDeps {
  readonly outstanding: Outstanding;
  readonly memory: MemoryLimits;
  readonly state: RequestStateOptions;
  /** What other processes of this gateway asked and were asked. Absent: there is one process. */
  readonly shared?: { readonly questions: SharedQuestions; readonly requests: SharedRequests } | undefined;
  /** For `requestState`. */
  readonly sealer: Sealer;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds. */
  monotonic(): number;
}

const subscriptionIdKey = 'io.modelcontextprotocol/subscriptionId';

/**
 * An answer reaches whoever asked the question, once, and nobody else. Ids of requests are the gateway's own towards
 * the upstream; everything that refers to one (cancellation, subscription, progress, `requestState`) is mapped with
 * it or ends here.
 */
export function correlate(deps: CorrelateDeps): Filter {
  const { outstanding, shared } = deps;
  const questions = createQuestions(deps.memory, deps.monotonic);
  const elicitations = createElicitations(deps.memory, deps.monotonic, (owner, id) =>
    shared?.questions.elicited(owner, id),
  );
  const rounds = createInputRounds(deps.sealer, deps.state, deps.now);
  const subscriptions = new WeakMap<Asked, Subscription>();

  return {
    name: 'correlate',
    toUpstream(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      switch (frame.kind) {
        case 'request':
          return askUpstream(frame, exchange);
        case 'notification':
          return notifyUpstream(frame, exchange);
        case 'result':
        case 'error':
          return answerUpstream(frame, exchange);
        default:
          return pass;
      }
    },
    toClient(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      switch (frame.kind) {
        case 'request':
          return askClient(frame, exchange);
        case 'notification':
          return notifyClient(frame, exchange);
        case 'result':
        case 'error':
          return answerClient(frame, exchange);
        default:
          return pass;
      }
    },
    end(exchange: Exchange): void {
      // 2025-11-25, basic/transports: a disconnect is no cancellation. Only a stream that gave out an event id can be
      // resumed, so nothing else is kept.
      outstanding.end(exchange, exchange.era === 'legacy' && exchange.facts.resumable);
    },
  };

  function askUpstream(frame: RequestFrame, exchange: Exchange): Verdict {
    const row = methodRow(frame.method, exchange.revision, 'toUpstream', 'request');
    if (row === undefined) return reject(new GatewayError('method-unknown'));
    const target = targetOf(row, frame.params);
    const opened = rounds.toUpstream(frame, row, target, exchange);
    if (opened instanceof GatewayError) return reject(opened);
    const progressToken = idIn(metaOf(frame.params), 'progressToken');
    const asked = outstanding.ask(exchange, { clientId: frame.id, row, target, progressToken });
    if (asked === 'in-use') return reject(new GatewayError('request-id-in-use'));
    if (asked === 'full') return reject(new GatewayError('overloaded'));
    if (isListen(asked, exchange)) subscriptions.set(asked, subscriptionOf(frame.params));
    return replace(withId(opened, asked.gatewayId));
  }

  function askClient(frame: RequestFrame, exchange: Exchange): Verdict | Promise<Verdict> {
    const question = questionOf(frame);
    const scope = scopeOf(exchange);
    const hasRoom = questions.asked(scope, frame.id, question);
    if (shared !== undefined) return askClientOfAll(frame, hasRoom, exchange, shared.questions);
    if (!hasRoom) return tooManyQuestions();
    elicitations.learn(frame.params, exchange);
    return pass;
  }

  /** Known to all before the client can answer: the answer may come to any of them. */
  async function askClientOfAll(
    frame: RequestFrame,
    hasRoom: boolean,
    exchange: Exchange,
    all: SharedQuestions,
  ): Promise<Verdict> {
    const question = questionOf(frame);
    const scope = scopeOf(exchange);
    if (!hasRoom) {
      await forgetAnswered(questions, scope, all);
      if (!questions.asked(scope, frame.id, question)) return tooManyQuestions();
    }
    elicitations.learn(frame.params, exchange);
    return (await all.asked(scope, frame.id, question)) ? pass : tooManyQuestions();
  }

  /** An answer fits the question that was asked, in its form too, and only once. */
  function answerUpstream(frame: ResultFrame | ErrorFrame, exchange: Exchange): Verdict | Promise<Verdict> {
    const { id } = frame;
    if (id === undefined) return reject(new GatewayError('answer-unexpected'));
    const question = questions.find(scopeOf(exchange), id);
    if (shared === undefined) return settleAnswer(frame, question, exchange);
    return answerOfAny(frame, id, question, exchange, shared.questions);
  }

  function settleAnswer(
    frame: ResultFrame | ErrorFrame,
    question: OpenQuestion | undefined,
    exchange: Exchange,
  ): Verdict {
    if (question === undefined || frame.id === undefined)
      return reject(new GatewayError('answer-unexpected'));
    if (frame.kind === 'result' && !fitsQuestion(question.method, frame.result, question.mayBeTask)) {
      return reject(new GatewayError('answer-unexpected', { cause: `no answer to ${question.method}` }));
    }
    questions.take(scopeOf(exchange), frame.id);
    exchange.facts.answered = question;
    return pass;
  }

  /** The question may be another process's, and an answer may reach two processes: who takes it first has it. */
  async function answerOfAny(
    frame: ResultFrame | ErrorFrame,
    id: RequestId,
    own: OpenQuestion | undefined,
    exchange: Exchange,
    all: SharedQuestions,
  ): Promise<Verdict> {
    const scope = scopeOf(exchange);
    const question = own ?? (await all.find(scope, id));
    const verdict = settleAnswer(frame, question, exchange);
    if (verdict.kind !== 'pass' || question === undefined) return verdict;
    return (await all.take(scope, id, question)) ? pass : reject(new GatewayError('answer-unexpected'));
  }

  function notifyUpstream(frame: NotificationFrame, exchange: Exchange): Verdict | Promise<Verdict> {
    if (frame.method === 'notifications/cancelled') return cancelUpstream(frame, exchange);
    if (frame.method !== 'notifications/progress') return pass;
    const token = idIn(frame.params, 'progressToken');
    if (token === undefined) return drop('progress-unasked');
    const scope = scopeOf(exchange);
    if (questions.hasProgressToken(scope, token)) return pass;
    return passIf(shared?.questions.hasProgressToken(scope, token), 'progress-unasked');
  }

  function cancelUpstream(frame: NotificationFrame, exchange: Exchange): Verdict | Promise<Verdict> {
    const requestId = idIn(frame.params, 'requestId');
    const session = exchange.facts.session?.key;
    if (requestId === undefined || session === undefined) return drop('cancelled-unknown');
    const cancel = (gatewayId: number | undefined): Verdict =>
      gatewayId === undefined
        ? drop('cancelled-unknown')
        : replace(withParams(frame, { requestId: gatewayId }));
    const asked = outstanding.inSession(session, requestId);
    if (asked !== undefined || shared === undefined) return cancel(asked?.gatewayId);
    return shared.requests.idOf(session, requestId).then(cancel);
  }

  function notifyClient(frame: NotificationFrame, exchange: Exchange): Verdict | Promise<Verdict> {
    if (frame.method === 'notifications/cancelled') return cancelClient(frame, exchange);
    const asked = outstanding.of(exchange);
    if (asked !== undefined && isListen(asked, exchange)) return notifySubscriber(frame, asked);
    if (frame.method === 'notifications/progress') {
      const token = idIn(frame.params, 'progressToken');
      if (token === undefined) return drop('progress-unasked');
      if (outstanding.hasProgressToken(token, exchange)) return pass;
      const session = exchange.facts.session?.key;
      const elsewhere = session === undefined ? undefined : shared?.requests.hasProgressToken(session, token);
      return passIf(elsewhere, 'progress-unasked');
    }
    if (exchange.era === 'modern' && belongsToListen(frame.method)) return drop('notification-unasked');
    if (frame.method === 'notifications/elicitation/complete') {
      const id = frame.params === undefined ? undefined : own(frame.params, 'elicitationId');
      const isOwn = elicitations.take(id, exchange);
      if (shared === undefined || typeof id !== 'string' || id.length > longestElicitationId)
        return isOwn ? pass : drop('elicitation-unknown');
      return passIf(shared.questions.takeElicitation(ownerOf(exchange), id), 'elicitation-unknown');
    }
    return pass;
  }

  /** A server cancels its own question (legacy), or a subscription (2026-07-28). */
  function cancelClient(frame: NotificationFrame, exchange: Exchange): Verdict | Promise<Verdict> {
    const requestId = idIn(frame.params, 'requestId');
    if (requestId === undefined) return drop('cancelled-unknown');
    if (exchange.era === 'legacy') {
      // The question stays open: the client's answer may already be on its way, and is no fault of the client.
      if (questions.find(scopeOf(exchange), requestId) !== undefined) return pass;
      const elsewhere = shared?.questions
        .find(scopeOf(exchange), requestId)
        .then((question) => question !== undefined);
      return passIf(elsewhere, 'cancelled-unknown');
    }
    const asked = outstanding.of(exchange);
    if (asked === undefined || asked.gatewayId !== requestId || !isListen(asked, exchange)) {
      return drop('cancelled-unknown');
    }
    const meta = metaOf(frame.params);
    const mapped: Record<string, JsonObject | RequestId> = { requestId: asked.clientId };
    if (meta !== undefined && own(meta, subscriptionIdKey) !== undefined) {
      mapped['_meta'] = { ...meta, [subscriptionIdKey]: asked.clientId };
    }
    return replace(withParams(frame, mapped));
  }

  function notifySubscriber(frame: NotificationFrame, asked: Asked): Verdict {
    const subscription = subscriptions.get(asked);
    const meta = metaOf(frame.params);
    if (meta === undefined || own(meta, subscriptionIdKey) !== asked.gatewayId)
      return drop('subscription-unknown');
    if (subscription === undefined || !admitNotification(frame, subscription))
      return drop('notification-unasked');
    return replace(withParams(frame, { _meta: { ...meta, [subscriptionIdKey]: asked.clientId } }));
  }

  function answerClient(frame: Extract<Frame, { kind: 'result' | 'error' }>, exchange: Exchange): Verdict {
    if (frame.kind === 'error' && frame.id === undefined) {
      // The upstream could not read the id. On the stream of one request there is only one that it can mean.
      const only = outstanding.of(exchange);
      if (only === undefined) return drop('answer-unasked');
      outstanding.answered(only);
      return replace(withId(frame, only.clientId));
    }
    const asked = outstanding.find(frame.id, exchange);
    if (asked === undefined) return drop('answer-unasked');
    // Nobody hears this one. Where the stream can be resumed the upstream will repeat it, and then it must still fit.
    const isMissed = exchange.era === 'legacy' && exchange.facts.resumable && exchange.facts.clientGone;
    if (!isMissed) outstanding.answered(asked);
    if (frame.kind === 'error') elicitations.learn(frame.error.data, exchange);
    if (frame.kind === 'error' || exchange.era === 'legacy') return replace(withId(frame, asked.clientId));
    const result = isListen(asked, exchange)
      ? withClientSubscription(frame, asked)
      : rounds.toClient(frame, asked, exchange);
    if (result instanceof GatewayError) return reject(result);
    if (result === frame.result) return replace(withId(frame, asked.clientId));
    return replace(withId(replaceFrame(frame, { ...frame.value, result }), asked.clientId));
  }
}

/** @param found whether another process knows of it; undefined where there is none */
function passIf(found: Promise<boolean> | undefined, otherwise: string): Verdict | Promise<Verdict> {
  return found === undefined ? drop(otherwise) : found.then((isKnown) => (isKnown ? pass : drop(otherwise)));
}

function tooManyQuestions(): Verdict {
  return reject(new GatewayError('overloaded', { cause: 'too many questions wait for this client' }));
}

function questionOf({ method, params }: RequestFrame): OpenQuestion {
  return {
    method,
    mayBeTask: params !== undefined && own(params, 'task') !== undefined,
    progressToken: idIn(metaOf(params), 'progressToken'),
  };
}

/** 2026-07-28 has one long-lived request, whose id doubles as the subscription's. */
function isListen(asked: Asked, exchange: Exchange): boolean {
  return exchange.era === 'modern' && asked.row.longLived;
}

function withClientSubscription(frame: ResultFrame, asked: Asked): JsonObject {
  const meta = own(frame.result, '_meta');
  if (!isJsonObject(meta) || own(meta, subscriptionIdKey) === undefined) return frame.result;
  return { ...frame.result, _meta: { ...meta, [subscriptionIdKey]: asked.clientId } };
}
