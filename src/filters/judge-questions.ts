import { inputRequestRow, resourceName, type Target } from '../mcp/methods.ts';
import { isShowableUrl } from '../mcp/question-url.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Asker, requestOf } from '../pipeline/requests-of.ts';
import type { Decision } from '../policy/access-request.ts';
import { decide } from '../policy/decide.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';

/** Who asks, where and when: for every question to policy about an exchange. */
export function askerOf(exchange: Exchange): Asker {
  return {
    subject: exchange.principal,
    upstream: exchange.upstream,
    address: exchange.peer.address,
    time: exchange.time,
  };
}

const elicitation = 'elicitation/create';

/**
 * Whether the server may ask the client this. The client's principal decides, and only an explicit allow lets it
 * (`methods:` with action `ask`), with the params of the question as arguments: a question reaches a person or a model
 * that trusts whom it connected to.
 *
 * A question that sends a person to a URL needs a second allow, of that URL (`resources:` with action `ask`), and the
 * URL must be one that can be shown to a person without deceiving them, whatever policy says.
 */
export function mayAsk(method: string, params: JsonObject | undefined, exchange: Exchange): boolean {
  const { _meta, ...asked } = params ?? {};
  const target: Target = { kind: 'method', name: method, action: 'ask', arguments: asked };
  if (!settle(target, method, asked, exchange)) return false;
  if (method !== elicitation) return true;
  const mode = own(asked, 'mode') ?? 'form';
  const url = own(asked, 'url');
  // A form with a URL beside it is a form to one client and a link to the next.
  if (mode === 'form') return url === undefined;
  if (mode !== 'url' || typeof url !== 'string' || !isShowableUrl(url)) return false;
  const name = resourceName(url);
  if (!name.ok) return false;
  return settle({ kind: 'resource', name: name.value, action: 'ask' }, method, asked, exchange);
}

function settle(target: Target, method: string, asked: JsonObject, exchange: Exchange): boolean {
  const request = requestOf({ ...target, arguments: asked }, false, askerOf(exchange));
  const decision = decide(request, exchange.policy);
  note(method, decision, exchange);
  return decision.effect === 'allow';
}

/** For records: one decision for each method, and the one that refuses where there is any. */
function note(method: string, decision: Decision, { facts }: Exchange): void {
  const known = facts.questions.find((question) => question.method === method);
  if (known !== undefined && (known.decision.effect === 'deny' || decision.effect === 'allow')) return;
  facts.questions = [...facts.questions.filter((question) => question !== known), { method, decision }];
}

/**
 * `inputRequests` of a result or a task: a map from key to question. One refused question refuses the whole. What a task
 * has come to stands in its member `result`, and a client may take that for the answer to its call.
 */
export function mayAskAll(carrier: JsonObject | undefined, exchange: Exchange): boolean {
  const embedded = carrier === undefined ? undefined : own(carrier, 'result');
  return mayAskHere(carrier, exchange) && (!isJsonObject(embedded) || mayAskHere(embedded, exchange));
}

function mayAskHere(carrier: JsonObject | undefined, exchange: Exchange): boolean {
  const questions = carrier === undefined ? undefined : own(carrier, 'inputRequests');
  if (questions === undefined) return true;
  if (!isJsonObject(questions)) return false;
  for (const question of Object.values(questions)) {
    const method = isJsonObject(question) ? own(question, 'method') : undefined;
    if (typeof method !== 'string' || inputRequestRow(method) === undefined) return false;
    const params = isJsonObject(question) ? own(question, 'params') : undefined;
    if (params !== undefined && !isJsonObject(params)) return false;
    if (!mayAsk(method, params, exchange)) return false;
  }
  return true;
}

/** URLs that an error may ask to open. More than one is unusual already. */
const mostElicitations = 16;

/**
 * 2025-11-25: an error (-32042) may ask the client to open URLs. That is an elicitation by another name, and clients of
 * 2026-07-28, which has no such error, may know it still.
 */
export function mayAskByError(data: JsonValue | undefined, exchange: Exchange): boolean {
  const elicitations = isJsonObject(data) ? own(data, 'elicitations') : undefined;
  if (!Array.isArray(elicitations) || elicitations.length === 0 || elicitations.length > mostElicitations) {
    return false;
  }
  return (elicitations as readonly JsonValue[]).every(
    (params) =>
      isJsonObject(params) && own(params, 'mode') === 'url' && mayAsk(elicitation, params, exchange),
  );
}
