import type { Dial } from '../../dialer/contract.ts';
import type { UpstreamMessage } from '../../pipeline/upstream-port.ts';
import type { HttpUpstreamOptions } from '../options.ts';
import { createAssertions } from './assertion.ts';
import type { AssertionKeys } from './assertion-keys.ts';
import { createCallTokens } from './call-tokens.ts';

/** What was made for one call. */
export interface MadeCredentials {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** The upstream answered 401. */
  refused(): void;
}

/** The part of an upstream's credentials that is made for each call: tokens that are asked for, and assertions. */
export interface CallCredentials {
  /**
   * Tells the message's `onSecret` what it made.
   *
   * @throws GatewayError `credential-unavailable`, `overloaded`, `draining`, or the signal's reason
   */
  make(message: UpstreamMessage): Promise<MadeCredentials>;
  secrets(): readonly string[];
  /** @throws Error naming the file */
  reload(): void;
  close(): void;
}

export interface CallCredentialsDeps {
  readonly dial?: Dial | undefined;
  readonly assertionKeys?: AssertionKeys | undefined;
}

/**
 * @returns undefined where nothing is made for each call
 * @throws Error where secret or key are not usable, or what it needs is not there
 */
export function createCallCredentials(
  name: string,
  options: HttpUpstreamOptions,
  { dial, assertionKeys }: CallCredentialsDeps,
): CallCredentials | undefined {
  const { credential, assertion, limits } = options;
  const now = (): number => Date.now();
  const tokens = createCallTokens(credential, {
    dial: dial ?? noDialer,
    // As many as may wait for a connection: a body is held for each of them.
    mostWaiting: limits.connections + limits.queued + limits.streams,
    monotonic: () => performance.now(),
    now,
  });
  if (tokens === undefined && assertion === undefined) return undefined;
  if (assertion !== undefined && assertionKeys === undefined) {
    throw new Error(`${name}: identity assertions need assertions.keys`);
  }
  const assertions =
    assertion === undefined ? undefined : createAssertions(name, assertion, assertionKeys!, now);
  const tokenHeader = credential?.header.toLowerCase() ?? 'authorization';
  const scheme = credential?.scheme ?? 'Bearer';

  return {
    async make({ caller, signal, onSecret }) {
      const headers: string[] = [];
      const token = await tokens?.tokenFor(caller, signal);
      if (token !== undefined) {
        onSecret?.(token.text);
        headers.push(tokenHeader, `${scheme} ${token.text}`);
      }
      if (assertions !== undefined) {
        // Last, so that waiting for a token takes nothing from its short life.
        const signed = await assertions(caller);
        onSecret?.(signed);
        headers.push(assertion!.header.toLowerCase(), signed);
      }
      return { headers, refused: () => token?.refused() };
    },
    secrets: () => tokens?.secrets() ?? [],
    reload: () => tokens?.reload(),
    close: () => tokens?.close(),
  };
}

const noDialer: Dial = () => Promise.reject(new TypeError('this upstream was made without a dialer'));
