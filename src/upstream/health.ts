import { decodeFrame, defaultDecodeLimits } from '../mcp/decode.ts';
import type { Era } from '../mcp/revision.ts';
import type { UpstreamAnswer, UpstreamMessage } from '../pipeline/upstream-port.ts';

export interface HealthOptions {
  /** Milliseconds between the end of a check and the next. */
  readonly interval: number;
  /** Milliseconds. */
  readonly timeout: number;
}

/** One request of a check: answered on a connection of its own, by the endpoint that is checked. */
export type Ask = (message: UpstreamMessage) => Promise<UpstreamAnswer>;

const checkId = 'health';
const modernRevision = '2026-07-28';

/** The one request that every server of 2026-07-28 answers, and that does nothing. */
const discover = {
  body: encode('server/discover', {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': modernRevision,
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'sallyport', version: '1' },
    },
  }),
  headers: ['mcp-protocol-version', modernRevision, 'mcp-method', 'server/discover'],
};

/**
 * The same for older servers. Sent without a session: those that want one refuse it with a JSON-RPC error, which shows that
 * they are there just as well, and no session begins that somebody would have to end.
 */
const ping = { body: encode('ping', undefined), headers: [] };

/** One server that is looked after. */
export interface Check {
  /** @returns whether the server answered as an MCP server does. Never rejects */
  run(): Promise<boolean>;
}

/**
 * Checks an endpoint by a real MCP request: a GET would open a stream in some servers and shut the one that they have.
 *
 * In order is every answer in JSON-RPC, an error too, and 401 or 403: whoever judges credentials is there, and the check
 * may have none of a caller. What is not: no connection, no answer in time, a status of 500 or more, pages and redirects.
 *
 * The era is learnt by the first answers and remembered: one request for each check from then on. It is asked anew after a
 * check that failed, because another version of the server may come up.
 */
export function createCheck(ask: Ask, timeoutMs: number): Check {
  let era: Era | undefined;

  async function tryOnce(request: typeof discover): Promise<'result' | 'error' | 'none'> {
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await ask({ verb: 'POST', ...request, longLived: false, signal });
    // Its body is judged at once: it holds no room that answers to callers need.
    if (answer.kind === 'json') answer.done?.();
    await endSession(answer);
    return kindOfAnswer(answer);
  }

  /** A server that gives a session to everybody who asks anything is told that nobody needs it. */
  async function endSession(opened: UpstreamAnswer): Promise<void> {
    if (opened.kind === 'refused' || opened.sessionId === undefined) return;
    try {
      const answer = await ask({
        verb: 'DELETE',
        body: undefined,
        headers: ['mcp-session-id', opened.sessionId],
        longLived: false,
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (answer.kind === 'json') answer.done?.();
    } catch {
      // It may refuse to, or be gone.
    }
  }

  async function check(): Promise<boolean> {
    if (era !== 'legacy') {
      const answered = await tryOnce(discover);
      if (answered === 'result') {
        era = 'modern';
        return true;
      }
      // An older server has no such method. What it says to one that it has counts.
      if (answered === 'none' && era === 'modern') return false;
    }
    const answered = await tryOnce(ping);
    if (answered === 'none') return false;
    era = 'legacy';
    return true;
  }

  return {
    async run() {
      let ok = false;
      try {
        ok = await check();
      } catch {
        ok = false;
      }
      if (!ok) era = undefined;
      return ok;
    },
  };
}

/** 10 %, so that the checks of many replicas and endpoints do not come together. */
const jitter = 0.1;

/** Runs a check again and again, one at a time, until told to stop. Never keeps the process alive. */
export function repeatCheck(
  check: Check,
  intervalMs: number,
  onChecked: (ok: boolean) => void,
  random: () => number,
): { stop(): void } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function run(): Promise<void> {
    const ok = await check.run();
    if (stopped) return;
    onChecked(ok);
    wait();
  }
  function wait(): void {
    const pause = intervalMs * (1 - jitter + 2 * jitter * random());
    timer = setTimeout(() => void run(), pause);
    timer.unref();
  }

  void run();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

async function kindOfAnswer(answer: UpstreamAnswer): Promise<'result' | 'error' | 'none'> {
  switch (answer.kind) {
    case 'json':
      return answer.status < 500 ? kindOfMessage(answer.body) : 'none';
    case 'stream':
      for await (const event of answer.events) {
        const kind = event.data.length === 0 ? 'none' : kindOfMessage(event.data);
        if (kind !== 'none') return kind;
      }
      return 'none';
    case 'refused':
      return answer.status === 401 || answer.status === 403 ? 'error' : 'none';
    case 'accepted':
      return 'none';
  }
}

function kindOfMessage(bytes: Buffer): 'result' | 'error' | 'none' {
  const decoded = decodeFrame(bytes, defaultDecodeLimits, 'toClient');
  if (!decoded.ok) return 'none';
  const frame = decoded.value;
  if (frame.kind === 'result') return frame.id === checkId ? 'result' : 'none';
  return frame.kind === 'error' && (frame.id === undefined || frame.id === checkId) ? 'error' : 'none';
}

function encode(method: string, params: object | undefined): Buffer {
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: checkId, method, params }));
}
