import { type Block, readExactAddress } from '../../addresses/address-block.ts';

/** A host as one exact spelling of one thing. */
export type Host =
  /** Lower-case ASCII, international labels as `xn--`. */
  | { readonly kind: 'name'; readonly name: string }
  /** `name` as it is compared with `hosts`: without brackets, in lower case. */
  | { readonly kind: 'address'; readonly name: string; readonly block: Block };

export type HostFault = 'host-encoding' | 'host-characters' | 'host-form' | 'address-notation';

/**
 * Reads the host of a URL as it stands in the text, and refuses what readers disagree about: percent-encoding,
 * characters that are mapped to others (full-width digits, ideographic full stops, soft hyphens), empty labels and
 * trailing dots, and every spelling of an address but the exact one.
 *
 * @param raw the host without port, an IPv6 address in its brackets
 */
export function readHost(raw: string): Host | HostFault {
  if (raw.startsWith('[')) return readBracketed(raw);
  if (raw.includes('%')) return 'host-encoding';
  if (/[[\]:]/.test(raw)) return 'address-notation';
  const name = /^[\0-\x7f]*$/.test(raw) ? raw.toLowerCase() : toAscii(raw);
  if (name === undefined || !/^[a-z0-9._-]*$/.test(name)) return 'host-characters';
  const labels = name.split('.');
  // WHATWG URL, "ends in a number": from here on it is an address, or nothing, for every reader that has inet_aton.
  if (endsInNumber(labels)) {
    const block = readExactAddress(name);
    return block === undefined ? 'address-notation' : { kind: 'address', name, block };
  }
  if (name.length > 253 || !labels.every(isLabel)) return 'host-form';
  return { kind: 'name', name };
}

function readBracketed(raw: string): Host | HostFault {
  const name = raw.slice(1, -1).toLowerCase();
  const block = raw.endsWith(']') ? readExactAddress(name) : undefined;
  return block?.family === 6 ? { kind: 'address', name, block } : 'address-notation';
}

function endsInNumber(labels: readonly string[]): boolean {
  const last = labels.at(-1) === '' ? labels.at(-2) : labels.at(-1);
  return last !== undefined && /^(?:[0-9]+|0x[0-9a-f]*)$/.test(last);
}

/** `xn--localhost-` is punycode for plain ASCII: another name to whoever decodes it. */
function isLabel(label: string): boolean {
  return /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label) && label !== 'xn--';
}

/**
 * An international name in ASCII, label by label; undefined where a label is not what it looks like. A label that is
 * mapped to plain ASCII, such as one of circled digits, is a disguise: its author could have written the ASCII.
 */
function toAscii(raw: string): string | undefined {
  const lower = raw.toLowerCase();
  // Both: the Kelvin sign in lower case is a plain k.
  if (!raw.isWellFormed() || raw !== raw.normalize('NFKC') || lower !== lower.normalize('NFKC'))
    return undefined;
  if (/[\p{Default_Ignorable_Code_Point}\p{White_Space}\p{Cc}]/u.test(raw)) return undefined;
  const ascii = URL.parse(`https://${raw}`)?.hostname;
  const labels = ascii?.split('.');
  const rawLabels = lower.split('.');
  if (labels === undefined || labels.length !== rawLabels.length) return undefined;
  const faithful = labels.every((label, i) =>
    /^[\0-\x7f]*$/.test(rawLabels[i]!) ? label === rawLabels[i] : label.startsWith('xn--'),
  );
  return faithful ? ascii : undefined;
}
