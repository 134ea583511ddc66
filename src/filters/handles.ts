import { GatewayError } from '../errors.ts';
import { replaceFrame } from '../mcp/encode.ts';
import type { Frame, NotificationFrame, RequestFrame, ResultFrame } from '../mcp/frame.ts';
import { mirrorHeaders } from '../mcp/headers.ts';
import { methodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, reject, replace, type Verdict } from '../pipeline/filter.ts';
import type { JsonObject } from '../values/json.ts';
import type { HandleKit } from './handle-kit.ts';
import { answerForClient, handleFault, noticeForClient } from './handles-to-client.ts';
import {
  answerForUpstream,
  noticeForUpstream,
  openRequest,
  questionForClient,
} from './handles-to-upstream.ts';

/**
 * Ids of tasks, and cursors, belong to who got them: a client never holds an upstream's own. What it brings opens only
 * for its principal, on this upstream, for this method and question, and not for ever; anything else is answered as an
 * id that was made up, and the upstream is not asked.
 *
 * After `authorize`: whoever may not use a method learns nothing of handles. A handle in another spelling changes
 * nothing of what was decided; but what began a task must still be the caller's to see.
 */
export function handles(kit: HandleKit): Filter {
  return {
    name: 'handles',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      switch (frame.kind) {
        case 'request':
          return openCall(frame, exchange);
        case 'notification':
          return settle(frame, noticeForUpstream(frame, exchange, kit));
        case 'result':
          return settleResult(frame, answerForUpstream(frame, exchange, kit));
        default:
          return pass;
      }
    },
    toClient(frame: Frame, exchange: Exchange): Verdict {
      switch (frame.kind) {
        case 'request':
          return settle(frame, questionForClient(frame, exchange, kit));
        case 'notification':
          return settle(frame, noticeForClient(frame, exchange, kit));
        case 'result': {
          const asked = kit.outstanding.find(frame.id, exchange);
          if (asked === undefined) return drop('answer-unasked');
          return settleResult(frame, answerForClient(frame.result, asked, exchange, kit));
        }
        default:
          return pass;
      }
    },
  };

  function openCall(frame: RequestFrame, exchange: Exchange): Verdict {
    const row = methodRow(frame.method, exchange.revision, 'toUpstream', 'request');
    if (row === undefined) return reject(new GatewayError('method-unknown'));
    const opened = openRequest(frame.params, row, exchange, kit);
    if (opened === undefined) return reject(handleFault());
    kit.outstanding.note(exchange, opened.handles);
    if (opened.params === frame.params) return pass;
    const sent = replaceFrame(frame, { ...frame.value, params: opened.params });
    if (row.mirrors === 'taskId') {
      exchange.facts.mirroredHeaders = mirrorHeaders(sent, row, undefined, exchange.headers.params);
    }
    return replace(sent);
  }
}

function settle(
  frame: RequestFrame | NotificationFrame,
  params: JsonObject | undefined | 'unknown',
): Verdict {
  if (params === 'unknown') return frame.kind === 'request' ? reject(handleFault()) : drop('task-unknown');
  return params === frame.params ? pass : replace(replaceFrame(frame, { ...frame.value, params }));
}

function settleResult(frame: ResultFrame, result: JsonObject | GatewayError): Verdict {
  if (result instanceof GatewayError) return reject(result);
  return result === frame.result ? pass : replace(replaceFrame(frame, { ...frame.value, result }));
}
