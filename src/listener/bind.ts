import { isIPv4, isIPv6 } from 'node:net';

export interface Bind {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Reads `host:port`; IPv6 in brackets. Undefined where the text is something else. Port 0 takes any free one. */
export function parseBind(text: string): Bind | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const host = match[1] ?? match[2]!;
  const port = Number(match[3]);
  if (port > 65_535 || (match[1] !== undefined && !isIPv6(host))) return undefined;
  return { host, port };
}

/** Whether only this machine can reach the address. */
export function isLoopbackBind(text: string): boolean {
  const host = parseBind(text)?.host.toLowerCase();
  if (host === undefined) return false;
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** The address as a URL shows it. */
export function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
