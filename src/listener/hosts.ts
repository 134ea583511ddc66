import { isIPv6 } from 'node:net';
import { bracketed, isLoopbackBind, parseBind } from './bind.ts';

/**
 * Which `Host` and `Origin` a listener serves: the defence against DNS rebinding and cross-site requests
 * (MCP 2025-11-25 and 2026-07-28, basic/transports, security warning).
 */
export interface HostRules {
  /** @param authority value of `Host` or `:authority`, as it came */
  allowsHost(authority: string): boolean;
  /** @param origin value of `Origin`, as it came; an absent one is not asked about */
  allowsOrigin(origin: string): boolean;
}

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

/**
 * @param hosts normalised; undefined on a loopback bind means the loopback names, and on another bind means none
 * @param origins normalised
 */
export function createHostRules(
  bind: string,
  hosts: readonly string[] | undefined,
  origins: readonly string[],
): HostRules {
  const names = new Set(hosts ?? defaultHosts(bind));
  const allowedOrigins = new Set(origins);
  return {
    allowsHost(authority) {
      // Ports are part of the set's key where configuration names one, so try the whole value first.
      const lower = asciiLower(authority);
      if (names.has(lower)) return authorityPattern.test(lower);
      const match = authorityPattern.exec(lower);
      return match !== null && names.has(match[1]!);
    },
    // No parsing: a browser sends exactly one spelling of an origin, and every other spelling is a disguise. `null` and
    // whatever does not parse cannot be in the set, because configuration is normalised.
    allowsOrigin: (origin) => allowedOrigins.has(origin),
  };
}

function defaultHosts(bind: string): readonly string[] {
  if (!isLoopbackBind(bind)) return [];
  return [...loopbackHosts, bracketed(parseBind(bind)!.host.toLowerCase())];
}

/** Host, then perhaps a port. No userinfo, no empty port, no trailing dot is dropped: what differs is not the name. */
const authorityPattern = /^([a-z0-9_.-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::(\d{1,5}))?$/;

/** Lower case, IPv6 in brackets. Undefined where the text is no host with or without port. */
export function normaliseHost(text: string): string | undefined {
  const lower = asciiLower(isIPv6(text) ? `[${text}]` : text);
  return authorityPattern.test(lower) ? lower : undefined;
}

/** The origin as browsers serialise it, or undefined where the text is not an origin in exactly that form. */
export function normaliseOrigin(text: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s\\]+$/i.test(text)) return undefined;
  const lower = asciiLower(text);
  if (!URL.canParse(lower)) return undefined;
  const url = new URL(lower);
  // Schemes that browsers do not treat as special (extensions, webviews) have the origin "null" to WHATWG URL.
  if (url.origin === 'null') return lower;
  return url.origin;
}

/** Only A to Z: Unicode folding would let the Kelvin sign pass for a k. */
function asciiLower(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : text;
}
