import { GatewayError } from '../errors.ts';
import { replaceFrame } from '../mcp/encode.ts';
import type { RequestFrame, ResultFrame } from '../mcp/frame.ts';
import type { MethodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { isJsonObject, type JsonObject, own } from '../values/json.ts';
import { fitsQuestion } from './answer-shapes.ts';
import type { RequestStateOptions } from './options.ts';
import type { Asked } from './outstanding.ts';
import { createRequestStates, type StateBinding } from './request-state.ts';
import type { Sealer } from './seal.ts';

/**
 * Questions inside results and answers inside retried requests (2026-07-28, basic/patterns/mrtr). An answer is only
 * relayed to a question that was asked of this principal, for this method and target, not long ago.
 */
export interface InputRounds {
  /** The request as the upstream may have it: with its own state instead of the client's handle. */
  toUpstream(
    frame: RequestFrame,
    row: MethodRow,
    target: string | undefined,
    exchange: Exchange,
  ): RequestFrame | GatewayError;
  /** The result as the client may have it: with a sealed state where it asks for input. */
  toClient(frame: ResultFrame, asked: Asked, exchange: Exchange): JsonObject | GatewayError;
}

export function createInputRounds(
  sealer: Sealer,
  options: RequestStateOptions,
  now: () => number,
): InputRounds {
  const states = createRequestStates(sealer, options);
  return {
    toUpstream(frame, row, target, exchange) {
      const state = frame.params === undefined ? undefined : own(frame.params, 'requestState');
      const answers = frame.params === undefined ? undefined : own(frame.params, 'inputResponses');
      if (state === undefined && answers === undefined) return frame;
      // Sessions have no such rounds, and a server that speaks both eras might take the answers all the same.
      if (exchange.era === 'legacy') return new GatewayError('state-unknown');
      if (!row.mayAskInput) {
        // A task's questions are answered by a method of their own, and bound to the task id instead.
        return row.answersTask === true && state === undefined ? frame : new GatewayError('state-unknown');
      }
      if (typeof state !== 'string') return new GatewayError('state-unknown');
      const opened = states.open(state, bindingOf(row, target, exchange), now());
      if (opened === undefined) return new GatewayError('state-unknown');
      if (answers !== undefined) {
        if (!isJsonObject(answers)) return new GatewayError('frame-params-invalid');
        const given = Object.entries(answers);
        if (given.some(([key]) => !opened.asked.has(key))) return new GatewayError('state-unknown');
        for (const [key, answer] of given) {
          const method = opened.asked.get(key)!;
          if (!fitsQuestion(method, answer ?? null)) {
            return new GatewayError('frame-params-invalid', { cause: `no answer to ${method}` });
          }
        }
      }
      const { requestState: _sealed, ...params } = frame.params!;
      return replaceFrame(frame, {
        ...frame.value,
        params:
          opened.upstreamState === undefined ? params : { ...params, requestState: opened.upstreamState },
      });
    },
    toClient(frame, asked, exchange) {
      const { result } = frame;
      if (own(result, 'resultType') !== 'input_required') return result;
      const questions = own(result, 'inputRequests');
      const state = own(result, 'requestState');
      const wellFormed =
        asked.row.mayAskInput &&
        (questions === undefined || isJsonObject(questions)) &&
        (state === undefined || typeof state === 'string') &&
        (questions !== undefined || state !== undefined);
      if (!wellFormed)
        return new GatewayError('upstream-invalid', { cause: 'a malformed input_required result' });
      const sealed = states.seal(
        bindingOf(asked.row, asked.target, exchange),
        state,
        methodsOf(questions ?? {}),
        now(),
      );
      if (sealed === undefined) {
        return new GatewayError('result-too-large', {
          cause: 'too many questions or too large a request state',
        });
      }
      return { ...result, requestState: sealed };
    },
  };
}

/** Key -> method. Policy has judged each question before: what is none does not come here. */
function methodsOf(questions: JsonObject): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(questions).map(([key, question]) => {
      const method = isJsonObject(question) ? own(question, 'method') : undefined;
      return [key, typeof method === 'string' ? method : ''];
    }),
  );
}

function bindingOf(row: MethodRow, target: string | undefined, exchange: Exchange): StateBinding {
  return { principalId: exchange.principal.id, upstream: exchange.upstream, method: row.method, target };
}
