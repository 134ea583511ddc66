import type { Lookup, RoleFault } from '../role.ts';
import type { CommandShape } from './command-options.ts';
import { compileSlot, type WordCheck } from './command-slot.ts';

/** How far a command fits a shape: all the way, with what must be asked of the machine, or up to a word. */
export type Fit =
  | { readonly ok: true; readonly lookups: readonly Lookup[] }
  | { readonly ok: false; readonly reached: number; readonly fault: RoleFault };

export type ShapeMatcher = (words: readonly string[]) => Fit;

type OptionCheck = WordCheck | 'flag';

/**
 * Compiles one shape of `allow`.
 *
 * @param place of the shape in the policy, such as `allow[0]`, for who reads the refusal
 */
export function compileShape(shape: CommandShape, place: string): ShapeMatcher {
  const leading = shape.words.map((word) => new Set(typeof word === 'string' ? [word] : word));
  const options = new Map<string, OptionCheck>(
    Object.entries(shape.options ?? {}).map(([name, slot]) => [
      name,
      slot === 'flag' ? 'flag' : compileSlot(slot),
    ]),
  );
  const operands = compileOperands(shape.operands);
  const endOfOptions = shape.endOfOptions ?? true;
  const clusters = shape.clusters === true;

  const fault = (word: string, allow: string): RoleFault => ({ fault: word, allow: `${place}: ${allow}` });
  const undeclared = fault('option', 'add the option to `options`');
  const missing = fault('option-value', 'send the value of the option behind it');
  const unwanted = fault(
    'option-value',
    'send the option without a value, or say in `options` what its value is',
  );
  const dash = fault('leading-dash', 'send `--` before operands that begin with a dash');
  const noEnd = fault('end-of-options', 'set `endOfOptions: true`');
  const tooMany = fault('operands', 'raise `max` of `operands`, or add to their list');
  const tooFew = fault('operands', 'send all `operands`, or lower their `min`');

  return (words) => {
    const lookups: Lookup[] = [];
    let at = 0;
    let operand = 0;
    let ended = false;
    const stop = (reason: RoleFault): Fit => ({ ok: false, reached: at, fault: reason });
    const check = (slot: WordCheck, word: string, key: string): RoleFault | undefined => {
      const wrong = slot.judge(word);
      if (wrong !== undefined) return fault(wrong.fault, `\`${key}\`: ${wrong.allow}`);
      const lookup = slot.lookup?.(word);
      if (lookup !== undefined) lookups.push(lookup);
      return undefined;
    };

    for (const alternatives of leading) {
      const word = words[at];
      if (word === undefined || !alternatives.has(word)) return stop(noShape);
      at += 1;
    }
    for (; at < words.length; at++) {
      const word = words[at]!;
      if (!ended && word === '--') {
        if (!endOfOptions) return stop(noEnd);
        ended = true;
        continue;
      }
      const slot = operands.at(operand);
      if (!ended && word.startsWith('-') && !(slot?.takesDash(word) && !options.has(word))) {
        if (word === '-') return stop(dash);
        const read = readOption(word, options, clusters);
        if (read === undefined) return stop(undeclared);
        if (read.check === 'flag') {
          if (read.value !== undefined) return stop(unwanted);
          continue;
        }
        let value = read.value;
        if (value === undefined) {
          const next = words[at + 1];
          if (next === undefined) return stop(missing);
          // Programs differ in whether such a word is the value or the next option.
          if (next.startsWith('-') && !read.check.takesDash(next)) return stop(missing);
          value = next;
          at += 1;
        }
        const wrong = check(read.check, value, `options.${read.name}`);
        if (wrong !== undefined) return stop(wrong);
        continue;
      }
      if (slot === undefined) return stop(tooMany);
      const wrong = check(slot, word, operands.keyOf(operand));
      if (wrong !== undefined) return stop(wrong);
      operand += 1;
    }
    return operand < operands.min ? stop(tooFew) : { ok: true, lookups };
  };
}

export const noShape: RoleFault = {
  fault: 'no-shape',
  allow: 'add a shape whose `words` the command begins with to `allow`',
};

interface Operands {
  readonly min: number;
  at(index: number): WordCheck | undefined;
  keyOf(index: number): string;
}

function compileOperands(operands: CommandShape['operands']): Operands {
  if (operands === undefined) return { min: 0, at: () => undefined, keyOf: () => 'operands' };
  if (Array.isArray(operands)) {
    const slots = operands.map(compileSlot);
    return { min: slots.length, at: (index) => slots[index], keyOf: (index) => `operands[${index}]` };
  }
  const each = compileSlot(operands.each);
  const max = operands.max ?? 1;
  return {
    min: operands.min ?? 0,
    at: (index) => (index < max ? each : undefined),
    keyOf: () => 'operands.each',
  };
}

interface ReadOption {
  readonly name: string;
  readonly check: OptionCheck;
  /** The value where it stands in the same word. */
  readonly value: string | undefined;
}

/**
 * Finds the option that a word is: by its whole name, `--name=value`, or, where the program reads them, a cluster of
 * flags, the last of which may have its value attached. Names are never abbreviated.
 */
function readOption(
  word: string,
  options: ReadonlyMap<string, OptionCheck>,
  clusters: boolean,
): ReadOption | undefined {
  const whole = options.get(word);
  if (whole !== undefined) return { name: word, check: whole, value: undefined };
  const equals = word.indexOf('=');
  if (word.startsWith('--')) {
    const name = word.slice(0, equals);
    const check = equals < 0 ? undefined : options.get(name);
    return check === undefined ? undefined : { name, check, value: word.slice(equals + 1) };
  }
  if (!clusters) return undefined;
  for (let at = 1; at < word.length; at++) {
    const name = `-${word[at]}`;
    const check = options.get(name);
    if (check === undefined) return undefined;
    if (check === 'flag' && at < word.length - 1) continue;
    return { name, check, value: at < word.length - 1 ? word.slice(at + 1) : undefined };
  }
  return undefined;
}
