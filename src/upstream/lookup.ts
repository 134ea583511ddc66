import { lookup } from 'node:dns/promises';
import { isIPv6, type LookupFunction } from 'node:net';
import { type AddressRule, addressProblem, kindOfAddress } from './address-rules.ts';

/** All addresses of a name. Rejects where there are none. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

/** The machine's own resolver: `/etc/hosts` and search domains count, as cluster names and sidecars need them. */
export const systemResolveName: ResolveName = async (name) => {
  const found = await lookup(name, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

/** 1 s: many connections that open at once ask once, and a change is seen by the next ones. */
const freshMs = 1000;
/** 500 ms of waiting for a name service before the last good answer is used in its place. */
const patienceMs = 500;
/** 10 min for which a name service may fail before its last answer is too old. */
const staleMs = 600_000;
/** A name with more addresses than this is not one service. */
const mostAddresses = 64;

export interface NameLookupDeps {
  readonly resolve: ResolveName;
  monotonic(): number;
  /** Told when a name begins to have addresses that are refused, and when it has good ones again. */
  report(change: { readonly name: string; readonly problem: string | undefined }): void;
}

export interface NameLookup {
  /** For `net.connect`, which then connects to exactly these addresses. */
  readonly lookup: LookupFunction;
  /** Takes the next answer for the first: a name may go from public to private addresses by a reload. */
  forget(): void;
}

interface Known {
  addresses: readonly string[];
  at: number;
  wasPublic: boolean;
  problem: string | undefined;
  running: Promise<readonly string[]> | undefined;
}

/**
 * Resolves the names of one upstream's endpoints.
 *
 * The system's resolver works in threads of which libuv gives it two at a time for the whole process. So a name is asked
 * for once, however many wait for it, and where the name service is slow or fails, the last good answer goes on. One name
 * that never answers takes one thread. Two take both: names that were resolved before go on, one that never was must wait.
 *
 * Bounded by the names in the configuration. Every answer is judged before it is used, by the rule.
 */
export function createNameLookup(rule: AddressRule, deps: NameLookupDeps): NameLookup {
  const names = new Map<string, Known>();

  function knownOf(name: string): Known {
    let known = names.get(name);
    if (known === undefined) {
      known = {
        addresses: [],
        at: Number.NEGATIVE_INFINITY,
        wasPublic: false,
        problem: undefined,
        running: undefined,
      };
      names.set(name, known);
    }
    return known;
  }

  async function ask(name: string, known: Known): Promise<readonly string[]> {
    try {
      const addresses = await deps.resolve(name);
      const { wasPublic } = known;
      const problem =
        addresses.length === 0 || addresses.length > mostAddresses
          ? `${addresses.length} addresses`
          : addressProblem({ name, addresses, wasPublic }, rule);
      if (problem !== known.problem) deps.report({ name, problem });
      known.problem = problem;
      if (problem !== undefined) {
        known.addresses = [];
        throw refused(name, problem);
      }
      known.addresses = addresses;
      known.at = deps.monotonic();
      known.wasPublic ||= addresses.some((address) => kindOfAddress(address) === 'public');
      return addresses;
    } catch (error) {
      // The name is gone, and that was an answer. All else is a name service that has none.
      if ((error as NodeJS.ErrnoException).code === 'ENOTFOUND') known.addresses = [];
      throw error;
    } finally {
      known.running = undefined;
    }
  }

  async function addressesOf(name: string): Promise<readonly string[]> {
    const known = knownOf(name);
    const age = deps.monotonic() - known.at;
    if (known.addresses.length > 0 && age < freshMs) return known.addresses;
    known.running ??= ask(name, known);
    const { running } = known;
    if (known.addresses.length === 0 || age >= staleMs) return running;
    try {
      return await within(running, patienceMs, () => known.addresses);
    } catch (error) {
      if (known.addresses.length > 0) return known.addresses;
      throw error;
    }
  }

  return {
    lookup(name, options, callback) {
      addressesOf(name).then(
        (addresses) => {
          const wanted = addresses
            .map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
            .filter(({ family }) => isWanted(family, options.family));
          const [first] = wanted;
          if (first === undefined) callback(noAddress(name), '', 4);
          else if (options.all === true) callback(null, wanted);
          else callback(null, first.address, first.family);
        },
        (error: NodeJS.ErrnoException) => callback(error, '', 4),
      );
    },
    forget() {
      // The addresses stay: while a name service fails they are all there is.
      for (const known of names.values()) known.wasPublic = false;
    },
  };
}

function isWanted(family: number, wanted: number | 'IPv4' | 'IPv6' | undefined): boolean {
  if (wanted === undefined || wanted === 0) return true;
  return family === (wanted === 6 || wanted === 'IPv6' ? 6 : 4);
}

function within<T>(promise: Promise<T>, ms: number, instead: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(instead()), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function refused(name: string, problem: string): Error {
  return Object.assign(new Error(`${name}: not dialled (${problem})`), { code: 'ERR_ADDRESS_REFUSED' });
}

function noAddress(name: string): Error {
  return Object.assign(new Error(`${name}: no address of this family`), { code: 'ENOTFOUND' });
}
