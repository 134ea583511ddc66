/** Calls that can each be found again in the audit. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Agent, request } from 'node:http';
import { modern } from '../support/mcp-messages.ts';

export interface Answered {
  /** Trace id: the audit writes it down. */
  readonly trace: string;
  readonly status: number;
  /** The client got a result: this call must have a record. */
  readonly acknowledged: boolean;
  /** `reason` of the error that it got instead. */
  readonly reason: string | undefined;
}

/** 10 s: longer than any answer that is due, and short enough to tell a caller that is left waiting. */
const patienceMs = 10_000;

/** A tool call of its own trace. Never rejects: a connection that breaks is an answer of status 0. */
export function callTraced(url: string, agent?: Agent, tool = 'echo'): Promise<Answered> {
  const trace = randomBytes(16).toString('hex');
  const call = modern('tools/call', {
    name: tool,
    arguments: {},
    _meta: { traceparent: `00-${trace}-${randomBytes(8).toString('hex')}-01` },
  });
  const body = Buffer.from(JSON.stringify(call.body));
  return new Promise((resolve) => {
    const lost = (): void => resolve({ trace, status: 0, acknowledged: false, reason: 'cut' });
    const sent = request(
      url,
      {
        method: 'POST',
        headers: { ...call.headers, 'content-length': body.length },
        signal: AbortSignal.timeout(patienceMs),
        ...(agent === undefined ? {} : { agent }),
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', lost);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          const status = response.statusCode ?? 0;
          try {
            const answer = JSON.parse(text) as { result?: unknown; error?: { data?: { reason?: string } } };
            resolve({
              trace,
              status,
              acknowledged: answer.result !== undefined,
              reason: answer.error?.data?.reason,
            });
          } catch {
            lost();
          }
        });
      },
    );
    sent.on('error', lost);
    sent.end(body);
  });
}

export interface AuditText {
  /** Traces of all whole records. */
  readonly traces: ReadonlySet<string>;
  readonly lines: number;
  /** Lines that are no JSON, with their places from 0. */
  readonly torn: readonly number[];
  /** Whether the last byte ends a line. */
  readonly ended: boolean;
}

export function readAudit(file: string): AuditText {
  const text = readFileSync(file, 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  const traces = new Set<string>();
  const torn: number[] = [];
  for (const [index, line] of lines.entries()) {
    try {
      const { trace } = JSON.parse(line) as { trace?: string };
      if (trace !== undefined) traces.add(trace);
    } catch {
      torn.push(index);
    }
  }
  return { traces, lines: lines.length, torn, ended: text === '' || text.endsWith('\n') };
}
