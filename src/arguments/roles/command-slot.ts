import type { JsonValue } from '../../values/json.ts';
import type { Lookup, RoleFault } from '../role.ts';
import type { CommandSlot } from './command-options.ts';
import { idRole } from './id.ts';
import { pathRole } from './path.ts';

/** What one word of a command may be, compiled. */
export interface WordCheck {
  judge(word: string): RoleFault | undefined;
  lookup?(word: JsonValue): Lookup | undefined;
  /** Whether a word in front of which a dash stands can be one that is meant: a negative number. */
  takesDash(word: string): boolean;
}

const decimal = /^-?(?:0|[1-9][0-9]{0,15})$/;

/** A line of a message; more is a document, and belongs in an argument of its own. */
const defaultTextLength = 1024;

export function compileSlot(slot: CommandSlot): WordCheck {
  const never = () => false;
  if (slot.int !== undefined) {
    const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = slot.int;
    return {
      judge(word) {
        if (!decimal.test(word) || word === '-0' || !Number.isSafeInteger(Number(word))) return notInteger;
        return Number(word) >= min && Number(word) <= max ? undefined : outOfRange;
      },
      takesDash: (word) => decimal.test(word),
    };
  }
  if (slot.enum !== undefined) {
    const words = new Set(slot.enum);
    return {
      judge: (word) => (words.has(word) ? undefined : notListed),
      takesDash: (word) => words.has(word),
    };
  }
  if (slot.text !== undefined) {
    const maxLength = slot.text.maxLength ?? defaultTextLength;
    return { judge: (word) => (word.length <= maxLength ? undefined : tooLong), takesDash: never };
  }
  if (slot.id !== undefined) {
    const role = idRole.compile(slot.id);
    return { judge: (word) => role.judge(word), takesDash: never };
  }
  if (slot.path === undefined) throw new TypeError('the schema lets only slots with one kind through');
  const role = pathRole.compile(slot.path);
  return {
    judge: (word) => role.judge(word),
    ...(role.lookup === undefined ? {} : { lookup: role.lookup }),
    takesDash: never,
  };
}

const notInteger: RoleFault = {
  fault: 'type',
  allow: 'send a whole number, or choose another kind than `int`',
};
const outOfRange: RoleFault = { fault: 'range', allow: 'widen `min` or `max` of `int`' };
const notListed: RoleFault = { fault: 'not-listed', allow: 'add the word to `enum`' };
const tooLong: RoleFault = { fault: 'too-long', allow: 'raise `maxLength` of `text`' };
