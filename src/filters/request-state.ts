import { createHash } from 'node:crypto';
import type { RequestStateOptions } from './options.ts';
import type { Sealer } from './seal.ts';

/** What a retried request must fit: the same caller, asking the same thing. */
export interface StateBinding {
  readonly principalId: string;
  readonly upstream: string;
  readonly method: string;
  readonly target: string | undefined;
}

export interface OpenedState {
  /** What the upstream gave as its own state; undefined where it gave none. */
  readonly upstreamState: string | undefined;
  /** The questions that were asked: key -> method. */
  readonly asked: ReadonlyMap<string, string>;
}

/**
 * `requestState` of 2026-07-28 (basic/patterns/mrtr) towards the client: the upstream's own, sealed together with who
 * may come back with it, for what, and which questions it may then answer. Nothing is remembered here.
 */
export interface RequestStates {
  /** Undefined where the upstream's state or its number of questions is beyond what is relayed. */
  seal(
    binding: StateBinding,
    upstreamState: string | undefined,
    asked: ReadonlyMap<string, string>,
    now: number,
  ): string | undefined;
  /** Undefined for foreign, expired, altered and invented states, without telling them apart. */
  open(sealed: string, binding: StateBinding, now: number): OpenedState | undefined;
}

/** Another replica's clock may run ahead a little; a state from further ahead was not made by an honest one. */
const clockSkewMs = 60_000;

export function createRequestStates(sealer: Sealer, options: RequestStateOptions): RequestStates {
  return {
    seal(binding, upstreamState, asked, now) {
      if (asked.size > options.maxQuestions) return undefined;
      const text = JSON.stringify([digest(binding), now, [...asked], upstreamState ?? null]);
      if (Buffer.byteLength(text) > options.maxBytes) return undefined;
      return sealer.seal(text);
    },
    open(sealed, binding, now) {
      const opened = sealer.open(sealed);
      if (opened === undefined) return undefined;
      const claims: unknown = JSON.parse(opened);
      if (!Array.isArray(claims)) return undefined;
      const [boundTo, issuedAt, asked, upstreamState]: unknown[] = claims;
      if (boundTo !== digest(binding)) return undefined;
      if (typeof issuedAt !== 'number' || now - issuedAt > options.maxAge || issuedAt - now > clockSkewMs) {
        return undefined;
      }
      if (!Array.isArray(asked)) return undefined;
      return {
        upstreamState: typeof upstreamState === 'string' ? upstreamState : undefined,
        asked: new Map(asked.filter(isPair)),
      };
    },
  };
}

function isPair(value: unknown): value is [string, string] {
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'string'
  );
}

function digest(binding: StateBinding): string {
  const { principalId, upstream, method, target } = binding;
  return createHash('sha256')
    .update(JSON.stringify([principalId, upstream, method, target ?? null]), 'utf8')
    .digest('base64url');
}
