import { GatewayError } from '../../errors.ts';
import { createLru } from '../../identity/lru.ts';
import type { IssuedToken } from './token-client.ts';
import { TokenFault } from './token-faults.ts';

export interface MintedTokensSettings {
  /** Tokens and failures that are kept. When full, what was used longest ago goes. */
  readonly most: number;
  /** Calls that may wait for a token at a time; further ones are told to come back. */
  readonly mostWaiting: number;
  /** From when a token is asked for, waiting for a turn included. Milliseconds. */
  readonly timeoutMs: number;
  readonly skewMs: number;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
}

/** Asks for a token. The signal ends it. */
export type Mint = (signal: AbortSignal) => Promise<IssuedToken>;

/** Tokens that were asked for, kept as long as they are good. */
export interface MintedTokens {
  /**
   * The token under a key, or the one that `mint` gives. One request at a time for each key: who comes meanwhile waits
   * for the same one. After a failure nobody is asked for that key for a second; where the fault is not that key's
   * own, such as a server that is not there, for no key.
   *
   * @param notAfterMs milliseconds from now after which the token must not be used, whatever its own life
   * @throws GatewayError `credential-unavailable`, `overloaded`, `draining`, or the signal's reason
   */
  get(key: string, mint: Mint, signal: AbortSignal, notAfterMs?: number): string | Promise<string>;
  /** An upstream did not take this token: the next call asks anew, at most once a second. */
  drop(key: string, text: string): void;
  /** The token under a key, if there is a good one. */
  peek(key: string): string | undefined;
  /** Forgets failures: the secret or key that they came from may be another one now. Tokens stay. */
  forgive(): void;
  close(): void;
}

/** 1 s: a server that is down or says no is asked once in it, and not once for every call. */
const coolDownMs = 1000;

/** 60 s for a token whose server does not say how long it lives (RFC 6749 5.1 only recommends it). */
const unknownLifetimeMs = 60_000;

/** 8, because callers that come all at once must not look like an attack, and dials are counted for the whole gateway. */
const mostRequests = 8;

interface Held {
  readonly text: string;
  readonly mintedAt: number;
  readonly until: number;
}

interface Failure {
  readonly fault: TokenFault;
  readonly until: number;
}

export function createMintedTokens(settings: MintedTokensSettings): MintedTokens {
  const { monotonic, timeoutMs, skewMs } = settings;
  const held = createLru<string, Held>(settings.most);
  const failures = createLru<string, Failure>(settings.most);
  const pending = new Map<string, Promise<string>>();
  const turns: (() => void)[] = [];
  const closing = new AbortController();
  let waiting = 0;
  let running = 0;
  let down: Failure | undefined;

  function get(
    key: string,
    mint: Mint,
    signal: AbortSignal,
    notAfterMs = Infinity,
  ): string | Promise<string> {
    if (closing.signal.aborted) throw new GatewayError('draining');
    const time = monotonic();
    const found = held.get(key);
    if (found !== undefined && time < found.until) return found.text;
    const already = pending.get(key);
    if (already === undefined) {
      for (const failure of [failures.get(key), down]) {
        if (failure !== undefined && time < failure.until) throw unavailable(failure.fault);
      }
    }
    // Requests outlive the calls that asked for them.
    if (Math.max(waiting, pending.size) >= settings.mostWaiting) {
      throw new GatewayError('overloaded', { headers: { 'retry-after': '1' } });
    }
    return wait(already ?? begin(key, mint, notAfterMs), signal);
  }

  function begin(key: string, mint: Mint, notAfterMs: number): Promise<string> {
    const minting = ask(key, mint, notAfterMs).finally(() => pending.delete(key));
    // Whoever waits hears of a failure; if all of them have left, nobody needs to.
    minting.catch(() => undefined);
    pending.set(key, minting);
    return minting;
  }

  async function ask(key: string, mint: Mint, notAfterMs: number): Promise<string> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
    const asked = monotonic();
    let begun: number | undefined;
    await turn();
    try {
      // Those who waited for their turn do not try again what has just failed for all.
      if (down !== undefined && monotonic() < down.until) throw down.fault;
      if (signal.aborted) throw outOfTime(undefined);
      begun = monotonic();
      const token = await mint(signal);
      down = undefined;
      const life = token.lifetimeMs ?? unknownLifetimeMs;
      const until = Math.min(begun + life - Math.min(skewMs, life / 2), asked + notAfterMs);
      held.set(key, { text: token.text, mintedAt: begun, until });
      return token.text;
    } catch (error) {
      if (closing.signal.aborted) throw new GatewayError('draining');
      const fault = signal.aborted ? outOfTime(begun) : toFault(error);
      const until = monotonic() + coolDownMs;
      if (fault.shared && fault !== down?.fault) down = { fault, until };
      failures.set(key, { fault, until });
      throw unavailable(fault);
    } finally {
      running -= 1;
      turns.shift()?.();
    }
  }

  /**
   * A server that had most of the time and gave nothing is not there for anybody. One that was asked late is: others had
   * the turns, and who comes with many tokens must not keep all callers out for it.
   */
  function outOfTime(begun: number | undefined): TokenFault {
    if (begun === undefined) return new TokenFault(`no turn within ${timeoutMs} ms`);
    return new TokenFault(`no token within ${timeoutMs} ms`, monotonic() - begun >= timeoutMs / 2);
  }

  /** First come, first served: whoever came earlier runs out of time earlier, so nobody waits beyond its own time. */
  async function turn(): Promise<void> {
    running += 1;
    if (running > mostRequests) await new Promise<void>((resolve) => turns.push(resolve));
  }

  /** A caller that leaves does not take the request with it: others wait for the same one. */
  function wait(minting: Promise<string>, signal: AbortSignal): Promise<string> {
    if (signal.aborted) return Promise.reject(signal.reason);
    waiting += 1;
    return new Promise<string>((resolve, reject) => {
      const leave = (): void => reject(signal.reason);
      signal.addEventListener('abort', leave);
      minting.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    }).finally(() => {
      waiting -= 1;
    });
  }

  return {
    get,
    drop(key, text) {
      const found = held.get(key);
      if (found?.text !== text) return;
      // An upstream that refuses every token must not turn each call into a request to the authorization server.
      if (monotonic() - found.mintedAt >= coolDownMs) held.delete(key);
    },
    peek(key) {
      const found = held.get(key);
      return found !== undefined && monotonic() < found.until ? found.text : undefined;
    },
    forgive() {
      failures.clear();
      down = undefined;
    },
    close() {
      closing.abort();
      held.clear();
    },
  };
}

function toFault(error: unknown): TokenFault {
  return error instanceof TokenFault ? error : new TokenFault('asking for a token failed');
}

export function unavailable(fault: Error): GatewayError {
  return new GatewayError('credential-unavailable', { cause: fault });
}
