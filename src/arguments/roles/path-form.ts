import { type Reading, readingsOf } from './path-readings.ts';

/**
 * How the server reads paths. `any`: POSIX syntax, and nothing that a Windows server would read as something else.
 * `posix`: the operator says that no Windows server reads it.
 */
export type PathStyle = 'any' | 'posix' | 'windows';

/** Why a text is not the one canonical spelling of a path. */
export type FormFault =
  | 'character'
  | 'control'
  | 'device-name'
  | 'drive'
  | 'empty'
  | 'encoded'
  | 'home'
  | 'backslash'
  | 'leading-dash'
  | 'look-alike'
  | 'not-canonical'
  | 'parent'
  | 'quoted'
  | 'stream'
  | 'trailing-dot'
  | 'unc'
  | 'uri'
  | 'variable'
  | 'white-space';

export type PathForm =
  | { readonly ok: true; readonly readings: readonly Reading[] }
  | { readonly ok: false; readonly fault: FormFault };

const separator = /[/\\]/;

/** Only characters that every reader reads alike. */
const plain = /^[A-Za-z0-9_./-]+$/;

/** Nearly all paths: plain, and neither empty nor odd in any segment. Nothing repeats inside what repeats, so: linear. */
const ordinary =
  /^(?!-)\/?(?:\.?[A-Za-z0-9_-]+(?:\.+[A-Za-z0-9_-]+)*\/)*\.?[A-Za-z0-9_-]+(?:\.+[A-Za-z0-9_-]+)*\/?$/;

const deviceSegment = /(?:^|\/)(?:aux|con|nul|prn|com[0-9]|lpt[0-9])(?:[./]|$)/i;

/** Controls, half surrogates, and what turns the direction of the text round so that a person reads another name. */
const control = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]/u;

/**
 * Characters that best-fit conversions to single-byte code pages turn into a separator, or that look like one. NFKC
 * leaves these alone, so folding does not find them.
 */
const separatorLookAlike = /[\u2044\u2215\u2216\u2571\u2572\u27cb\u27cd\u29f5\u29f8\u29f9]/;

/** Yen and won stand where ASCII has its backslash in the code pages of Japanese and Korean Windows. */
const windowsSeparatorLookAlike = /[\u00a5\u20a9]/;

/** Segments made of nothing but these are `.` or `..` to somebody. */
const onlyDots = /^[.\u3002\u06d4\u0701\u0702\ua4f8\ua60e\s]+$/u;

/** `..;x` is `..` to servlet containers, `..%` is the beginning of an encoding, `..:` of a stream. */
const parentPrefix = /^\.\.(?:[;%:\\]|$)/;

const deviceName =
  /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?: *$| *[.:])/i;

/** A name that the caller chose stands for text that nobody has judged. Elsewhere `$` is a letter of honest names. */
const variable = /^\$[A-Z_][A-Z0-9_]*(?:[/\\]|$)|^%[A-Za-z_][A-Za-z0-9_()]*%|\$[{(]|`/;

/** Programs take it for an option. The others than `-` become one in best-fit conversions. */
const leadingDash = /^[-\u00ad\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/;

/** Dots and separators in other notations than percent-encoding: entities of HTML, and hexadecimal numbers. */
const notation = /&(?:#x?[0-9a-f]+|(?:period|sol|bsol);)|(?:\.|0x2e){2}0x(?:2f|5c)|0x2e0x2e(?:\/|$)/i;

/** Those of them that are made of letters and digits, and would pass for an ordinary name. */
const hexNotation = /(?:\.|0x2e){2}0x(?:2f|5c)|0x2e0x2e(?:\/|$)/i;

/** Judges the spelling of a path, in every reading. Says nothing of where it leads. */
export function judgeForm(text: string, style: PathStyle): PathForm {
  if (hexNotation.test(text)) return { ok: false, fault: 'encoded' };
  if (style !== 'windows' && ordinary.test(text) && (style === 'posix' || !deviceSegment.test(text))) {
    return { ok: true, readings: [{ text, decoded: false, folded: false }] };
  }
  const fault = spellingFault(text, style);
  if (fault !== undefined) return { ok: false, fault };
  if (!/[%\u0080-\uffff]/.test(text)) {
    return { ok: true, readings: [{ text, decoded: false, folded: false }] };
  }
  const readings = readingsOf(text);
  if (readings === undefined) return { ok: false, fault: 'encoded' };
  const spelled = text.split(separator);
  for (const reading of readings) {
    if (readingFault(reading, style, spelled)) {
      return { ok: false, fault: reading.decoded ? 'encoded' : 'look-alike' };
    }
  }
  return isTruncatedParent(text) ? { ok: false, fault: 'look-alike' } : { ok: true, readings };
}

function spellingFault(text: string, style: PathStyle): FormFault | undefined {
  if (text === '') return 'empty';
  if (!plain.test(text)) {
    if (control.test(text)) return 'control';
    // A server that trims or unquotes would find another path in it, an absolute one perhaps.
    if (text.trim() !== text) return 'white-space';
    if (/^(["']).*\1$/.test(text)) return 'quoted';
    if (text.startsWith('~')) return 'home';
    if (variable.test(text)) return 'variable';
    if (/^file:/i.test(text)) return 'uri';
    if (notation.test(text)) return 'encoded';
    if (style === 'windows') {
      if (/[<>"|*?]/.test(text)) return text.startsWith('\\\\') ? 'unc' : 'character';
    } else {
      if (/^[A-Za-z]:(?:[/\\]|$)/.test(text)) return 'drive';
      // Several in a row as well: `jar:file:/etc/passwd`.
      if (/^(?:[A-Za-z][A-Za-z0-9+.-]*:)+[/\\]/.test(text)) return 'uri';
      if (text.startsWith('\\\\')) return 'unc';
      if (text.includes('\\')) return 'backslash';
    }
  }
  if (/^[/\\]{2}/.test(text)) return 'unc';
  if (leadingDash.test(text)) return 'leading-dash';
  // Either separator, but one of them: what reads `a\b/c` otherwise than Windows does finds other segments.
  if (style === 'windows' && text.includes('/') && text.includes('\\')) return 'not-canonical';
  return segmentsFault(text, style);
}

function segmentsFault(text: string, style: PathStyle): FormFault | undefined {
  const drive = style === 'windows' && /^[A-Za-z]:[/\\]/.test(text);
  const segments = (drive ? text.slice(2) : text).split(style === 'windows' ? separator : '/');
  const last = segments.length - 1;
  for (let at = 0; at <= last; at++) {
    const segment = segments[at]!;
    // The root in front, and one separator behind the name of a folder.
    if (segment === '' && (at === 0 || at === last)) continue;
    // `.` alone is the base itself, and a leading `./` is how `-name` is written safely.
    if (segment === '.' && at === 0) continue;
    if (segment === '' || segment === '.') return 'not-canonical';
    const fault = segmentFault(segment, style);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function segmentFault(segment: string, style: PathStyle): FormFault | undefined {
  if (onlyDots.test(segment)) return /\S/.test(segment) ? 'parent' : 'white-space';
  if (parentPrefix.test(segment)) return 'parent';
  if (style === 'posix') return undefined;
  if (segment.includes(':')) return 'stream';
  if (/[. ]$/.test(segment)) return 'trailing-dot';
  return deviceName.test(segment) ? 'device-name' : undefined;
}

/** Whether a reading has another structure than the text: that is what a disguise is for. */
function readingFault(
  { text, decoded, folded }: Reading,
  style: PathStyle,
  spelled: readonly string[],
): boolean {
  if (!folded && separatorLookAlike.test(text)) return true;
  if (!folded && style !== 'posix' && windowsSeparatorLookAlike.test(text)) return true;
  if (decoded && (control.test(text) || text.trim() !== text || notation.test(text))) return true;
  if (decoded && (/^[~-]/.test(text) || variable.test(text) || /^file:/i.test(text))) return true;
  const segments = text.split(separator);
  if (segments.length !== spelled.length || segments[0] === '~') return true;
  return segments.some((segment, at) => {
    if (segment === spelled[at]) return false;
    if (segment === '' || onlyDots.test(segment) || parentPrefix.test(segment)) return true;
    if (style === 'posix') return false;
    // Full-width colons and an ellipsis at the end are honest; what only decoding brings to light is not.
    return deviceName.test(segment) || (decoded && !folded && segmentFault(segment, style) !== undefined);
  });
}

/** Writing text as Latin-1 keeps the low byte of each character: two U+012E become `..`. */
function isTruncatedParent(text: string): boolean {
  if (!/[^\u0000-\u00ff]/.test(text)) return false;
  return /(?:^|[/\\])\.\.(?:[/\\]|$)/.test(Buffer.from(text, 'latin1').toString('latin1'));
}
