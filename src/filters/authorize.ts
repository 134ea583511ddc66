import { GatewayError } from '../errors.ts';
import type { ProtectedResource } from '../identity/protected-resource.ts';
import type { Frame, NotificationFrame, RequestFrame } from '../mcp/frame.ts';
import { type MethodRow, methodRow, resourceName, type Target, targetsOf } from '../mcp/methods.ts';
import { type Exchange, noQuestions } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import { requestOf, requestsOf } from '../pipeline/requests-of.ts';
import type { Decision } from '../policy/access-request.ts';
import { decide } from '../policy/decide.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { missingCapabilities } from './declared.ts';
import { refusal } from './disclosure.ts';
import { askerOf, mayAsk, mayAskAll, mayAskByError } from './judge-questions.ts';
import { lackOfScope } from './lack-of-scope.ts';
import type { Disclosure } from './options.ts';
import type { Outstanding } from './outstanding.ts';

/**
 * The policy enforcement point. Every frame of a client is decided on by all of its targets; towards the client, the
 * server's questions and the resources that an answer carries are decided on as well.
 *
 * Nothing may change a frame's meaning towards the upstream after this check.
 *
 * @param disclosures what a denial tells, by upstream: hidden where nothing is said
 * @param resources routes that are OAuth resources, by upstream: only there is a caller told which scopes would do
 */
export function authorize(
  outstanding: Outstanding,
  resources: ReadonlyMap<string, ProtectedResource> = new Map(),
  disclosures: ReadonlyMap<string, Disclosure> = new Map(),
): Filter {
  return {
    name: 'authorize',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      switch (frame.kind) {
        case 'request':
        case 'notification':
        case 'stream-open':
        case 'session-end':
          return judgeCall(
            frame,
            exchange,
            resources.get(exchange.upstream),
            disclosures.get(exchange.upstream),
          );
        case 'result':
        case 'error':
          // The question was decided on when it was asked; correlate has matched this answer to it.
          return pass;
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
          const lacking = missingCapabilities(frame.result, exchange);
          if (lacking !== undefined) return reject(new GatewayError('capability-missing', { data: lacking }));
          return judgeContents(frame.result, asked.row, exchange);
        }
        case 'error':
          if (frame.error.code === urlElicitationRequired) {
            return mayAskByError(frame.error.data, exchange) ? pass : refuseResult('an elicitation');
          }
          return pass;
        default:
          return pass;
      }
    },
  };
}

const urlElicitationRequired = -32042;

/** Every target must be allowed. None at all is a hole in the table, and a hole refuses. */
function judgeCall(
  frame: Frame,
  exchange: Exchange,
  resource: ProtectedResource | undefined,
  disclosure: Disclosure | undefined,
): Verdict {
  const { facts } = exchange;
  const found = requestsOf(frame, exchange.revision, askerOf(exchange));
  if (!found.ok) return reject(new GatewayError(found.failure.code, { cause: found.failure.detail }));
  let settling: Decision | undefined;
  let refused: Decision | undefined;
  let auditArguments = false;
  for (const request of found.value) {
    const { kind, name } = request.resource;
    const decision = decide(request, exchange.policy);
    auditArguments ||= decision.obligations.auditArguments;
    if (decision.effect === 'deny') {
      // Where one is hidden and another merely refused, the answer must be that of the hidden one.
      if (refused === undefined || (refused.visible && !decision.visible)) {
        refused = decision;
        facts.target = { kind, name };
      }
    } else if (settling === undefined) {
      settling = decision;
      facts.target ??= { kind, name };
    } else if (!wouldDeny(settling) && wouldDeny(decision)) {
      // What a shadow rule would refuse of one target, it would refuse of all of them.
      settling = decision;
      if (refused === undefined) facts.target = { kind, name };
    }
  }
  const decision = refused ?? settling;
  if (decision === undefined) return reject(new GatewayError('denied', { cause: 'nothing to decide on' }));
  facts.decision = { ...decision, obligations: { ...decision.obligations, auditArguments } };
  if (decision.effect === 'allow') return pass;
  const lack = resource === undefined ? undefined : lackOfScope(found.value, exchange, resource);
  return reject(lack ?? refusal(decision, disclosure));
}

function wouldDeny({ shadow }: Decision): boolean {
  return shadow?.effect === 'deny';
}

function judge(target: Target, exchange: Exchange): Decision {
  return decide(requestOf(target, false, askerOf(exchange)), exchange.policy);
}

function judgeQuestion(frame: RequestFrame, exchange: Exchange): Verdict {
  // 2026-07-28 has no requests of servers: there is nowhere to send even a refusal.
  if (exchange.era === 'modern') return drop('server-request');
  const row = methodRow(frame.method, exchange.revision, 'toClient', 'request');
  if (row === undefined) return reject(new GatewayError('method-unknown'));
  if (row.access === 'free') return pass;
  return mayAsk(frame.method, frame.params, exchange) ? pass : reject(new GatewayError('denied'));
}

function judgeNotification(frame: NotificationFrame, exchange: Exchange): Verdict {
  const row = methodRow(frame.method, exchange.revision, 'toClient', 'notification');
  // A task that ended tells its questions this way; in both eras, as in results.
  if (!mayAskAll(frame.params, exchange)) return refuseResult('a question');
  if (missingCapabilities(frame.params, exchange) !== undefined) {
    return reject(new GatewayError('capability-missing'));
  }
  if (row?.access !== 'target') return pass;
  const targets = targetsOf(row, frame.params);
  if (!targets.ok) return reject(new GatewayError('upstream-invalid', { cause: targets.failure.detail }));
  for (const target of targets.value) {
    if (judge(target, exchange).effect === 'deny') {
      return reject(new GatewayError('denied'));
    }
  }
  return pass;
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
    if (judge(target, exchange).effect === 'deny') {
      return refuseResult('a resource');
    }
  }
  return pass;
}

function refuseResult(what: string): Verdict {
  return reject(new GatewayError('result-refused', { cause: `policy denies ${what} in the result` }));
}
