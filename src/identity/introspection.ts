import { createHash } from 'node:crypto';
import { allowInsecureRequests, customFetch, introspectionRequest } from 'oauth4webapi';
import { type Dial, dialFor } from '../dialer/contract.ts';
import { readClientAuthentication } from './client-authentication.ts';
import type { Discovery } from './discovery.ts';
import type { IntrospectionOptions } from './introspection-options.ts';
import { readJsonObject } from './json-object.ts';
import { createLru } from './lru.ts';
import { createQuestionLine } from './question-line.ts';

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
   * @param verified its signature is the issuer's own: nobody made it up. Default false
   */
  introspect(token: string, time: number, verified?: boolean): Promise<Introspection>;
  /** Reads the client's secret or key again. @throws Error when that fails; the old one then stays */
  reload(): Promise<void>;
  close(): void;
}

export interface IntrospectorDependencies {
  /** Where the issuer's metadata name the endpoint. Needed where `endpoint` is not configured. */
  readonly discovery?: Discovery | undefined;
  readonly readFile?: ((path: string) => string) | undefined;
}

interface IssuerOptions {
  readonly issuer: string;
  /** Milliseconds that the issuer's clock may be ahead. Default 0. */
  readonly clockSkew?: number;
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
  options: IntrospectionOptions & IssuerOptions,
  dial: Dial,
  dependencies: IntrospectorDependencies = {},
): Introspector {
  const { discovery, readFile } = dependencies;
  if (options.endpoint === undefined && discovery === undefined) {
    throw new TypeError('An introspector needs an endpoint, or the metadata that names it');
  }
  let client = readClientAuthentication(options, readFile);
  // Apart: however many tokens strangers make up, they do not drive out what is known of good ones.
  const good = createLru<string, Answer>(remembered);
  const bad = createLru<string, Answer>(remembered);
  const running = new Map<string, Promise<Introspection>>();
  const line = createQuestionLine(options.concurrency, options.concurrency * 4);
  const closing = new AbortController();

  async function ask(token: string, hash: string, time: number, known: boolean): Promise<Introspection> {
    if (!(await line.enter(known))) return unavailable;
    try {
      const endpoint = options.endpoint ?? (await discovery?.fresh(time))?.introspectionEndpoint;
      if (endpoint === undefined || closing.signal.aborted) return unavailable;
      const said = toIntrospection(await fetchAnswer(token, endpoint), options, time);
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
        [customFetch]: dialFor(dial, 'introspection', isAnswer),
        // The dialer judges: http only where configuration names the address.
        [allowInsecureRequests]: true,
        additionalParameters: { token_type_hint: 'access_token' },
        signal: closing.signal,
      },
    );
    const answer = await readAnswer(response);
    if (answer === undefined) throw new Error('not an introspection answer');
    return answer;
  }

  function remember(hash: string, said: Introspection, time: number): void {
    if (said.active === undefined) return;
    const exp = said.active ? said.claims['exp'] : undefined;
    const lifetime = said.active ? options.cache : options.negativeCache;
    const until = Math.min(time + lifetime, typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY);
    // What was good a moment ago has another line in front of the issuer, also once it must be asked about again.
    if (said.active) good.set(hash, { said, askedAt: time, until });
    else good.delete(hash);
    if (!said.active && until > time) bad.set(hash, { said, askedAt: time, until });
  }

  return {
    introspect(token, time, verified = false) {
      const hash = createHash('sha256').update(token).digest('base64');
      const known = good.get(hash) ?? bad.get(hash);
      // An answer from the future, by a clock that was set back since, would be believed for too long.
      const remembered = known !== undefined && known.until > known.askedAt;
      if (remembered && time < known.until && known.askedAt - time < options.negativeCache) {
        return Promise.resolve(known.said);
      }
      bad.delete(hash);
      const underWay = running.get(hash);
      if (underWay !== undefined) return underWay;
      const asking = ask(token, hash, time, verified || good.get(hash) !== undefined).finally(() =>
        running.delete(hash),
      );
      running.set(hash, asking);
      return asking;
    },
    async reload() {
      client = readClientAuthentication(options, readFile);
    },
    close() {
      closing.abort();
      good.clear();
      bad.clear();
    },
  };
}

async function readAnswer(response: Response): Promise<Readonly<Record<string, unknown>> | undefined> {
  const type = response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  // `application/token-introspection+jwt` (RFC 9701) was not asked for, and its signature is not checked here.
  if (response.status !== 200 || type !== 'application/json') return undefined;
  const answer = readJsonObject(Buffer.from(await response.arrayBuffer()));
  return answer !== undefined && isWellFormed(answer) ? answer : undefined;
}

async function isAnswer(response: Response): Promise<boolean> {
  return (await readAnswer(response)) !== undefined;
}

function isWellFormed({ active, exp, nbf }: Readonly<Record<string, unknown>>): boolean {
  return active === false || (active === true && isDate(exp) && isDate(nbf));
}

const unavailable: Introspection = Object.freeze({ unavailable: true });
const inactive: Introspection = Object.freeze({ active: false });

interface WellFormed {
  readonly active: boolean;
  readonly iss?: unknown;
  readonly exp?: number;
  readonly nbf?: number;
}

/** Judges a well-formed answer as it stands at `time`. */
function toIntrospection(
  answer: Readonly<Record<string, unknown>>,
  { issuer, clockSkew = 0 }: IssuerOptions,
  time: number,
): Introspection {
  const { active, iss, exp, nbf } = answer as unknown as WellFormed;
  if (active === false) return inactive;
  // A server that serves several issuers answers for all of them: each entry takes its own only.
  if (iss !== undefined && iss !== issuer) return inactive;
  if (exp !== undefined && exp * 1000 <= time) return inactive;
  // Issuers write the moment into it at which they made the token, by their clock.
  if (nbf !== undefined && nbf * 1000 > time + clockSkew) return inactive;
  return Object.freeze({ active: true, claims: Object.freeze({ ...answer }) });
}

function isDate(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && Number.isFinite(value));
}
