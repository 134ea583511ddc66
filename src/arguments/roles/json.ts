import type { z } from 'zod';
import { isJsonObject, type JsonValue } from '../../values/json.ts';
import { finish } from '../../values/steps.ts';
import { compileValues } from '../compile-values.ts';
import { judgeTree, type TreeLookup } from '../judge-tree.ts';
import type { Role, RoleFault, RoleKind } from '../role.ts';
import type { ArgumentNode } from '../tree.ts';
import { toFaults } from './faults.ts';
import { jsonOptions } from './json-options.ts';
import { type JsonTextFault, parseJsonText } from './json-text.ts';
import { leafRoles } from './leaf-table.ts';

const faults = toFaults<JsonTextFault | OwnFault>({
  type: 'send JSON as text',
  'too-large': 'raise `maxBytes`',
  'not-json': 'send JSON (RFC 8259)',
  'too-deep': 'raise `maxDepth`',
  'too-many-values': 'raise `maxValues`',
  'repeated-key': 'send each member of an object once',
  'forbidden-key': 'send no member named __proto__',
  'not-a-number': 'send numbers that a double can hold',
  'half-character': 'send whole characters, no halves of surrogate pairs',
  'not-an-object': 'send an object inside the text, or take away `args`',
  'unknown-member': 'name the member in `args`, or set `unknown: allow`',
  'too-many-lookups': 'ask for one lookup in the text at most',
});

type OwnFault = 'type' | 'too-large' | 'not-an-object' | 'unknown-member' | 'too-many-lookups';

/** JSON inside a text, of a bounded size, and by choice with roles for what is in it. */
export const jsonRole = {
  name: 'json',
  options: jsonOptions,
  compile(options: z.output<typeof jsonOptions>): Role {
    const { args, unknown } = options;
    const tree = args === undefined ? undefined : compileValues(args, leafRoles);
    return {
      name: 'json',
      secret: tree?.secret === true,
      judge: (value) => read(value, options, tree, unknown === 'refuse').fault,
      ...(tree === undefined
        ? {}
        : { lookup: (value) => read(value, options, tree, false).lookups[0]?.lookup }),
    };
  },
} satisfies RoleKind<typeof jsonOptions>;

interface Reading {
  readonly fault: RoleFault | undefined;
  readonly lookups: readonly TreeLookup[];
}

function read(
  text: JsonValue,
  options: z.output<typeof jsonOptions>,
  tree: ArgumentNode | undefined,
  closed: boolean,
): Reading {
  if (typeof text !== 'string') return refused(faults.type);
  if (text.length > options.maxBytes || Buffer.byteLength(text, 'utf8') > options.maxBytes) {
    return refused(faults['too-large']);
  }
  const parsed = parseJsonText(text, options);
  if (!parsed.ok) return refused(faults[parsed.fault]);
  if (tree === undefined) return { fault: undefined, lookups: [] };
  const { value } = parsed;
  if (!isJsonObject(value)) return refused(faults['not-an-object']);
  if (closed && Object.keys(value).some((key) => !tree.keys.has(key))) {
    return refused(faults['unknown-member']);
  }
  const lookups: TreeLookup[] = [];
  const fault = finish(judgeTree(tree, value, false, lookups));
  if (fault !== undefined) {
    return refused({
      fault: fault.fault,
      allow: `${fault.path} in the text (${fault.role}): ${fault.allow}`,
    });
  }
  return lookups.length > 1 ? refused(faults['too-many-lookups']) : { fault: undefined, lookups };
}

function refused(fault: RoleFault): Reading {
  return { fault, lookups: [] };
}
