import type { Config } from '../config/schema.ts';
import { formatProblem } from '../document/problems.ts';
import { GatewayError } from '../errors.ts';
import { CredentialRefused } from '../identity/credential-refused.ts';
import type { Identity } from '../identity/identity.ts';
import type { Peer } from '../identity/peer.ts';
import { createRevocations, type Revocations } from '../identity/revocations.ts';
import type { RunningListener } from '../listener/contract.ts';
import type { Log } from '../observe/log.ts';
import { OpenExchanges } from '../pipeline/open-exchanges.ts';
import { finish, finishInTurns, type Steps } from '../values/steps.ts';
import { readRevocationDocument } from './read-documents.ts';
import type { ReloadStep } from './reloader.ts';

/** Takes back what was let in: by the deny list, by the key file, and with the connections that listeners cut. */
export interface Withdrawal {
  readonly revocations: Revocations;
  readonly open: OpenExchanges;
  /** To be called once everything that it needs exists. */
  attach(parts: { readonly identity: Identity; readonly listeners: readonly RunningListener[] }): void;
  /** To be told of each connection that a listener cuts. */
  onCut(peer: Peer): void;
  /** Reads the deny list and the credentials again, and ends what does not count any more. */
  readonly reloadSteps: readonly ReloadStep[];
}

/** Lines of the log between two places to stop: a list may have thousands of warnings. */
const warningsPerStep = 32;

/** @throws Error where the deny list is missing or wrong */
export function createWithdrawal(
  config: Config,
  deps: { readonly log: Log; readonly now: () => number },
): Withdrawal {
  const { log, now } = deps;
  const issuers = config.identity.flatMap(({ token }) => (token === undefined ? [] : [token.issuer]));
  const revocations = createRevocations(config.revocations, { issuers, parse: readRevocationDocument });
  const open = new OpenExchanges();
  let identity: Identity | undefined;
  let listeners: readonly RunningListener[] = [];

  function* tell(): Steps<void> {
    for (const [index, warning] of revocations.warnings().entries()) {
      log.warn('an entry of the deny list has no effect', { warning: formatProblem(warning) });
      if (index % warningsPerStep === 0) yield;
    }
    log.info('the deny list is in force', { ...revocations.counts(), overdue: revocations.overdue(now()) });
  }
  const sweep = (): void => {
    const exchangesEnded = open.sweep((principal, upstream) => identity!.recheck(principal, upstream));
    const connectionsCut = listeners.reduce((sum, listener) => sum + listener.cutRevoked(), 0);
    if (exchangesEnded + connectionsCut === 0) return;
    log.info('credentials were withdrawn', { exchangesEnded, connectionsCut });
  };
  if (config.revocations !== undefined) finish(tell());

  const readList: ReloadStep = {
    what: 'revocations',
    async read() {
      await revocations.reload();
      sweep();
      await finishInTurns(tell());
    },
  };
  const readCredentials: ReloadStep = {
    what: 'identity',
    async read() {
      try {
        await identity?.reload();
      } finally {
        // One file may be broken, and another have withdrawn a key.
        sweep();
      }
    },
  };
  return {
    revocations,
    open,
    attach(parts) {
      ({ identity, listeners } = parts);
    },
    onCut(peer) {
      open.endAt(
        peer,
        new GatewayError('credential-invalid', { cause: new CredentialRefused('connection-cut') }),
      );
    },
    reloadSteps: config.revocations === undefined ? [readCredentials] : [readList, readCredentials],
  };
}
