import type { Dial } from '../dialer/contract.ts';
import { GatewayError } from '../errors.ts';
import type { UpstreamAnswer, UpstreamMessage, UpstreamPort } from '../pipeline/upstream-port.ts';
import { type ClusterDeps, createCluster } from './cluster.ts';
import { type Credential, loadCredential } from './credential.ts';
import type { AssertionKeys } from './credentials/assertion-keys.ts';
import {
  type CallCredentials,
  createCallCredentials,
  type MadeCredentials,
} from './credentials/call-credentials.ts';
import { Deadlines, defaultResolutionMs } from './deadlines.ts';
import { tooBusy } from './endpoint.ts';
import { type StaticHeaders, staticHeaders } from './headers.ts';
import type { HeldShare } from './held-bytes.ts';
import type { HttpUpstreamOptions } from './options.ts';
import type { UpstreamStanding } from './standing.ts';
import { isSameMaterial, loadTls } from './tls.ts';

export interface HttpUpstreamDeps extends Omit<ClusterDeps, 'rules' | 'tls'> {
  /** How often time-outs are checked, in milliseconds. */
  readonly resolutionMs?: number;
  /** For tokens that are asked for. */
  readonly dial?: Dial;
  /** For identity assertions. */
  readonly assertionKeys?: AssertionKeys | undefined;
  /** What answers of this upstream hold. Absent: nobody counts. */
  readonly held?: HeldShare | undefined;
  /** False for commands that ask a server once. */
  readonly checkHealth?: boolean;
}

export interface HttpUpstream extends UpstreamPort {
  /**
   * Texts that must not appear in any record: the credential in use, and the one before the last reload; the client
   * secret and the gateway's own tokens. What is made for one call is told to that call's `onSecret`.
   */
  secrets(): readonly string[];
  /** How its endpoints stand now. */
  standing(): UpstreamStanding;
  /**
   * Reads CA, certificate, key, credential and client secret files again. New calls use what was read, running ones end undisturbed.
   *
   * @throws Error naming the file that is not usable; everything then stays as it was
   */
  reload(): Promise<void>;
  /** Ends all calls at once with `draining` and closes every connection. Further calls are refused. */
  close(): Promise<void>;
}

/**
 * An MCP server spoken to by Streamable HTTP over HTTP/1.1 (MCP 2025-03-26 and later, basic/transports), at one URL or at
 * several that serve the same.
 *
 * A credential that is made for each call comes before the call: until it is there nothing is sent, and without it
 * nothing is.
 *
 * @throws Error naming the file, where CA, certificate, key or credential are not usable
 */
export function createHttpUpstream(
  name: string,
  options: HttpUpstreamOptions,
  deps: HttpUpstreamDeps = {},
): HttpUpstream {
  const { timeouts, limits } = options;
  const deadlines = new Deadlines(deps.resolutionMs ?? defaultResolutionMs);
  let tls = loadTls(options);
  let credential = loadCredential(options.credential);
  let headers: StaticHeaders = staticHeaders(credential);
  let secrets = secretsOf(credential, undefined);
  const making = createCallCredentials(name, options, deps);
  const cluster = createCluster(name, options, {
    ...deps,
    tls,
    rules: { timeouts, limits, deadlines, held: deps.held },
  });
  // With what is the same for all calls. Tokens are not asked for: they are for callers.
  if (deps.checkHealth !== false) cluster.watch((verb) => headers[verb]);
  let closed = false;

  function send(message: UpstreamMessage): Promise<UpstreamAnswer> {
    if (closed) return Promise.reject(new GatewayError('draining'));
    if (message.signal.aborted) return Promise.reject(message.signal.reason);
    return making === undefined ? cluster.send(message, headers[message.verb]) : sendWithOwn(message, making);
  }

  async function sendWithOwn(
    message: UpstreamMessage,
    credentials: CallCredentials,
  ): Promise<UpstreamAnswer> {
    if (!cluster.hasRoom(message)) throw tooBusy();
    let made: MadeCredentials;
    const make = async (): Promise<readonly string[]> => {
      made = await credentials.make(message);
      // Much may have happened meanwhile.
      if (closed) throw new GatewayError('draining');
      message.signal.throwIfAborted();
      return [...headers[message.verb], ...made.headers];
    };
    const answer = await cluster.send(message, await make(), make);
    if ((answer.kind === 'refused' || answer.kind === 'json') && answer.status === 401) made!.refused();
    return answer;
  }

  async function reload(): Promise<void> {
    const nextTls = loadTls(options);
    const nextCredential = loadCredential(options.credential);
    making?.reload();
    if (closed) return;
    cluster.forgetNames();
    if (nextCredential?.value !== credential?.value) {
      secrets = secretsOf(nextCredential, credential);
      credential = nextCredential;
      headers = staticHeaders(credential);
    }
    if (!isSameMaterial(tls, nextTls)) {
      tls = nextTls;
      cluster.reopen(tls);
    }
  }

  async function close(): Promise<void> {
    closed = true;
    making?.close();
    await cluster.close(new GatewayError('draining'));
  }

  return {
    name,
    send,
    secrets: () => [...secrets, ...(making?.secrets() ?? [])],
    standing: cluster.standing,
    reload,
    close,
  };
}

/** The old secrets stay for one reload: calls that were sent with them may still be running. */
function secretsOf(current: Credential | undefined, previous: Credential | undefined): readonly string[] {
  return [...(current?.secrets ?? []), ...(previous?.secrets ?? [])];
}
