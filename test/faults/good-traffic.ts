import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { expect } from 'vitest';
import type { ClientTls } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { type Measured, percent } from './table.ts';

export interface GoodTrafficOptions {
  /** Calls a second. */
  readonly perSecond?: number;
  /** The tool that is called. */
  readonly tool?: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
  readonly tls?: ClientTls;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether an answer is right, given its status and its JSON-RPC message. Default: 200 with a result. */
  readonly isRight?: (status: number, answer: Readonly<Record<string, unknown>>) => boolean;
  /** Told of each call when it is over: when it began and ended, by `performance.now()`, and what was wrong with it. */
  readonly onCall?: (begun: number, ended: number, wrong: string | undefined) => void;
}

export interface GoodTraffic {
  readonly sent: number;
  /** Resolves once so many more calls have been answered, whatever the answer. */
  answered(count: number): Promise<void>;
  /** Sends no more, waits for the answers that are due, and counts. */
  stop(): Promise<TrafficReport>;
}

export interface TrafficReport {
  readonly sent: number;
  readonly right: number;
  /** What came instead, with how often: at most some dozen kinds. */
  readonly wrong: ReadonlyMap<string, number>;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** 8 connections, because honest clients keep theirs: each shows whether a kept connection survives the fault. */
const connections = 8;
/** 20 s for an answer that never comes: it then counts as wrong. */
const patienceMs = 20_000;

/**
 * Calls of an honest client at a steady pace, whatever becomes of them. To run beside a fault: who keeps to the rules must
 * not feel it.
 */
export function startGoodTraffic(url: string, options: GoodTrafficOptions = {}): GoodTraffic {
  const { perSecond = 50, tool = 'echo', tls, headers = {} } = options;
  const isRight = options.isRight ?? ((status, answer) => status === 200 && answer['result'] !== undefined);
  const secure = url.startsWith('https:');
  const agent = secure
    ? new HttpsAgent({ keepAlive: true, maxSockets: connections, ...tls })
    : new HttpAgent({ keepAlive: true, maxSockets: connections });
  const due = new Set<Promise<void>>();
  const watchers = new Set<() => void>();
  const wrong = new Map<string, number>();
  const times: number[] = [];
  const startedAt = performance.now();
  let sent = 0;
  let right = 0;

  const note = (outcome: string | undefined, begun: number): void => {
    const ended = performance.now();
    options.onCall?.(begun, ended, outcome);
    times.push(ended - begun);
    if (outcome === undefined) right += 1;
    else wrong.set(outcome, (wrong.get(outcome) ?? 0) + 1);
    for (const watcher of watchers) watcher();
  };
  const callOnce = (): Promise<string | undefined> =>
    new Promise((resolve) => {
      const call = modern('tools/call', { name: tool, arguments: options.arguments ?? {} });
      const body = Buffer.from(JSON.stringify(call.body));
      const request = (secure ? httpsRequest : httpRequest)(url, {
        method: 'POST',
        agent,
        headers: { ...call.headers, ...headers, 'content-length': body.length },
        signal: AbortSignal.timeout(patienceMs),
      });
      request.once('error', (error: NodeJS.ErrnoException) => resolve(`cut: ${error.code ?? error.name}`));
      request.once('response', (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.once('error', () => resolve('cut: in the answer'));
        response.once('end', () => {
          const text = Buffer.concat(pieces).toString('utf8');
          resolve(
            judge(
              response.statusCode ?? 0,
              response.headers['content-type'] ?? '',
              text,
              call.body['id'],
              isRight,
            ),
          );
        });
      });
      request.end(body);
    });
  const timer = setInterval(() => {
    const wanted = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
    for (; sent < wanted; sent += 1) {
      const begun = performance.now();
      const over = callOnce().then((outcome) => {
        note(outcome, begun);
        due.delete(over);
      });
      due.add(over);
    }
  }, 5);

  return {
    get sent() {
      return sent;
    },
    answered(count) {
      let left = count;
      return new Promise((resolve) => {
        const watch = (): void => {
          left -= 1;
          if (left > 0) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
      });
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(due);
      agent.destroy();
      times.sort((a, b) => a - b);
      const at = (share: number): number =>
        Math.round((times[Math.floor(times.length * share)] ?? 0) * 10) / 10;
      return { sent, right, wrong, p50: at(0.5), p99: at(0.99) };
    },
  };
}

function judge(
  status: number,
  type: string,
  text: string,
  id: unknown,
  isRight: NonNullable<GoodTrafficOptions['isRight']>,
): string | undefined {
  try {
    const json = type.startsWith('text/event-stream') ? lastData(text) : text;
    const answer = JSON.parse(json) as Record<string, unknown>;
    if (answer['id'] !== undefined && answer['id'] !== id) return 'the answer to another call';
    if (isRight(status, answer)) return undefined;
  } catch {
    // Told below with its beginning.
  }
  return `${status} ${text.slice(0, 120)}`;
}

function lastData(stream: string): string {
  const lines = stream.split('\n').filter((line) => line.startsWith('data: '));
  return (lines.at(-1) ?? '').slice('data: '.length);
}

/** 99.9 %: of honest calls beside a fault. */
export const leastRight = 0.999;

/**
 * Demands that honest traffic did not feel the fault, and hands in its numbers. Up to a thousand calls one may be wrong.
 */
export function expectUnharmed(report: TrafficReport, measured: Measured): void {
  const { sent, right, wrong, p50, p99 } = report;
  measured(
    `${percent(right / Math.max(1, sent))} of ${sent} good calls right (p50 ${p50} ms, p99 ${p99} ms)`,
  );
  expect(sent).toBeGreaterThan(0);
  expect(sent - right, JSON.stringify([...wrong])).toBeLessThanOrEqual(Math.max(1, sent * (1 - leastRight)));
}
