import { Client } from 'undici';
import { readAnswer } from './answer.ts';
import { connectTo } from './connect.ts';
import type { Dialer, DialPurpose, DialRequest } from './contract.ts';
import { DialError, type DialErrorCode } from './dial-error.ts';
import { readPrivateBlocks } from './judge-address.ts';
import type { OutboundOptions } from './options.ts';
import { toOutgoing } from './request.ts';
import { codeOf, type Resolve, resolveTarget, systemResolve } from './resolve.ts';
import { readTarget, type Target } from './target.ts';
import { readTrust } from './trust-roots.ts';

/** 16 KiB: what Node lets a server send, and twenty times what issuers do. */
const maxHeaderBytes = 16 * 1024;

/**
 * How a dial ended: `ok` with a status of 2xx, `malformed` where that was no answer to what was asked, `status` with
 * another status, or why there was nothing.
 */
export type DialOutcome = 'ok' | 'malformed' | 'status' | DialErrorCode;

/** What is under way. */
interface Exchange {
  /** Purpose and origin. */
  readonly what: string;
  readonly running: Promise<Response>;
}

export interface DialReport {
  readonly purpose: DialPurpose;
  readonly outcome: DialOutcome;
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** Scheme, host, port and path; undefined where the URL was refused. */
  readonly shown: string | undefined;
  /** A sentence for operators, where there was no answer. */
  readonly message: string | undefined;
}

export interface DialerDependencies {
  /** Default: the machine's resolver. */
  readonly resolve?: Resolve;
  /** Reads a text file at start and on reload. Default: the file system. */
  readonly readFile?: (path: string) => string;
  /** Told of every dial once it has ended. */
  readonly onDial?: (report: DialReport) => void;
}

/**
 * Makes the dialer of the whole gateway.
 *
 * Each exchange has a connection of its own, which ends with it: no answer can be left over for the next request, no
 * idle connection outlives the judgement of its address, and none breaks under a request that cannot be repeated. TLS
 * sessions are not resumed. What costs a handshake is remembered by whoever asked.
 *
 * @throws Error when a file of `ca` cannot be used
 */
export function createDialer(
  options: OutboundOptions,
  dependencies: DialerDependencies = {},
): Dialer & {
  /** Reads the files of `ca` again. @throws Error when that fails; the old ones then stay */
  reload(): Promise<void>;
} {
  const allowed = readPrivateBlocks(options.private);
  const resolve = dependencies.resolve ?? systemResolve;
  let trust = readTrust(options.ca, dependencies.readFile);
  const underWay = new Map<AbortController, Exchange>();
  const resolving = new Map<string, Promise<readonly string[]>>();
  let closed = false;

  /**
   * Names are resolved once at a time, also for dials that gave up: each holds one of the few threads that the process
   * has for this and for files, until the name service lets go. One name that hangs must not take them all.
   */
  const resolveOnce: Resolve = (host) => {
    const running = resolving.get(host);
    if (running !== undefined) return running;
    const asking = resolve(host).finally(() => resolving.delete(host));
    resolving.set(host, asking);
    return asking;
  };

  /**
   * Beyond the number there is room for whoever has nothing under way yet, up to twice the number: an issuer that is slow,
   * or about whose tokens a stranger makes us ask, keeps only itself waiting.
   */
  function isBusy(target: Target, what: string): boolean {
    if (resolving.size >= options.concurrency && !resolving.has(target.host)) return true;
    if (underWay.size < options.concurrency) return false;
    return (
      underWay.size >= 2 * options.concurrency || [...underWay.values()].some((other) => other.what === what)
    );
  }

  async function exchange(target: Target, request: DialRequest, signal: AbortSignal): Promise<Response> {
    const { method, headers, body } = toOutgoing(request);
    const addresses = await orAborted(resolveTarget(target, allowed, resolveOnce), signal);
    const client = new Client(target.origin, {
      pipelining: 0,
      maxHeaderSize: maxHeaderBytes,
      // The signal bounds all of it together.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect(_, callback) {
        connectTo(target, addresses, { trust, timeoutMs: options.timeout, signal }).then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        );
      },
    });
    try {
      const answer = await client.request({ method, path: target.path, headers, body, signal });
      return await readAnswer(answer, target.shown, options.maxBytes);
    } finally {
      await client.destroy();
    }
  }

  /** Bounds one exchange in time and number, and says in one vocabulary what went wrong. */
  async function guarded(target: Target, request: DialRequest): Promise<Response> {
    if (closed) throw new DialError('dial-closed', `${target.shown}: the dialer is closed`);
    const what = `${request.purpose ?? 'other'} ${target.origin}`;
    if (isBusy(target, what)) {
      throw new DialError('dial-busy', `${target.shown}: ${options.concurrency} dials are under way`);
    }
    const controller = new AbortController();
    const end = (code: DialErrorCode, message: string) =>
      controller.abort(new DialError(code, `${target.shown}: ${message}`));
    const timer = setTimeout(() => end('dial-timeout', `more than ${options.timeout} ms`), options.timeout);
    const given = request.signal;
    const aborted = () => end('dial-aborted', 'given up by whoever asked');
    given?.addEventListener('abort', aborted, { once: true });
    if (given?.aborted === true) aborted();
    const running = exchange(target, request, controller.signal);
    underWay.set(controller, { what, running });
    try {
      return await running;
    } catch (error) {
      if (controller.signal.aborted) throw controller.signal.reason;
      throw toDialError(error, target);
    } finally {
      clearTimeout(timer);
      given?.removeEventListener('abort', aborted);
      underWay.delete(controller);
    }
  }

  return {
    async dial(url, request = {}) {
      let shown: string | undefined;
      const report = (outcome: DialOutcome, status?: number, message?: string): void =>
        dependencies.onDial?.({ purpose: request.purpose ?? 'other', outcome, status, shown, message });
      try {
        const target = readTarget(url);
        shown = target.shown;
        const response = await guarded(target, request);
        report(await outcomeOf(response, request), response.status);
        return response;
      } catch (error) {
        const known = error instanceof DialError ? error : new DialError('dial-answer', 'failed');
        report(known.code, undefined, known.message);
        throw known;
      }
    },
    async reload() {
      trust = readTrust(options.ca, dependencies.readFile);
    },
    async close() {
      closed = true;
      for (const controller of underWay.keys()) {
        controller.abort(new DialError('dial-closed', 'the dialer is closed'));
      }
      await Promise.allSettled([...underWay.values()].map(({ running }) => running));
    },
  };
}

async function outcomeOf(response: Response, { answers }: DialRequest): Promise<DialOutcome> {
  if (!response.ok) return 'status';
  if (answers === undefined) return 'ok';
  try {
    return (await answers(response.clone())) ? 'ok' : 'malformed';
  } catch {
    return 'malformed';
  }
}

/** A name service that hangs cannot be told to stop: its answer is no longer waited for. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

function toDialError(error: unknown, { shown }: Target): DialError {
  if (error instanceof DialError) return error;
  const code = codeOf(error);
  if (code === ' (UND_ERR_HEADERS_OVERFLOW)') {
    return new DialError('dial-too-large', `${shown}: more than ${maxHeaderBytes} bytes of headers`);
  }
  return new DialError('dial-answer', `${shown}: no whole answer${code}`);
}
