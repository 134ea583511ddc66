import { createHash } from 'node:crypto';
import { allowInsecureRequests, customFetch, introspectionRequest } from 'oauth4webapi';
import { type Dial, dialFor } from '../dialer/contract.ts';
import { readClientAuthentication } from './client-authentication.ts';
import type { Discovery } from './discovery.ts';
import type { IntrospectionOptions } from './introspection-options.ts';
import { readJsonObject } from './json-object.ts';
import { createLru } from './lru.ts';

/** What an issuer says of a token (RFC 7662, section 2.2). */
export type Introspection =
  /** In force now. `claims` is the whole answer; its `iss`, where it has one, is the configured issuer. */
  | { readonly active: true; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly active: false; readonly unavailable?: undefined }
  /** Nobody could be asked, or the answer was none: whoever asks must deny. */
  | { readonly active?: undefined; readonly unavailable: true };

export interface Introspector {
  /**
   * Asks about one token; the same token is asked about once at a time, and the answer remembered for a short while: the
   * same object for as long. What could not be answered is not remembered. Never rejects.
   *
   * Whether the token is for this gateway, and who its subject is, is not looked at.
   *
   * @param time milliseconds since the epoch
   */
  introspect(token: string, time: number): Promise<Introspection>;
  /** Reads the client's secret or key again. @throws Error when that fails; the old one then stays */
  reload(): Promise<void>;
  close(): void;
}

export interface IntrospectorDependencies {
  /** Where the issuer's metadata name the endpoint. Needed where `endpoint` is not configured. */
  readonly discovery?: Discovery | undefined;
  readonly readFile?: ((path: string) => string) | undefined;
}

/** Answers remembered: some 2 KiB each. When full, what was used longest ago is asked about again. */
const remembered = 4096;

interface Answer {
  readonly said: Introspection;
  readonly askedAt: number;
  readonly until: number;
}

/**
 * Makes a client of an issuer's introspection endpoint.
 *
 * @throws Error where the secret or key cannot be read
 */
export function createIntrospector(
  options: IntrospectionOptions & { readonly issuer: string },
  dial: Dial,
  dependencies: IntrospectorDependencies = {},
): Introspector {
  const { discovery, readFile } = dependencies;
  if (options.endpoint === undefined && discovery === undefined) {
    throw new TypeError('An introspector needs an endpoint, or the metadata that names it');
  }
  let client = readClientAuthentication(options, readFile);
  const answers = createLru<string, Answer>(remembered);
  const running = new Map<string, Promise<Introspection>>();
  const line = createLine(options.concurrency, options.concurrency * 4);
  const closing = new AbortController();

  async function ask(token: string, hash: string, time: number): Promise<Introspection> {
    if (!(await line.enter())) return unavailable;
    try {
      const endpoint = options.endpoint ?? (await discovery?.fresh(time))?.introspectionEndpoint;
      if (endpoint === undefined || closing.signal.aborted) return unavailable;
      const said = toIntrospection(await fetchAnswer(token, endpoint), options.issuer, time);
      remember(hash, said, time);
      return said;
    } catch {
      // The dialer has told operators; whoever asks can only deny.
      return unavailable;
    } finally {
      line.leave();
    }
  }

  async function fetchAnswer(token: string, endpoint: string): Promise<Readonly<Record<string, unknown>>> {
    const response = await introspectionRequest(
      { issuer: options.issuer, introspection_endpoint: endpoint },
      { client_id: options.clientId },
      client,
      token,
      {
        [customFetch]: dialFor(dial, 'introspection'),
        // The dialer judges: http only where configuration names the address.
        [allowInsecureRequests]: true,
        additionalParameters: { token_type_hint: 'access_token' },
        signal: closing.signal,
      },
    );
    const type = response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
    // `application/token-introspection+jwt` (RFC 9701) was not asked for, and its signature is not checked here.
    if (response.status !== 200 || type !== 'application/json')
      throw new Error('not an introspection answer');
    const answer = readJsonObject(Buffer.from(await response.arrayBuffer()));
    if (answer === undefined) throw new Error('not a JSON object');
    return answer;
  }

  function remember(hash: string, said: Introspection, time: number): void {
    if (said.active === undefined) return;
    const exp = said.active ? said.claims['exp'] : undefined;
    const lifetime = said.active ? options.cache : options.negativeCache;
    const until = Math.min(time + lifetime, typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY);
    if (until > time) answers.set(hash, { said, askedAt: time, until });
  }

  return {
    introspect(token, time) {
      const hash = createHash('sha256').update(token).digest('base64');
      const known = answers.get(hash);
      // An answer from the future, by a clock that was set back since, would be believed for too long.
      if (known !== undefined && time < known.until && known.askedAt - time < options.negativeCache) {
        return Promise.resolve(known.said);
      }
      answers.delete(hash);
      const underWay = running.get(hash);
      if (underWay !== undefined) return underWay;
      const asking = ask(token, hash, time).finally(() => running.delete(hash));
      running.set(hash, asking);
      return asking;
    },
    async reload() {
      client = readClientAuthentication(options, readFile);
    },
    close() {
      closing.abort();
      answers.clear();
    },
  };
}

const unavailable: Introspection = Object.freeze({ unavailable: true });
const inactive: Introspection = Object.freeze({ active: false });

/** Judges the answer as it stands at `time`; what is malformed is no answer. */
function toIntrospection(
  answer: Readonly<Record<string, unknown>>,
  issuer: string,
  time: number,
): Introspection {
  const { active, iss, exp, nbf } = answer;
  if (active === false) return inactive;
  if (active !== true) return unavailable;
  if (!isDate(exp) || !isDate(nbf)) return unavailable;
  // A server that serves several issuers answers for all of them: each entry takes its own only.
  if (iss !== undefined && iss !== issuer) return inactive;
  if (exp !== undefined && exp * 1000 <= time) return inactive;
  if (nbf !== undefined && nbf * 1000 > time) return inactive;
  return Object.freeze({ active: true, claims: Object.freeze({ ...answer }) });
}

function isDate(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && Number.isFinite(value));
}

/** Lets `most` in at one time and `waiting` wait for it; the rest is turned away. */
function createLine(most: number, waiting: number): { enter(): Promise<boolean>; leave(): void } {
  const queue: (() => void)[] = [];
  let inside = 0;
  return {
    enter() {
      if (inside < most) {
        inside += 1;
        return Promise.resolve(true);
      }
      if (queue.length >= waiting) return Promise.resolve(false);
      return new Promise((resolve) => queue.push(() => resolve(true)));
    },
    leave() {
      // Whoever waits takes the place over: the number inside stays.
      const next = queue.shift();
      if (next === undefined) inside -= 1;
      else next();
    },
  };
}
