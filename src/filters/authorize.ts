import { GatewayError } from '../errors.ts';
import type { Frame, NotificationFrame, RequestFrame } from '../mcp/frame.ts';
import {
  inputRequestRow,
  type MethodRow,
  methodRow,
  resourceName,
  type Target,
  targetsOf,
} from '../mcp/methods.ts';
import { type Exchange, noQuestions } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import type { AccessRequest, Decision } from '../policy/access-request.ts';
import { decide } from '../policy/decide.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { Outstanding } from './outstanding.ts';

/**
 * The policy enforcement point. Every frame of a client is decided on by all of its targets; towards the client, the
 * server's questions and the resources that an answer carries are decided on as well.
 *
 * Nothing may change a frame's meaning towards the upstream after this check.
 */
export function authorize(outstanding: Outstanding): Filter {
  return {
    name: 'authorize',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      switch (frame.kind) {
        case 'request':
        case 'notification':
          return judgeCall(frame, exchange);
        case 'result':
        case 'error':
          // The question was decided on when it was asked; correlate has matched this answer to it.
          return pass;
        case 'stream-open':
        case 'session-end':
          return judgeTargets([{ kind: 'method', name: frame.kind, action: 'use' }], true, exchange);
      }
    },
    toClient(frame: Frame, exchange: Exchange): Verdict {
      // A record must not name the rule of an earlier question.
      exchange.facts.questions = noQuestions;
      switch (frame.kind) {
        case 'request':
          return judgeQuestion(frame, exchange);
        case 'notification':
          return judgeNotification(frame, exchange);
        case 'result': {
          const asked = outstanding.find(frame.id, exchange);
          if (asked === undefined) return drop('answer-unasked');
          // In both eras: a client that speaks both may not look which of them the result came in.
          if (!mayAskAll(frame.result, exchange)) return refuseResult('a question');
          return judgeContents(frame.result, asked.row, exchange);
        }
        case 'error':
          // 2025-11-25: an error may ask the client to open URLs. That is an elicitation by another name, and clients of
          // 2026-07-28, which has no such error, may know it still.
          if (frame.error.code === urlElicitationRequired) {
            return mayAsk('elicitation/create', exchange) ? pass : refuseResult('an elicitation');
          }
          return pass;
        default:
          return pass;
      }
    },
  };
}

const urlElicitationRequired = -32042;

function judgeCall(frame: RequestFrame | NotificationFrame, exchange: Exchange): Verdict {
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', frame.kind);
  if (row === undefined) return reject(new GatewayError('method-unknown'));
  // Housekeeping has no target, but it comes from somebody: whoever may use nothing here may not knock either.
  if (row.access === 'free') {
    return judgeTargets([{ kind: 'method', name: row.method, action: 'use' }], true, exchange);
  }
  const targets = targetsOf(row, frame.params);
  if (!targets.ok) return reject(new GatewayError(targets.failure.code, { cause: targets.failure.detail }));
  return judgeTargets(targets.value, row.access === 'implied', exchange);
}

/** Every target must be allowed. None at all is a hole in the table, and a hole refuses. */
function judgeTargets(targets: readonly Target[], implied: boolean, exchange: Exchange): Verdict {
  const { facts } = exchange;
  let settling: Decision | undefined;
  let refused: Decision | undefined;
  let auditArguments = false;
  for (const target of targets) {
    const decision = decide(
      accessRequest(target, implied && target.kind === 'method', exchange),
      exchange.policy,
    );
    auditArguments ||= decision.obligations.auditArguments;
    if (decision.effect === 'deny') {
      // Where one is hidden and another merely refused, the answer must be that of the hidden one.
      if (refused === undefined || (refused.visible && !decision.visible)) {
        refused = decision;
        facts.target = { kind: target.kind, name: target.name };
      }
    } else if (settling === undefined) {
      settling = decision;
      facts.target ??= { kind: target.kind, name: target.name };
    }
  }
  const decision = refused ?? settling;
  if (decision === undefined) return reject(new GatewayError('denied', { cause: 'nothing to decide on' }));
  facts.decision = { ...decision, obligations: { ...decision.obligations, auditArguments } };
  return decision.effect === 'allow' ? pass : reject(refusal(decision));
}

/**
 * What the client is told. A target that it may not see answers with the same bytes as one that does not exist; only
 * where it may see the target does it learn which condition its arguments failed, and never a value.
 */
function refusal(decision: Decision): GatewayError {
  const [reason] = decision.reasons;
  if (!decision.visible || reason.code !== 'condition-failed') return new GatewayError('denied');
  return new GatewayError('arguments-refused', {
    data: {
      ...(reason.rule === undefined ? {} : { rule: reason.rule }),
      ...(reason.condition === undefined ? {} : { condition: reason.condition }),
    },
  });
}

function accessRequest(target: Target, implied: boolean, exchange: Exchange): AccessRequest {
  return {
    subject: exchange.principal,
    action: target.action,
    resource: {
      upstream: exchange.upstream,
      kind: target.kind,
      name: target.name,
      ...(implied ? { implied } : {}),
    },
    context: { arguments: target.arguments, address: exchange.peer.address, time: exchange.time },
  };
}

function judgeQuestion(frame: RequestFrame, exchange: Exchange): Verdict {
  // 2026-07-28 has no requests of servers: there is nowhere to send even a refusal.
  if (exchange.era === 'modern') return drop('server-request');
  const row = methodRow(frame.method, exchange.revision, 'toClient', 'request');
  if (row === undefined) return reject(new GatewayError('method-unknown'));
  if (row.access === 'free') return pass;
  return mayAsk(frame.method, exchange) ? pass : reject(new GatewayError('denied'));
}

function judgeNotification(frame: NotificationFrame, exchange: Exchange): Verdict {
  const row = methodRow(frame.method, exchange.revision, 'toClient', 'notification');
  // A task that ended tells its questions this way.
  if (exchange.era === 'modern' && !mayAskAll(frame.params, exchange)) return refuseResult('a question');
  if (row?.access !== 'target') return pass;
  const targets = targetsOf(row, frame.params);
  if (!targets.ok) return reject(new GatewayError('upstream-invalid', { cause: targets.failure.detail }));
  for (const target of targets.value) {
    if (decide(accessRequest(target, false, exchange), exchange.policy).effect === 'deny') {
      return reject(new GatewayError('denied'));
    }
  }
  return pass;
}

/**
 * Whether the server may ask the client this. The client's principal decides, and only an explicit allow lets it
 * (`methods:` with action `ask`): a question reaches a person or a model that trusts whom it connected to.
 */
function mayAsk(method: string, exchange: Exchange): boolean {
  const decision = decide(
    accessRequest({ kind: 'method', name: method, action: 'ask' }, false, exchange),
    exchange.policy,
  );
  const { facts } = exchange;
  if (!facts.questions.some((question) => question.method === method)) {
    facts.questions = [...facts.questions, { method, decision }];
  }
  return decision.effect === 'allow';
}

/** `inputRequests` of a result or a task: a map from key to question. One refused question refuses the whole. */
function mayAskAll(carrier: JsonObject | undefined, exchange: Exchange): boolean {
  const questions = carrier === undefined ? undefined : own(carrier, 'inputRequests');
  if (questions === undefined) return true;
  if (!isJsonObject(questions)) return false;
  for (const question of Object.values(questions)) {
    const method = isJsonObject(question) ? own(question, 'method') : undefined;
    if (typeof method !== 'string' || inputRequestRow(method) === undefined) return false;
    if (!mayAsk(method, exchange)) return false;
  }
  return true;
}

/** What a resource read brings back may name other resources than the one that was asked for. */
function judgeContents(result: JsonObject, row: MethodRow, exchange: Exchange): Verdict {
  if (row.contents === undefined) return pass;
  const { member, key } = row.contents;
  const contents = own(result, member);
  if (contents === undefined) return pass;
  if (!Array.isArray(contents)) return reject(new GatewayError('upstream-invalid'));
  for (const item of contents as readonly JsonValue[]) {
    const uri = isJsonObject(item) ? own(item, key) : undefined;
    const name = typeof uri === 'string' ? resourceName(uri) : undefined;
    if (name === undefined || !name.ok) return reject(new GatewayError('upstream-invalid'));
    const target: Target = { kind: 'resource', name: name.value, action: 'read' };
    if (decide(accessRequest(target, false, exchange), exchange.policy).effect === 'deny') {
      return refuseResult('a resource');
    }
  }
  return pass;
}

function refuseResult(what: string): Verdict {
  return reject(new GatewayError('result-refused', { cause: `policy denies ${what} in the result` }));
}
