/** The load generator: keeps connections to every target, and sends one call after the other on each. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Case, cases, initializeBody, initializeHeaders } from './cases.ts';
import { answerParent } from './child.ts';
import { type Answer, Connection } from './connection.ts';
import type { TlsFiles } from './workplace.ts';

export interface LoadTarget {
  readonly url: string;
  readonly tls: TlsFiles | undefined;
  /** Sent with every request: the credential. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface LoadQuestion {
  readonly target: LoadTarget;
  /** Key of the case. */
  readonly case: string;
  readonly connections: number;
  /** Calls on each connection, or for how long to go on calling. */
  readonly until: { readonly calls: number } | { readonly milliseconds: number };
}

export interface LoadAnswer {
  readonly requests: number;
  readonly milliseconds: number;
}

const open = new Map<string, Connection[]>();
const sessions = new Map<string, string>();

function connectionTo({ url, tls }: LoadTarget): Promise<Connection> {
  const { hostname: host, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket =
      tls === undefined
        ? connect({ host, port: Number(port) }, () => resolve(new Connection(socket)))
        : connectTls(
            {
              host,
              port: Number(port),
              ca: readFileSync(tls.ca),
              cert: readFileSync(tls.certificate),
              key: readFileSync(tls.key),
              ALPNProtocols: ['http/1.1'],
            },
            () => resolve(new Connection(socket)),
          );
    socket.once('error', reject);
  });
}

async function connectionsTo(target: LoadTarget, count: number): Promise<readonly Connection[]> {
  const existing = open.get(target.url);
  if (existing !== undefined) return existing;
  const made = await Promise.all(Array.from({ length: count }, () => connectionTo(target)));
  open.set(target.url, made);
  return made;
}

function requestBytes(url: string, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const { host, pathname } = new URL(url);
  const content = Buffer.from(body);
  const lines = Object.entries({ host, ...headers, 'content-length': content.length }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return Buffer.concat([Buffer.from(`POST ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n`), content]);
}

async function sessionOf(target: LoadTarget, connection: Connection): Promise<string> {
  let session = sessions.get(target.url);
  if (session === undefined) {
    const headers = { ...initializeHeaders, ...target.headers };
    const answer = await connection.request(requestBytes(target.url, headers, initializeBody));
    session = answer.sessionId;
    if (session === undefined) throw new Error(`no session: ${answer.status} ${answer.body}`);
    sessions.set(target.url, session);
  }
  return session;
}

/** The first answer on a connection is read; later ones must be as long, since each connection repeats one call. */
function check(answer: Answer, sent: Case, length: number | undefined): number {
  const good =
    answer.status === 200 &&
    (length === undefined
      ? answer.body.toString().split(sent.expected.text).length - 1 === sent.expected.times
      : answer.body.length === length);
  if (!good)
    throw new Error(`not the expected answer: ${answer.status} ${answer.body.toString().slice(0, 500)}`);
  return answer.body.length;
}

async function run(question: LoadQuestion): Promise<LoadAnswer> {
  const { target, until } = question;
  const sent = cases.find(({ key }) => key === question.case);
  if (sent === undefined) throw new Error(`no case ${question.case}`);
  const connections = await connectionsTo(target, question.connections);
  const headers: Record<string, string> = { ...sent.headers, ...target.headers };
  const [first] = connections;
  if (sent.legacy && first !== undefined) headers['mcp-session-id'] = await sessionOf(target, first);
  const calls = connections.map((_, index) => requestBytes(target.url, headers, sent.body(1000 + index)));

  let requests = 0;
  const startedAt = performance.now();
  const isOver = (done: number): boolean =>
    'calls' in until ? done >= until.calls : performance.now() - startedAt >= until.milliseconds;
  await Promise.all(
    connections.map(async (connection, index) => {
      const bytes = calls[index] as Buffer;
      let length: number | undefined;
      for (let done = 0; !isOver(done); done += 1) {
        length = check(await connection.request(bytes), sent, length);
        requests += 1;
      }
    }),
  );
  return { requests, milliseconds: performance.now() - startedAt };
}

let started = false;
answerParent(async (question) => {
  if (started) return run(question as LoadQuestion);
  started = true;
  return undefined;
});
