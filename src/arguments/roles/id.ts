import { isExactNumber, type JsonValue } from '../../values/json.ts';
import type { Role, RoleKind } from '../role.ts';
import { toFaults } from './faults.ts';
import { compilePattern, defaultMaxLength, type IdOptions, idOptions } from './id-options.ts';
import { defaultId, idPresets } from './id-presets.ts';

/** Never in an id, whatever is allowed: controls, half surrogates, and what changes the direction of text. */
const control = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]/u;

/** What some shell acts on, those of Windows included, or a percent-decoder. */
const metacharacter = /[;&|`$()<>\\"'*?[\]{}!#~^%]/;

export const idRole = {
  name: 'id',
  options: idOptions,
  compile(options: IdOptions): Role {
    const minLength = options.minLength ?? 1;
    const maxLength = options.maxLength ?? defaultMaxLength;
    const matches = matcherOf(options);
    const metacharacters = options.metacharacters === 'allow';
    const leadingDash = options.leadingDash === 'allow';
    const dots = options.dots === 'allow';
    const unicode = options.unicode === true;
    return {
      name: 'id',
      secret: false,
      judge(value) {
        const text = textOf(value, options.numbers === true);
        if (text === undefined) return faults.type;
        if (text.length < minLength) return faults['too-short'];
        if (text.length > maxLength) return faults['too-long'];
        if (!leadingDash && text.startsWith('-')) return faults['leading-dash'];
        if (!plain.test(text)) {
          if (control.test(text)) return faults.control;
          if (!metacharacters && metacharacter.test(text)) return faults.metacharacter;
          if (metacharacters ? /[^\S ]/.test(text) : /\s/.test(text)) return faults['white-space'];
          if (/[^\u0000-\u007f]/.test(text)) {
            if (!unicode || /[^\p{L}\p{M}\p{N}\u0000-\u007f]/u.test(text)) return faults['non-ascii'];
            // A server that folds would find other characters: full-width ones become the metacharacters.
            if (text.normalize('NFKC') !== text) return faults['not-canonical'];
          }
        }
        if (!dots && text.includes('..')) return faults['dot-dot'];
        return matches(text) ? undefined : faults.pattern;
      },
    };
  },
} satisfies RoleKind<typeof idOptions>;

/** Nothing here needs a closer look. */
const plain = /^[A-Za-z0-9_.:@+/=,-]*$/;

function textOf(value: JsonValue, numbers: boolean): string | undefined {
  if (typeof value === 'string') return value;
  if (!numbers) return undefined;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  return isExactNumber(value) && /^-?[0-9]+$/.test(value.rawJSON) ? value.rawJSON : undefined;
}

function matcherOf({ pattern, preset, unicode }: IdOptions): (text: string) => boolean {
  if (pattern !== undefined) {
    const compiled = compilePattern(pattern);
    if (compiled === undefined) throw new TypeError('the schema lets only valid patterns through');
    return (text) => compiled.matcher(text).matches();
  }
  const expression = preset === undefined ? defaultId : idPresets[preset];
  if (unicode !== true) return (text) => expression.test(text);
  // A mark belongs to the letter before it; in front it would be one of nothing.
  return (text) => !/^\p{M}/u.test(text) && expression.test(text.replace(/[^\u0000-\u007f]/gu, 'a'));
}

type IdFault =
  | 'control'
  | 'dot-dot'
  | 'leading-dash'
  | 'metacharacter'
  | 'non-ascii'
  | 'not-canonical'
  | 'pattern'
  | 'too-long'
  | 'too-short'
  | 'type'
  | 'white-space';

const faults = toFaults<IdFault>({
  control: 'control characters are never let through',
  'dot-dot': 'set `dots: allow`',
  'leading-dash': 'set `leadingDash: allow`',
  metacharacter: 'name the characters in a `pattern` and set `metacharacters: allow`, or use the role `text`',
  'non-ascii': 'set `unicode: true` for letters of other scripts',
  'not-canonical': 'send the id in its compatibility form (NFKC)',
  pattern: 'choose another `preset`, or write a `pattern`',
  'too-long': 'raise `maxLength`',
  'too-short': 'lower `minLength`',
  type: 'send text; for whole numbers set `numbers: true`',
  'white-space': 'use the role `text` for names with spaces, or a `pattern` with `metacharacters: allow`',
});
