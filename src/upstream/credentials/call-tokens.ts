import { createHash } from 'node:crypto';
import type { Dial } from '../../dialer/contract.ts';
import type { UpstreamCaller } from '../../pipeline/upstream-port.ts';
import { createMintedTokens, unavailable } from './minted-tokens.ts';
import type { CredentialOptions, TokenExchangeOptions } from './options.ts';
import { createTokenClient, type TokenClient } from './token-client.ts';
import { TokenFault } from './token-faults.ts';

/** A token for one call. */
export interface CallToken {
  readonly text: string;
  /** The upstream answered 401: the next call asks for another. */
  refused(): void;
}

/** Where tokens for calls to one upstream come from. */
export interface CallTokens {
  /**
   * @param caller undefined where the gateway asks for itself
   * @throws GatewayError `credential-unavailable`, `overloaded`, `draining`, or the signal's reason
   */
  tokenFor(caller: UpstreamCaller | undefined, signal: AbortSignal): Promise<CallToken>;
  /**
   * Secrets of the gateway as a client, and its own tokens. Tokens of callers are not among them, because they can be
   * thousands: each call tells its own.
   */
  secrets(): readonly string[];
  /** @throws Error naming the file of the secret or key */
  reload(): void;
  close(): void;
}

export interface CallTokensDeps {
  readonly dial: Dial;
  /** Calls that may wait at a time. */
  readonly mostWaiting: number;
  readonly monotonic: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Keys of the tokens that are the gateway's own. Those of callers are hashes, and longer. */
const ownKey = 'own';
const actorKey = 'actor';

/**
 * @returns undefined where the credential is not a token that is asked for
 * @throws Error naming the file, where secret or key are not usable
 */
export function createCallTokens(
  options: CredentialOptions | undefined,
  deps: CallTokensDeps,
): CallTokens | undefined {
  const exchange = options?.tokenExchange;
  const asked = exchange ?? options?.clientCredentials;
  if (asked === undefined) return undefined;
  const client = createTokenClient(asked, deps.dial);
  const settings = {
    mostWaiting: deps.mostWaiting,
    timeoutMs: asked.timeout,
    skewMs: asked.skew,
    monotonic: deps.monotonic,
  };
  // Apart from those of callers: however many they are, they do not push these out.
  const own = createMintedTokens({ ...settings, most: 2 });
  const ofCallers = createMintedTokens({ ...settings, most: exchange?.cached ?? 1 });

  async function ownToken(signal: AbortSignal): Promise<CallToken> {
    const text = await own.get(ownKey, (until) => client.clientCredentials(until), signal);
    return { text, refused: () => own.drop(ownKey, text) };
  }

  async function exchanged(
    caller: UpstreamCaller,
    asks: TokenExchangeOptions,
    signal: AbortSignal,
  ): Promise<CallToken> {
    const { bearer, principal } = caller;
    if (bearer === undefined) return missing(asks, signal, 'the caller came without a token');
    const subject = bearer.reveal();
    const left = (): number => (principal.expiresAt ?? Number.POSITIVE_INFINITY) - deps.now();
    if (left() <= 0) throw unavailable(new TokenFault("the caller's token has expired"));
    const key = keyOf(principal.id, subject);
    const mint = async (until: AbortSignal) => client.exchange(await requestFor(subject, asks, until), until);
    const text = await ofCallers.get(key, mint, signal, left());
    if (left() <= 0) throw unavailable(new TokenFault("the caller's token has expired"));
    return { text, refused: () => ofCallers.drop(key, text) };
  }

  async function requestFor(subject: string, asks: TokenExchangeOptions, until: AbortSignal) {
    const { subjectTokenType, requestedTokenType } = asks;
    const actor = asks.actor ? await actorToken(client, until) : undefined;
    return { subject, subjectTokenType, requestedTokenType, actor };
  }

  async function actorToken(of: TokenClient, until: AbortSignal): Promise<string> {
    try {
      return await own.get(actorKey, (signal) => of.clientCredentials(signal, true), until);
    } catch (error) {
      // Not the one who asks for a token of a caller is told, but whoever asks for that caller.
      throw (error as Error).cause instanceof TokenFault ? (error as Error).cause : error;
    }
  }

  async function missing(asks: TokenExchangeOptions, signal: AbortSignal, why: string): Promise<CallToken> {
    if (asks.onMissing === 'clientCredentials') return ownToken(signal);
    throw unavailable(new TokenFault(`token exchange: ${why}`));
  }

  return {
    async tokenFor(caller, signal) {
      if (exchange === undefined) return ownToken(signal);
      if (caller !== undefined) return exchanged(caller, exchange, signal);
      return missing(exchange, signal, 'the gateway asks for itself, without a caller');
    },
    secrets: () =>
      [...client.secrets(), own.peek(ownKey), own.peek(actorKey)].filter((text) => text !== undefined),
    reload() {
      client.reload();
      own.forgive();
      ofCallers.forgive();
    },
    close() {
      own.close();
      ofCallers.close();
    },
  };
}

/**
 * The caller and the very token: another token of the same caller is exchanged for itself, because it may allow less.
 * A hash, so that the tokens of callers are not kept.
 */
function keyOf(principal: string, subject: string): string {
  return createHash('sha256').update(`${principal}\n${subject}`).digest('base64url');
}
