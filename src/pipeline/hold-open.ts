import { GatewayError } from '../errors.ts';
import { CredentialRefused } from '../identity/credential-refused.ts';
import type { Peer } from '../identity/peer.ts';
import type { Principal } from '../identity/principal.ts';
import type { OpenExchanges } from './open-exchanges.ts';

/** Whose exchange it is, and since when that is known. */
export interface Held {
  readonly principal: Principal;
  readonly peer: Peer;
  readonly upstream: string;
  /** `OpenExchanges.epoch` from before the caller was let in. */
  readonly epoch: number;
}

export interface HoldDependencies {
  readonly open: OpenExchanges;
  /** Calls `then` at a time (milliseconds since the epoch). The returned function calls it off. */
  at(time: number, then: () => void): () => void;
}

/**
 * Ends what is under way when it must not go on: at once where its caller's credentials are withdrawn, and where it is
 * meant to stay open also when they expire. A call may outlive their expiry: it ends with the total timeout.
 *
 * @returns to be called when it is over
 */
export function holdOpen(
  held: Held,
  standing: boolean,
  abort: AbortController,
  deps: HoldDependencies,
): () => void {
  let expiry: number | undefined;
  let callOff: (() => void) | undefined;
  const expiresAt = (time: number | undefined): void => {
    if (!standing || time === expiry) return;
    callOff?.();
    expiry = time;
    callOff = time === undefined ? undefined : deps.at(time, () => abort.abort(expired()));
  };
  expiresAt(held.principal.expiresAt);
  const leave = deps.open.enter(
    { ...held, standing, expiresAt, end: (error) => abort.abort(error) },
    held.epoch,
  );
  return () => {
    callOff?.();
    leave();
  };
}

function expired(): GatewayError {
  return new GatewayError('credential-invalid', { cause: new CredentialRefused('expired') });
}
