import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { patternFault, resourcePatternFault } from './pattern.ts';

/** What a server offers, as a first policy names it. */
export interface Offered {
  readonly upstream: string;
  /** Name -> definition, as the server gives it. */
  readonly tools: ReadonlyMap<string, JsonObject>;
  readonly prompts: readonly string[];
  /** URIs in their normal form. */
  readonly resources: readonly string[];
}

/**
 * How much a tool may do, by its own word and by its name, whichever is worse. A server's hint never makes a tool
 * milder: annotations are not to be trusted (MCP 2025-03-26 and later, server/tools).
 */
export type Risk = 'reads' | 'changes' | 'dangerous';

/** A tool with its risk and why. */
export interface Judged {
  readonly name: string;
  readonly risk: Risk;
  readonly notes: readonly string[];
}

/** A description in a policy file has at most 1000 characters. */
const longestDescription = 1000;

/** Words in names of tools that run code, hand out secrets, move money, or cannot be taken back. */
const dangerousWords = new Set(
  (
    'delete remove drop destroy purge truncate wipe erase kill terminate shutdown exec execute run eval shell bash ' +
    'command cmd sudo admin root grant revoke password passwd secret secrets token tokens credential credentials key ' +
    'keys env environment deploy release publish pay payment transfer refund charge buy sell sql query script code ' +
    'impersonate reset rollback overwrite format'
  ).split(' '),
);

/** Words in names of tools that change something or send something out. */
const changingWords = new Set(
  (
    'write create update set put post send mail email message notify upload insert add edit modify patch move rename ' +
    'copy save store import merge push commit apply enable disable start stop restart assign invite share subscribe ' +
    'schedule cancel approve fetch download browse request http url web crawl'
  ).split(' '),
);

/** A first policy in which nothing is allowed yet, with every offer in a shadow rule beside what speaks against it. */
export function scaffoldPolicy(offered: Offered): {
  readonly document: JsonObject;
  readonly leftOut: readonly string[];
} {
  const { upstream } = offered;
  const leftOut: string[] = [];
  const judged: Judged[] = [];
  for (const [name, definition] of offered.tools) {
    if (isExactPattern(name, 'tool')) judged.push(judgeTool(name, definition));
    else leftOut.push(`tool ${JSON.stringify(name)}: no rule can name it`);
  }
  const roles: Record<string, JsonValue> = {};
  for (const risk of ['reads', 'changes', 'dangerous'] as const) {
    const allow = judged
      .filter((tool) => tool.risk === risk)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, notes }) => draft(upstream, 'tools', name, notes));
    if (allow.length > 0) roles[roleOf(upstream, risk)] = { description: descriptions[risk], allow };
  }
  for (const [role, member, names] of [
    ['prompts', 'prompts', offered.prompts],
    ['resources', 'resources', offered.resources],
  ] as const) {
    const kind = role === 'prompts' ? 'prompt' : 'resource';
    const fit = names.filter((name) => isExactPattern(name, kind)).sort();
    for (const name of names)
      if (!isExactPattern(name, kind)) leftOut.push(`${kind} ${JSON.stringify(name)}: no rule can name it`);
    if (fit.length > 0) {
      const notes =
        kind === 'prompt'
          ? ['its text reaches the model as an instruction']
          : ['its content reaches the model'];
      roles[roleOf(upstream, role)] = {
        description: `The ${role} that ${upstream} lists.`,
        allow: fit.map((name) => draft(upstream, member, name, notes)),
      };
    }
  }
  return { document: { version: 1, description: readMe(upstream), roles }, leftOut };
}

/** A role's name has at most 64 characters. An upstream's may have as many. */
function roleOf(upstream: string, what: string): string {
  return `${upstream.slice(0, 64 - 1 - what.length)}-${what}`;
}

function readMe(upstream: string): string {
  return (
    `A first policy for ${upstream}. Nothing is allowed by it: every rule is in shadow mode and no role is bound. ` +
    'Review the rules, delete what nobody needs, take away `mode: shadow` of the rest, and bind the roles.'
  );
}

const descriptions: Readonly<Record<Risk, string>> = {
  reads: 'Tools that say they only read, and whose names agree.',
  changes: 'Tools that may change or send something, or do not say that they only read.',
  dangerous: 'Tools that may destroy, run code, hand out secrets or move money.',
};

function draft(upstream: string, member: string, name: string, notes: readonly string[]): JsonObject {
  return {
    description: notes.join('; ').slice(0, longestDescription),
    [member]: [name],
    upstreams: [upstream],
    mode: 'shadow',
  };
}

/** Judges one tool by its annotations and its name. */
export function judgeTool(name: string, definition: JsonObject): Judged {
  const given = own(definition, 'annotations');
  const annotations = isJsonObject(given) ? given : {};
  const words = [...new Set(wordsOf(name))];
  const dangerous = words.filter((word) => dangerousWords.has(word));
  const changing = words.filter((word) => changingWords.has(word));
  const readOnly = own(annotations, 'readOnlyHint') === true;
  // The hints' own defaults are the worst case: destructive, and open to the world.
  const destructive = !readOnly && own(annotations, 'destructiveHint') !== false;
  const open = own(annotations, 'openWorldHint') !== false;
  const notes = [
    readOnly ? 'says that it only reads' : 'does not say that it only reads',
    ...(own(annotations, 'destructiveHint') === true ? ['says that it may destroy'] : []),
    ...(destructive && own(annotations, 'destructiveHint') === undefined
      ? ['does not say that it destroys nothing']
      : []),
    ...(open ? ['may reach the outside: mark it `untrusted` or `egress` under `tools:`'] : []),
    ...(dangerous.length > 0 ? [`its name says ${dangerous.join(', ')}`] : []),
    ...(changing.length > 0 ? [`its name says ${changing.join(', ')}`] : []),
  ];
  // Also beside a hint that it only reads: of two that contradict each other the worse one counts.
  const saysDanger = own(annotations, 'destructiveHint') === true;
  const risk: Risk =
    dangerous.length > 0 || saysDanger ? 'dangerous' : changing.length > 0 || !readOnly ? 'changes' : 'reads';
  return { name, risk, notes };
}

/** `deleteUserFile`, `delete_user-file`, `deleteUSERFile` -> delete, user, file. */
function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

function isExactPattern(name: string, kind: 'tool' | 'prompt' | 'resource'): boolean {
  if (name.includes('*') || patternFault(name) !== undefined) return false;
  return kind !== 'resource' || resourcePatternFault(name) === undefined;
}
