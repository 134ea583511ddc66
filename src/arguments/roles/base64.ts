import type { z } from 'zod';
import type { Role, RoleFault, RoleKind } from '../role.ts';
import { base64Options, blobOptions } from './base64-options.ts';
import { blobTypes, longestMagic } from './blob-types.ts';
import { toFaults } from './faults.ts';

const faults = toFaults({
  type: 'send text',
  'not-base64': 'send base64 (RFC 4648) without white space; `alphabet` says which one',
  padding: 'see `padding`',
  'not-canonical': 'encode the bytes anew: the unused bits of the last character must be zero',
  'too-large': 'raise `maxBytes`',
  'type-unknown': 'add the media type to `types`',
});

type Encoding = z.output<typeof base64Options>;

/** Base64 in its one canonical form. */
export const base64Role = {
  name: 'base64',
  options: base64Options,
  compile(options: z.output<typeof base64Options>): Role {
    return {
      name: 'base64',
      secret: false,
      judge: (value) => (typeof value === 'string' ? judgeText(value, options) : faults.type),
    };
  },
} satisfies RoleKind<typeof base64Options>;

/** Bytes in base64, of a bounded size and, by choice, of known media types. */
export const blobRole = {
  name: 'blob',
  options: blobOptions,
  compile(options: z.output<typeof blobOptions>): Role {
    const tests = options.types?.map((type) => blobTypes[type]);
    return {
      name: 'blob',
      secret: false,
      judge(value) {
        if (typeof value !== 'string') return faults.type;
        const fault = judgeText(value, options);
        if (fault !== undefined || tests === undefined) return fault;
        const start = Buffer.from(value.slice(0, Math.ceil(longestMagic / 3) * 4), 'base64');
        return tests.some((test) => test(start)) ? undefined : faults['type-unknown'];
      },
    };
  },
} satisfies RoleKind<typeof blobOptions>;

const alphabets = {
  standard: /^[A-Za-z0-9+/]*$/,
  url: /^[A-Za-z0-9_-]*$/,
  any: /^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)$/,
} as const;

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function judgeText(text: string, { alphabet, padding, maxBytes }: Encoding): RoleFault | undefined {
  const unpadded = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length;
  if (Math.floor((unpadded * 3) / 4) > maxBytes) return faults['too-large'];
  const body = unpadded === text.length ? text : text.slice(0, unpadded);
  if (!alphabets[alphabet].test(body)) return faults['not-base64'];
  const rest = unpadded % 4;
  if (rest === 1) return faults['not-base64'];
  const filled = rest === 0 ? 0 : 4 - rest;
  const given = text.length - unpadded;
  if (given !== 0 && given !== filled) return faults.padding;
  if (filled !== 0 && padding !== 'allow' && (given !== 0) !== (padding === 'require')) return faults.padding;
  // Two texts for the same bytes would be two names for one thing.
  const unused = rest === 2 ? 0x0f : rest === 3 ? 0x03 : 0;
  return (sextet(body.at(-1)) & unused) === 0 ? undefined : faults['not-canonical'];
}

function sextet(digit: string | undefined): number {
  if (digit === undefined) return 0;
  if (digit === '+' || digit === '-') return 62;
  if (digit === '/' || digit === '_') return 63;
  return digits.indexOf(digit);
}
