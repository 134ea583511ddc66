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
import { type MethodRow, methodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, reject, replace, type Verdict } from '../pipeline/filter.ts';
import { isJsonObject, type JsonObject, own } from '../values/json.ts';
import { fitsQuestion } from './answer-shapes.ts';
import { createElicitations } from './elicitations.ts';
import { createInputRounds } from './input-rounds.ts';
import { admitNotification, belongsToListen, type Subscription, subscriptionOf } from './listen.ts';
import type { MemoryLimits, RequestStateOptions } from './options.ts';
import type { Asked, Outstanding } from './outstanding.ts';
import { createQuestions, type OpenQuestion } from './questions.ts';
import { scopeOf } from './scope.ts';
import type { Sealer } from './seal.ts';

export interface CorrelateDeps {
  readonly outstanding: Outstanding;
  readonly memory: MemoryLimits;
  readonly state: RequestStateOptions;
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
  const { outstanding } = deps;
  const questions = createQuestions(deps.memory, deps.monotonic);
  const elicitations = createElicitations(deps.memory, deps.monotonic);
  const rounds = createInputRounds(deps.sealer, deps.state, deps.now);
  const subscriptions = new WeakMap<Asked, Subscription>();

  return {
    name: 'correlate',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
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
    toClient(frame: Frame, exchange: Exchange): Verdict {
      switch (frame.kind) {
        case 'request':
          if (!questions.asked(scopeOf(exchange), frame.id, questionOf(frame))) {
            return reject(
              new GatewayError('overloaded', { cause: 'too many questions wait for this client' }),
            );
          }
          elicitations.learn(frame.params, exchange);
          return pass;
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

  /** An answer fits the question that was asked, in its form too, and only once. */
  function answerUpstream(frame: ResultFrame | ErrorFrame, exchange: Exchange): Verdict {
    const scope = scopeOf(exchange);
    const question = frame.id === undefined ? undefined : questions.find(scope, frame.id);
    if (question === undefined || frame.id === undefined)
      return reject(new GatewayError('answer-unexpected'));
    if (frame.kind === 'result' && !fitsQuestion(question.method, frame.result, question.mayBeTask)) {
      return reject(new GatewayError('answer-unexpected', { cause: `no answer to ${question.method}` }));
    }
    questions.take(scope, frame.id);
    exchange.facts.answered = question;
    return pass;
  }

  function notifyUpstream(frame: NotificationFrame, exchange: Exchange): Verdict {
    if (frame.method === 'notifications/cancelled') return cancelUpstream(frame, exchange);
    if (frame.method !== 'notifications/progress') return pass;
    const token = idIn(frame.params, 'progressToken');
    const isLive = token !== undefined && questions.hasProgressToken(scopeOf(exchange), token);
    return isLive ? pass : drop('progress-unasked');
  }

  function cancelUpstream(frame: NotificationFrame, exchange: Exchange): Verdict {
    const requestId = idIn(frame.params, 'requestId');
    const session = exchange.facts.session?.key;
    const asked =
      requestId === undefined || session === undefined
        ? undefined
        : outstanding.inSession(session, requestId);
    if (asked === undefined) return drop('cancelled-unknown');
    return replace(withParams(frame, { requestId: asked.gatewayId }));
  }

  function notifyClient(frame: NotificationFrame, exchange: Exchange): Verdict {
    if (frame.method === 'notifications/cancelled') return cancelClient(frame, exchange);
    const asked = outstanding.of(exchange);
    if (asked !== undefined && isListen(asked, exchange)) return notifySubscriber(frame, asked);
    if (frame.method === 'notifications/progress') {
      const token = idIn(frame.params, 'progressToken');
      const live = token !== undefined && outstanding.hasProgressToken(token, exchange);
      return live ? pass : drop('progress-unasked');
    }
    if (exchange.era === 'modern' && belongsToListen(frame.method)) return drop('notification-unasked');
    if (frame.method === 'notifications/elicitation/complete') {
      const id = frame.params === undefined ? undefined : own(frame.params, 'elicitationId');
      return elicitations.take(id, exchange) ? pass : drop('elicitation-unknown');
    }
    return pass;
  }

  /** A server cancels its own question (legacy), or a subscription (2026-07-28). */
  function cancelClient(frame: NotificationFrame, exchange: Exchange): Verdict {
    const requestId = idIn(frame.params, 'requestId');
    if (requestId === undefined) return drop('cancelled-unknown');
    if (exchange.era === 'legacy') {
      // The question stays open: the client's answer may already be on its way, and is no fault of the client.
      return questions.find(scopeOf(exchange), requestId) === undefined ? drop('cancelled-unknown') : pass;
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

function withParams(frame: NotificationFrame, changed: JsonObject): Frame {
  return replaceFrame(frame, { ...frame.value, params: { ...frame.params, ...changed } });
}

function targetOf(row: MethodRow, params: JsonObject | undefined): string | undefined {
  const target = row.mirrors === undefined || params === undefined ? undefined : own(params, row.mirrors);
  return typeof target === 'string' ? target : undefined;
}

function metaOf(params: JsonObject | undefined): JsonObject | undefined {
  const meta = params === undefined ? undefined : own(params, '_meta');
  return isJsonObject(meta) ? meta : undefined;
}

function idIn(object: JsonObject | undefined, key: string): RequestId | undefined {
  const id = object === undefined ? undefined : own(object, key);
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}
