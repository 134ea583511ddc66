import { errorTable } from '../errors.ts';
import { inputRequestRow, methodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Outcome } from '../pipeline/outcome.ts';
import type { ReasonCode } from '../policy/access-request.ts';
import { other } from './metric-family.ts';

/** Turns what peers sent into label values of which there is a bounded number. */
export interface NameBounds {
  code(code: string): string;
  reason(reason: string): string;
  method(exchange: Exchange): string;
  question(outcome: Outcome): string;
  target(exchange: Exchange, kind: 'tool' | 'prompt', name: string): string;
  limit(exchange: Exchange, name: string | undefined): string;
  drop(word: string): string;
}

const codes: ReadonlySet<string> = new Set([
  'ok',
  'tool-error',
  'rpc-error',
  'cancelled',
  ...Object.keys(errorTable),
]);
const reasonTable = {
  allowed: true,
  implied: true,
  'denied-by-rule': true,
  'denied-by-acl': true,
  'condition-failed': true,
  'no-role': true,
  'no-rule': true,
  'scope-missing': true,
} as const satisfies Record<ReasonCode, true>;
const reasons: ReadonlySet<string> = new Set(Object.keys(reasonTable));

/** A name becomes a label only if configuration, policy, the method table or the upstream's own list knows it. */
export const boundedNames: NameBounds = {
  code: (code) => (codes.has(code) ? code : other),
  // Own words of the filters, beside the codes: never a peer's.
  drop: (word) => (/^[a-z][a-z-]{0,40}$/.test(word) ? word : other),
  reason: (reason) => (reasons.has(reason) ? reason : other),
  method({ request, revision }) {
    if (request.kind === 'stream-open' || request.kind === 'session-end') return request.kind;
    if (request.kind === 'result' || request.kind === 'error') return 'answer';
    return methodRow(request.method, revision, 'toUpstream', request.kind) === undefined
      ? other
      : request.method;
  },
  question({ exchange, question }) {
    if (exchange === undefined || question === undefined) return other;
    const row =
      methodRow(question.method, exchange.revision, 'toClient', 'request') ??
      inputRequestRow(question.method);
    return row === undefined ? other : question.method;
  },
  target({ policy, catalog }, kind, name) {
    const known =
      kind === 'tool'
        ? policy.knownNames.tools.has(name) || catalog.tool(name) !== undefined
        : policy.knownNames.prompts.has(name) || catalog.hasPrompt(name);
    return known ? name : other;
  },
  limit: ({ policy }, name) =>
    name !== undefined && policy.limits.some((limit) => limit.name === name) ? name : other,
};
