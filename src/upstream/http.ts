import { Pool } from 'undici';
import type { Dial } from '../dialer/contract.ts';
import { GatewayError } from '../errors.ts';
import type { UpstreamAnswer, UpstreamMessage, UpstreamPort } from '../pipeline/upstream-port.ts';
import { Call, type Lane } from './answer.ts';
import { type Credential, loadCredential } from './credential.ts';
import type { AssertionKeys } from './credentials/assertion-keys.ts';
import { type CallCredentials, createCallCredentials } from './credentials/call-credentials.ts';
import { Deadlines, defaultResolutionMs } from './deadlines.ts';
import { outgoingHeaders, type StaticHeaders, staticHeaders } from './headers.ts';
import type { HttpUpstreamOptions } from './options.ts';
import { isSameMaterial, loadTls, type TlsMaterial, tlsConnectOptions } from './tls.ts';

export interface HttpUpstreamDeps {
  /** How often time-outs are checked, in milliseconds. */
  readonly resolutionMs?: number;
  /** For tokens that are asked for. */
  readonly dial?: Dial;
  /** For identity assertions. */
  readonly assertionKeys?: AssertionKeys | undefined;
}

export interface HttpUpstream extends UpstreamPort {
  /**
   * Texts that must not appear in any record: the credential in use, and the one before the last reload; the client
   * secret and the gateway's own tokens. What is made for one call is told to that call's `onSecret`.
   */
  secrets(): readonly string[];
  /**
   * Reads CA, certificate, key, credential and client secret files again. New calls use what was read, running ones end undisturbed.
   *
   * @throws Error naming the file that is not usable; everything then stays as it was
   */
  reload(): Promise<void>;
  /** Ends all calls at once with `draining` and closes every connection. Further calls are refused. */
  close(): Promise<void>;
}

/** 16KiB, as Node servers accept: an upstream's headers are three short lines. */
const maxHeaderBytes = 16 * 1024;

/** 4s, below the 5s after which Node servers close an idle connection. A server's own hint comes first. */
const keepAliveMs = 4_000;
/** 1m, so that a change of DNS or of an endpoint behind a service is noticed. */
const longestKeepAliveMs = 60_000;

/**
 * An MCP server spoken to by Streamable HTTP over HTTP/1.1 (MCP 2025-03-26 and later, basic/transports).
 *
 * Each message is sent at most once: undici repeats nothing that it began to write, and with `pipelining: 1` no
 * message waits behind another on the same connection. Redirects are not followed, compressed answers not inflated.
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
  const url = new URL(options.url);
  const path = url.pathname + url.search;
  const { timeouts, limits } = options;
  const rules = { timeouts, limits, deadlines: new Deadlines(deps.resolutionMs ?? defaultResolutionMs) };

  // Long-lived streams have connections of their own: clients that only listen must not keep others from calling.
  const calls: Lane = { busy: 0, most: limits.connections + limits.queued };
  const streams: Lane = { busy: 0, most: limits.streams };

  let tls = loadTls(options);
  let credential = loadCredential(options.credential);
  let headers: StaticHeaders = staticHeaders(credential);
  let secrets = secretsOf(credential, undefined);
  let pools = openPools(url, options, tls);
  const making = createCallCredentials(name, options, deps);
  const retiring = new Set<Pool>();
  let closed = false;

  function send(message: UpstreamMessage): Promise<UpstreamAnswer> {
    if (closed) {
      return Promise.reject(new GatewayError('draining'));
    }
    if (message.signal.aborted) {
      return Promise.reject(message.signal.reason);
    }
    return making === undefined ? dispatch(message, headers[message.verb]) : sendWithOwn(message, making);
  }

  async function sendWithOwn(
    message: UpstreamMessage,
    credentials: CallCredentials,
  ): Promise<UpstreamAnswer> {
    if (laneOf(message).busy >= laneOf(message).most) throw tooBusy();
    const made = await credentials.make(message);
    // Much may have happened meanwhile.
    if (closed) throw new GatewayError('draining');
    message.signal.throwIfAborted();
    const answer = await dispatch(message, [...headers[message.verb], ...made.headers]);
    if ((answer.kind === 'refused' || answer.kind === 'json') && answer.status === 401) made.refused();
    return answer;
  }

  function laneOf(message: UpstreamMessage): Lane {
    return message.longLived ? streams : calls;
  }

  function dispatch(message: UpstreamMessage, own: string[]): Promise<UpstreamAnswer> {
    const lane = laneOf(message);
    if (lane.busy >= lane.most) {
      return Promise.reject(tooBusy());
    }
    return new Promise((resolve, reject) => {
      const request = {
        path,
        method: message.verb,
        headers: outgoingHeaders(own, message.headers),
        body: message.body ?? null,
      };
      const call = new Call(rules, lane, message, resolve, reject);
      (message.longLived ? pools.streams : pools.calls).dispatch(request, call);
    });
  }

  async function reload(): Promise<void> {
    const nextTls = loadTls(options);
    const nextCredential = loadCredential(options.credential);
    making?.reload();
    if (closed) {
      return;
    }
    if (nextCredential?.value !== credential?.value) {
      secrets = secretsOf(nextCredential, credential);
      credential = nextCredential;
      headers = staticHeaders(credential);
    }
    if (!isSameMaterial(tls, nextTls)) {
      tls = nextTls;
      const old = pools;
      pools = openPools(url, options, tls);
      retire(old.calls);
      retire(old.streams);
    }
  }

  /** A retired pool lives as long as its last call. There are never more of them than calls. */
  function retire(pool: Pool): void {
    retiring.add(pool);
    void pool.close().then(
      () => retiring.delete(pool),
      () => retiring.delete(pool),
    );
  }

  async function close(): Promise<void> {
    closed = true;
    making?.close();
    const reason = new GatewayError('draining');
    await Promise.all([pools.calls, pools.streams, ...retiring].map((pool) => pool.destroy(reason)));
  }

  return { name, send, secrets: () => [...secrets, ...(making?.secrets() ?? [])], reload, close };
}

function tooBusy(): GatewayError {
  return new GatewayError('overloaded', { headers: { 'retry-after': '1' } });
}

function openPools(url: URL, options: HttpUpstreamOptions, tls: TlsMaterial) {
  const shared = {
    pipelining: 1,
    // HTTP/2 would put the calls of all principals on one connection with one flow control.
    allowH2: false,
    // The environment variable UNDICI_USE_MILO would otherwise choose the parser.
    useMilo: false,
    maxHeaderSize: maxHeaderBytes,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: longestKeepAliveMs,
    // Own time-outs (deadlines.ts): interim answers would put off the first, and streams are silent for minutes.
    headersTimeout: 0,
    bodyTimeout: 0,
    connectTimeout: options.timeouts.connect,
    connect: url.protocol === 'https:' ? tlsConnectOptions(tls, options.serverName) : {},
  };
  return {
    calls: new Pool(url.origin, { ...shared, connections: options.limits.connections }),
    streams: new Pool(url.origin, { ...shared, connections: options.limits.streams }),
  };
}

/** The old secrets stay for one reload: calls that were sent with them may still be running. */
function secretsOf(current: Credential | undefined, previous: Credential | undefined): readonly string[] {
  return [...(current?.secrets ?? []), ...(previous?.secrets ?? [])];
}
