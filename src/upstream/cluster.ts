import { GatewayError } from '../errors.ts';
import type { UpstreamAnswer, UpstreamMessage } from '../pipeline/upstream-port.ts';
import type { CallRules } from './answer.ts';
import { type Choice, choose, hasRoom } from './choose.ts';
import { createEndpoint, type SecondTry, tooBusy } from './endpoint.ts';
import { evidenceOfAnswer, evidenceOfFailure } from './evidence.ts';
import type { Progress } from './failure.ts';
import { outgoingHeaders } from './headers.ts';
import { createCheck, repeatCheck } from './health.ts';
import { createNameLookup, type ResolveName, systemResolveName } from './lookup.ts';
import { createMember, type Member } from './member.ts';
import { endpointUrls, type HttpUpstreamOptions, healthOf } from './options.ts';
import { type Retry, retryOf } from './retry.ts';
import { createRetryBudget } from './retry-budget.ts';
import { bindingOf, tagged } from './session-tag.ts';
import { standingOf, type UpstreamChange, type UpstreamCounts, type UpstreamStanding } from './standing.ts';
import type { TlsMaterial } from './tls.ts';

export interface ClusterDeps {
  readonly rules: CallRules;
  readonly tls: TlsMaterial;
  /** Told of what changes about endpoints. */
  readonly onChange?: ((change: UpstreamChange) => void) | undefined;
  /** Resolves names; the machine's own resolver by default. */
  readonly resolve?: ResolveName | undefined;
  /** Milliseconds that never go back. */
  readonly monotonic?: (() => number) | undefined;
  /** From 0 up to 1. */
  readonly random?: (() => number) | undefined;
}

/** The headers of a second try, where credentials are made for each. */
export type Renew = () => Promise<readonly string[]>;

/** The endpoints of one upstream as one. */
export interface Cluster {
  /**
   * Sends a message to the endpoint of its session, or to one that does well and has little to do; once more only where
   * nothing can have happened (retry.ts), and at most once more.
   *
   * @param own headers of the transport and credentials, names and values in turn
   * @param renew makes the credentials for a second try: what a server has seen once it may refuse
   */
  send(message: UpstreamMessage, own: readonly string[], renew?: Renew): Promise<UpstreamAnswer>;
  /** Whether any endpoint could take it. */
  hasRoom(message: UpstreamMessage): boolean;
  /** Begins to check endpoints, where the options say so. Ends with `close`. */
  watch(own: (verb: UpstreamMessage['verb']) => readonly string[]): void;
  standing(): UpstreamStanding;
  reopen(tls: TlsMaterial): void;
  /** A name may go from public to private addresses now. */
  forgetNames(): void;
  close(reason: GatewayError): Promise<void>;
}

export function createCluster(name: string, options: HttpUpstreamOptions, deps: ClusterDeps): Cluster {
  const { panic, stick } = options;
  const monotonic = deps.monotonic ?? (() => performance.now());
  const random = deps.random ?? Math.random;
  const tell = (endpoint: string, change: UpstreamChange['change'], detail?: string): void =>
    deps.onChange?.({ upstream: name, endpoint, change, detail });

  const counts: UpstreamCounts = { connect: 0, reread: 0, unpaid: 0, addressesRefused: 0 };
  const names = createNameLookup(options.addresses, {
    resolve: deps.resolve ?? systemResolveName,
    monotonic,
    report(change) {
      if (change.problem !== undefined) counts.addressesRefused += 1;
      tell(change.name, change.problem === undefined ? 'address-good' : 'address-refused', change.problem);
    },
  });
  const health = healthOf(options);
  const hasTags = options.urls !== undefined;
  const members = endpointUrls(options).map((url) => {
    const endpoint = createEndpoint(url, options, { ...deps, lookup: names.lookup });
    const report = (change: UpstreamChange['change'], detail?: string): void =>
      tell(endpoint.label, change, detail);
    return createMember(endpoint, { ...options, health }, monotonic, report);
  });
  const budget = createRetryBudget(options.retries, monotonic);
  const checks: { stop(): void }[] = [];
  let closed = false;

  function send(message: UpstreamMessage, own: readonly string[], renew?: Renew): Promise<UpstreamAnswer> {
    budget.earn();
    const binding = bindingOf(message.headers, members, hasTags);
    if (binding === 'unknown') return Promise.reject(sessionGone('no endpoint of the list has its tag'));
    const { member, protocol } = binding;
    const choice = member === undefined ? chooseFor(message, undefined) : admitTo(member, message);
    if (choice instanceof GatewayError) return Promise.reject(choice);
    const since = performance.now();
    return new Promise((resolve, reject) => {
      tryOnce(choice, message, outgoingHeaders(own, protocol), undefined, resolve, (reason, progress) => {
        const second = secondTry(choice.member, message, reason, progress, member !== undefined);
        if (second === undefined) {
          reject(reason);
          return;
        }
        const how = { fresh: second.retry.why === 'reread', since };
        const again = (renewed: readonly string[]): void =>
          tryOnce(second.choice, message, outgoingHeaders(renewed, protocol), how, resolve, reject);
        if (renew === undefined) again(own);
        else
          renew()
            .then(again)
            .catch((cause: unknown) => {
              second.choice.member.record(second.choice.permit, 'neutral');
              reject(cause);
            });
      });
    });
  }

  /** Where the second try goes, paid for; undefined where there is none. */
  function secondTry(
    first: Member,
    message: UpstreamMessage,
    reason: unknown,
    progress: Progress,
    bound: boolean,
  ): { readonly retry: Retry; readonly choice: Choice } | undefined {
    if (closed || message.signal.aborted || !(reason instanceof GatewayError)) return undefined;
    const repeatable = message.repeatable === true;
    const retry = retryOf({ error: reason, progress, repeatable, bound, others: members.length > 1 });
    if (retry === undefined) return undefined;
    const choice = retry.where === 'elsewhere' ? chooseFor(message, first) : admitTo(first, message);
    if (choice instanceof GatewayError) return undefined;
    if (!budget.spend(retry.why)) {
      counts.unpaid += 1;
      choice.member.record(choice.permit, 'neutral');
      return undefined;
    }
    counts[retry.why] += 1;
    return { retry, choice };
  }

  function tryOnce(
    { member, permit }: Choice,
    message: UpstreamMessage,
    headers: readonly string[],
    second: SecondTry | undefined,
    resolve: (answer: UpstreamAnswer) => void,
    reject: (reason: unknown, progress: Progress) => void,
  ): void {
    const failed = (reason: unknown, progress: Progress): void => {
      const isTheirs =
        reason instanceof GatewayError && !message.signal.aborted && !wasQuiet(message, reason, progress);
      member.record(permit, isTheirs ? evidenceOfFailure(reason, progress) : 'neutral');
    };
    const end = {
      resolve(answer: UpstreamAnswer) {
        const evidence = evidenceOfAnswer(answer);
        // A long-lived stream ends for many reasons, long after. That it began is what counts.
        if (evidence !== undefined || message.longLived) member.record(permit, evidence ?? 'ok');
        resolve(tagged(answer, member.endpoint.tag, hasTags));
      },
      reject(reason: unknown, progress: Progress) {
        failed(reason, progress);
        reject(reason, progress);
      },
      streamEnded() {
        if (!message.longLived) member.record(permit, 'ok');
      },
      streamFailed(reason: unknown) {
        if (!message.longLived) failed(reason, 'answered');
      },
    };
    member.endpoint.send(message, headers, end, second);
  }

  function chooseFor(message: UpstreamMessage, except: Member | undefined): Choice | GatewayError {
    const { longLived } = message;
    const caller = message.caller?.principal.id;
    const stickTo = stick === 'caller' ? (caller ?? '') : undefined;
    const choice = choose(members, { longLived, caller, stickTo, except }, { panic, random });
    return choice === 'busy' ? tooBusy() : choice === 'refused' ? unreachable(members, caller) : choice;
  }

  /** A session goes to its endpoint, however that does; where nothing gets through and others are there, it is over. */
  function admitTo(member: Member, message: UpstreamMessage): Choice | GatewayError {
    const caller = message.caller?.principal.id;
    if (!hasRoom(member, { longLived: message.longLived, caller })) return tooBusy();
    const permit = member.breaker.admit(caller);
    if (permit !== undefined) return { member, permit };
    const hasOthers = members.some((other) => other !== member && other.breaker.state() === 'closed');
    return hasOthers
      ? sessionGone('the endpoint that has it does not answer')
      : unreachable([member], caller);
  }

  return {
    send,
    hasRoom({ longLived, caller }) {
      return members.some((member) => hasRoom(member, { longLived, caller: caller?.principal.id }));
    },
    watch(own) {
      if (health === undefined) return;
      for (const member of members) {
        const check = createCheck(
          (message) =>
            new Promise((resolve, reject) => {
              const headers = outgoingHeaders(own(message.verb), message.headers);
              const end = { resolve, reject, streamEnded: notHeard, streamFailed: notHeard };
              member.endpoint.check(message, headers, end);
            }),
          health.timeout,
        );
        checks.push(repeatCheck(check, health.interval, (ok) => member.checked(ok), random));
      }
    },
    standing: () => standingOf(name, members, panic, counts),
    reopen(tls) {
      for (const { endpoint } of members) endpoint.reopen(tls);
    },
    forgetNames: names.forget,
    async close(reason) {
      closed = true;
      for (const check of checks) check.stop();
      await Promise.all(members.map(({ endpoint }) => endpoint.close(reason)));
    },
  };
}

/** Servers on Node may send the head of a stream with its first event: one that has nothing to tell is not down. */
function wasQuiet({ longLived }: UpstreamMessage, { code }: GatewayError, progress: Progress): boolean {
  return longLived && code === 'upstream-timeout' && progress !== 'unsent';
}

function notHeard(): void {
  // A check reads its streams itself.
}

function unreachable(members: readonly Member[], caller: string | undefined): GatewayError {
  const remaining = Math.min(...members.map(({ breaker }) => breaker.remaining(caller)));
  return new GatewayError('upstream-unreachable', {
    data: { retryAfterMs: Math.ceil(remaining) },
    headers: { 'retry-after': String(Math.max(1, Math.ceil(remaining / 1000))) },
    cause: new Error('the breaker is open: it did not answer before'),
  });
}

function sessionGone(why: string): GatewayError {
  return new GatewayError('session-unknown', { cause: new Error(why) });
}
