import { carriesV4 } from './address.ts';
import { readHost } from './url-host.ts';

/** A compiled list of hosts: what is named exactly is kept apart, since it may allow more than a pattern may. */
export interface HostList {
  /** Whether the host is named as it is. */
  hasExact(name: string): boolean;
  /** Whether the host is named, or matches a pattern. */
  has(name: string): boolean;
}

interface HostPattern {
  readonly kind: 'exact' | 'label' | 'labels';
  /** An exact name in ASCII, or what follows the wildcard, with its dot. */
  readonly text: string;
}

/** Says what is wrong with an entry of a list of hosts; undefined where nothing is. */
export function hostPatternFault(text: string): string | undefined {
  const host = exactHost(text);
  if (typeof host === 'object' && host.kind === 'address' && carriesV4(host.block)) {
    return 'an IPv6 spelling of an IPv4 address can never match: name the IPv4 address';
  }
  return readPattern(text) === undefined
    ? 'expected a host name, `*.` or `**.` and a host name, or an IP address in its exact spelling'
    : undefined;
}

/** The same for a list of domains, which has no addresses. */
export function domainPatternFault(text: string): string | undefined {
  const host = exactHost(text);
  return hostPatternFault(text) !== undefined || (typeof host === 'object' && host.kind === 'address')
    ? 'expected a domain name, or `*.` or `**.` and a domain name'
    : undefined;
}

/**
 * Compiles a list of hosts. `*.example.com` is one label more, `**.example.com` is one or more labels more; neither is
 * `example.com` itself.
 */
export function compileHosts(texts: readonly string[]): HostList {
  const patterns = texts.map((text) => readPattern(text)!);
  const ofKind = (kind: HostPattern['kind']) =>
    new Set(patterns.filter((pattern) => pattern.kind === kind).map(({ text }) => text));
  const exact = ofKind('exact');
  const label = ofKind('label');
  const labels = ofKind('labels');
  return {
    hasExact: (name) => exact.has(name),
    has(name) {
      if (exact.has(name)) return true;
      // An address has no labels above it. The dot of a suffix is never its first character: no label is empty.
      let dot = name.indexOf('.');
      if (dot > 0 && label.has(name.slice(dot))) return true;
      for (; dot > 0 && labels.size > 0; dot = name.indexOf('.', dot + 1)) {
        if (labels.has(name.slice(dot))) return true;
      }
      return false;
    },
  };
}

/** The name of an exact entry as hosts are compared, and what kind of host it is; undefined for a pattern. */
export function exactHost(text: string): ReturnType<typeof readHost> | undefined {
  return text.startsWith('*')
    ? undefined
    : readHost(text.includes(':') && !text.startsWith('[') ? `[${text}]` : text);
}

function readPattern(text: string): HostPattern | undefined {
  const wildcard = /^\*{1,2}\./.exec(text)?.[0];
  if (wildcard === undefined) {
    const host = exactHost(text);
    return typeof host === 'object' ? { kind: 'exact', text: host.name } : undefined;
  }
  const host = readHost(text.slice(wildcard.length));
  if (typeof host !== 'object' || host.kind !== 'name') return undefined;
  return { kind: wildcard === '*.' ? 'label' : 'labels', text: `.${host.name}` };
}
