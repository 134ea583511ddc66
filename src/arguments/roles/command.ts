import type { JsonValue } from '../../values/json.ts';
import type { Lookup, Role, RoleFault, RoleKind } from '../role.ts';
import { type CommandOptions, commandOptions } from './command-options.ts';
import { compileShape, type Fit, noShape } from './command-shape.ts';
import { toFaults } from './faults.ts';
import { commandControl, type ShellFault, splitShellWords } from './shell-words.ts';

/** Because what is longer is a script, and its words are few all the same. */
const defaultMaxLength = 4096;

/** Bounds the work for one shape. */
const mostWords = 256;

export const commandRole = {
  name: 'command',
  options: commandOptions,
  compile(options: CommandOptions): Role {
    const maxLength = options.maxLength ?? defaultMaxLength;
    const shapes = options.allow.map((shape, at) => compileShape(shape, `\`allow[${at}]\``));

    function match(value: JsonValue): Fit {
      const words = wordsOf(value, maxLength);
      if ('fault' in words) return { ok: false, reached: 0, fault: words };
      if (words.length > mostWords) return { ok: false, reached: 0, fault: commandFaults['too-long'] };
      let best: Fit = { ok: false, reached: 0, fault: shapes.length === 0 ? commandFaults.denied : noShape };
      for (const shape of shapes) {
        const found = shape(words);
        if (found.ok) return found;
        // The shape that fits the longest is the one that was meant: its fault helps most.
        if (found.reached > best.reached) best = found;
      }
      return best;
    }

    return {
      name: 'command',
      secret: false,
      judge(value) {
        const found = match(value);
        return found.ok ? undefined : found.fault;
      },
      lookup(value) {
        const found = match(value);
        return found.ok ? joinLookups(found.lookups) : undefined;
      },
    };
  },
} satisfies RoleKind<typeof commandOptions>;

/** The words of a command: of a text as a shell splits it, or those of a list as they stand. */
function wordsOf(value: JsonValue, maxLength: number): readonly string[] | RoleFault {
  if (typeof value === 'string') {
    if (value.length > maxLength) return commandFaults['too-long'];
    const split = splitShellWords(value);
    return split.ok ? split.words : commandFaults[split.fault];
  }
  if (!Array.isArray(value)) return commandFaults.type;
  let length = 0;
  for (const word of value as readonly JsonValue[]) {
    if (typeof word !== 'string') return commandFaults.type;
    length += word.length;
    if (length > maxLength) return commandFaults['too-long'];
    if (commandControl.test(word)) return commandFaults.control;
  }
  return value.length === 0 ? commandFaults.empty : (value as readonly string[]);
}

/** Several questions as one: the first asks for the others too, and each judges its own share of the answers. */
function joinLookups(lookups: readonly Lookup[]): Lookup | undefined {
  const [first, ...others] = lookups.filter((lookup) => lookup.kind === 'real-path');
  if (first === undefined || others.length === 0) return first;
  const own = first.also?.length ?? 0;
  return {
    kind: 'real-path',
    path: first.path,
    also: [...(first.also ?? []), ...others.flatMap(({ path, also }) => [path, ...(also ?? [])])],
    judge(real, also) {
      const fault = first.judge(real, also?.slice(0, own));
      if (fault !== undefined) return fault;
      let from = own;
      for (const other of others) {
        const count = other.also?.length ?? 0;
        const wrong = other.judge(also?.[from], also?.slice(from + 1, from + 1 + count));
        if (wrong !== undefined) return wrong;
        from += 1 + count;
      }
      return undefined;
    },
  };
}

type CommandFault = ShellFault | 'denied' | 'too-long' | 'type';

const plainly =
  'shells act on this; send a plain command, with the character in single quotes where it is meant';

const commandFaults = toFaults<CommandFault>({
  assignment: 'variables for a command are never let through',
  brace: plainly,
  chaining: 'send one command; more than one is never let through',
  comment: plainly,
  control: 'control characters are never let through',
  denied: 'name the shapes that commands may have in `allow`',
  empty: 'send a command, or leave the argument out',
  escape: 'readers of commands differ here; use single quotes',
  expansion: plainly,
  glob: plainly,
  grouping: plainly,
  history: plainly,
  redirection: 'redirections are never let through; put `<` and `>` in single quotes where they are meant',
  tilde: 'write out the folder',
  'too-long': 'raise `maxLength`, or send fewer words',
  type: 'send text, or a list of words',
  'unterminated-quote': 'close the quotes',
  'white-space': 'separate words with plain spaces',
});
