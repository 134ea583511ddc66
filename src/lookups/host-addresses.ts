import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { DnsOptions } from './options.ts';

export interface HostAddresses {
  /**
   * Every address of a host, of both families.
   *
   * @param host name in lower-case ASCII; an address is its own answer
   * @returns undefined where the answer is not known whole: time-out, failure of either family, no address at all, too
   *   many questions at one time, or closed. Never rejects.
   */
  addresses(host: string): Promise<readonly string[] | undefined>;
  /** Ends what is under way; from here on every answer is undefined. */
  close(): void;
}

export interface HostAddressesDeps {
  readonly resolver?: Pick<Resolver, 'resolve4' | 'resolve6' | 'cancel'>;
  /** Milliseconds that never run backwards. */
  readonly now?: () => number;
}

interface Remembered {
  readonly answer: readonly string[] | undefined;
  readonly until: number;
}

/** Answers with more addresses than this are not kept whole by resolvers, nor read by clients. */
const maxAddresses = 256;

/**
 * Asks name servers, bounded in time, number and memory; the same question is asked once at a time.
 *
 * It speaks DNS itself instead of calling `getaddrinfo`: that one holds a thread of four that the file system needs too,
 * for as long as a stranger's name server likes. So `/etc/hosts` and search domains are not looked at.
 */
export function createHostAddresses(options: DnsOptions, deps: HostAddressesDeps = {}): HostAddresses {
  const resolver = deps.resolver ?? createResolver(options);
  const now = deps.now ?? (() => performance.now());
  const remembered = new Map<string, Remembered>();
  const running = new Map<string, Promise<readonly string[] | undefined>>();
  let closed = false;

  function remember(host: string, answer: readonly string[] | undefined): void {
    const { entries, ttl, negativeTtl } = options.cache;
    const lifetime = answer === undefined ? negativeTtl : ttl;
    remembered.delete(host);
    if (closed || entries === 0 || lifetime === 0) return;
    if (remembered.size >= entries) remembered.delete(remembered.keys().next().value!);
    remembered.set(host, { answer, until: now() + lifetime });
  }

  function ask(host: string): Promise<readonly string[] | undefined> {
    // The place is given back when the servers have answered, not when the caller stopped waiting: otherwise names that
    // never answer would pile up behind the bound.
    const asked = bothFamilies(resolver, host).then((answer) => {
      running.delete(host);
      remember(host, answer);
      return closed ? undefined : answer;
    });
    const bounded = within(asked, options.timeout);
    running.set(host, bounded);
    return bounded;
  }

  return {
    async addresses(host) {
      if (closed) return undefined;
      if (isIP(host) !== 0) return [host];
      if (host.length > 253 || !/^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/.test(host)) return undefined;
      const known = remembered.get(host);
      if (known !== undefined) {
        if (known.until > now()) return known.answer;
        remembered.delete(host);
      }
      const pending = running.get(host);
      if (pending !== undefined) return pending;
      return running.size >= options.maxConcurrent ? undefined : ask(host);
    },
    close() {
      closed = true;
      remembered.clear();
      resolver.cancel();
    },
  };
}

function createResolver({ servers, timeout }: DnsOptions): Resolver {
  const resolver = new Resolver({ timeout, tries: 1 });
  if (servers !== undefined) resolver.setServers(servers);
  return resolver;
}

/**
 * Every answer of both families, or undefined: one family's silence could hide the address that must not be reached.
 * Waits for both, so that a place is never given back before its questions have ended.
 */
async function bothFamilies(
  resolver: Pick<Resolver, 'resolve4' | 'resolve6'>,
  host: string,
): Promise<readonly string[] | undefined> {
  const answers = await Promise.allSettled([
    resolver.resolve4(host).catch(noneOfThisFamily),
    resolver.resolve6(host).catch(noneOfThisFamily),
  ]);
  const addresses = new Set<string>();
  for (const answer of answers) {
    if (answer.status === 'rejected') return undefined;
    for (const address of answer.value) addresses.add(address);
  }
  return addresses.size === 0 || addresses.size > maxAddresses ? undefined : [...addresses];
}

/** The name exists and has no record of this kind: an answer. All else is none. */
function noneOfThisFamily(error: unknown): string[] {
  if (error instanceof Error && 'code' in error && error.code === 'ENODATA') return [];
  throw error;
}

function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, undefined);
    promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
