const word = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
const deepest = 4;

/**
 * What kind of thing went wrong, e.g. `GatewayError(upstream-unreachable) < Error(ECONNREFUSED)`.
 *
 * Classes and codes only, and only where they look like identifiers: messages quote what a peer sent, and a peer may
 * have sent a secret, or text made to mislead whoever reads the record.
 */
export function causeClass(cause: unknown): string | undefined {
  if (cause === undefined || cause === null) return undefined;
  const names: string[] = [];
  let at: unknown = cause;
  for (let depth = 0; depth < deepest && at !== undefined && at !== null; depth += 1) {
    // That it is a text tells nobody anything, and the text itself may quote a peer.
    if (typeof at === 'string') break;
    names.push(classOf(at));
    at = typeof at === 'object' ? memberOf(at, 'cause') : undefined;
  }
  return names.length === 0 ? undefined : names.join(' < ');
}

function classOf(thing: unknown): string {
  if (typeof thing !== 'object' || thing === null) return typeof thing;
  const name = identifier(memberOf(thing, 'name')) ?? (thing instanceof Error ? 'Error' : 'object');
  const code = identifier(memberOf(thing, 'code'));
  return code === undefined ? name : `${name}(${code})`;
}

/** A getter of a hostile or broken object must not break the record. */
function memberOf(thing: object, key: string): unknown {
  try {
    return (thing as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function identifier(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && word.test(value) ? value : undefined;
}
