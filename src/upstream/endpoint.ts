import type { LookupFunction } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import { GatewayError } from '../errors.ts';
import type { UpstreamMessage } from '../pipeline/upstream-port.ts';
import { Call, type CallEnd, type CallRules } from './answer.ts';
import { Lane } from './lane.ts';
import type { HttpUpstreamOptions } from './options.ts';
import { createPools } from './pools.ts';
import { endpointTag } from './stickiness.ts';
import { type TlsMaterial, tlsConnectOptions } from './tls.ts';

/** One URL of an upstream, its connections, and how many calls it has. */
export interface Endpoint {
  readonly url: string;
  /** Host, port and path: for metrics and logs. */
  readonly label: string;
  /** What stands before its session ids. */
  readonly tag: string;
  readonly calls: Lane;
  readonly streams: Lane;
  /**
   * Sends one message, at most once. `end` hears of it.
   *
   * @param headers of the whole message, names and values in turn
   * @param second where it is the second try
   */
  send(message: UpstreamMessage, headers: readonly string[], end: CallEnd, second?: SecondTry): void;
  /** The same, for the gateway's own check: on a connection of its own, and counted in no lane. */
  check(message: UpstreamMessage, headers: readonly string[], end: CallEnd): void;
  /** New calls use connections with this material; running ones end undisturbed. */
  reopen(tls: TlsMaterial): void;
  close(reason: GatewayError): Promise<void>;
}

export interface SecondTry {
  /** On a connection of its own: no kept one that the server may be closing. */
  readonly fresh: boolean;
  /** When the first one began. Monotonic milliseconds. */
  readonly since: number;
}

export interface EndpointDeps {
  readonly rules: CallRules;
  readonly tls: TlsMaterial;
  readonly lookup: LookupFunction;
}

/** 16KiB, as Node servers accept: an upstream's headers are three short lines. */
const maxHeaderBytes = 16 * 1024;

/** 4s, below the 5s after which Node servers close an idle connection. A server's own hint comes first. */
const keepAliveMs = 4_000;
/** 1m, so that a change of DNS or of an endpoint behind a service is noticed. */
const longestKeepAliveMs = 60_000;

/**
 * Each message is sent at most once: undici repeats nothing that it began to write, and with `pipelining: 1` no
 * message waits behind another on the same connection. Redirects are not followed, compressed answers not inflated.
 */
export function createEndpoint(
  address: string,
  options: HttpUpstreamOptions,
  { rules, lookup, ...deps }: EndpointDeps,
): Endpoint {
  const url = new URL(address);
  const path = url.pathname + url.search;
  const { limits } = options;

  const calls = new Lane(limits.connections + limits.queued);
  const streams = new Lane(limits.streams);

  let connecting = connectOptions(url, options, deps.tls, lookup);
  let pools = createPools(url.origin, connecting, limits, calls);
  /** Of an earlier TLS material, or of one call. Each lives as long as its last call: never more of them than calls. */
  const leaving = new Set<Dispatcher>();

  function retire(dispatcher: Dispatcher): void {
    leaving.add(dispatcher);
    void dispatcher.close().then(
      () => leaving.delete(dispatcher),
      () => leaving.delete(dispatcher),
    );
  }

  const requestOf = ({ verb, body }: UpstreamMessage, headers: readonly string[]) => ({
    path,
    method: verb,
    headers: headers as string[],
    body: body ?? null,
  });

  function dispatchAlone(message: UpstreamMessage, headers: readonly string[], call: Call): void {
    const client = new Client(url.origin, connecting);
    client.dispatch(requestOf(message, headers), call);
    retire(client);
  }

  return {
    url: address,
    label: url.host + (url.pathname === '/' ? '' : url.pathname),
    tag: endpointTag(address),
    calls,
    streams,
    send(message, headers, end, second) {
      const { longLived } = message;
      const call = new Call(rules, longLived ? streams : calls, message, end, second?.since);
      if (second?.fresh === true) dispatchAlone(message, headers, call);
      else pools.poolOf(message).dispatch(requestOf(message, headers), call);
    },
    check(message, headers, end) {
      dispatchAlone(message, headers, new Call(rules, new Lane(1), message, end));
    },
    reopen(tls) {
      connecting = connectOptions(url, options, tls, lookup);
      const old = pools;
      pools = createPools(url.origin, connecting, limits, calls);
      for (const pool of old.all) retire(pool);
    },
    async close(reason) {
      await Promise.all([...pools.all, ...leaving].map((each) => each.destroy(reason)));
    },
  };
}

export function tooBusy(): GatewayError {
  return new GatewayError('overloaded', { headers: { 'retry-after': '1' } });
}

function connectOptions(
  url: URL,
  options: HttpUpstreamOptions,
  tls: TlsMaterial,
  lookup: LookupFunction,
): Client.Options {
  return {
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
    connect: {
      lookup,
      ...(url.protocol === 'https:' ? tlsConnectOptions(tls, options.serverName) : {}),
    },
  } as Client.Options;
}
