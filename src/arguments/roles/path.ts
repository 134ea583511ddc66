import type { JsonValue } from '../../values/json.ts';
import type { Lookup, Role, RoleFault, RoleKind } from '../role.ts';
import { pathFaults } from './path-faults.ts';
import { judgeForm, type PathStyle } from './path-form.ts';
import { listOf, type PathOptions, pathOptions, styleOf } from './path-options.ts';
import { decodePercent } from './path-readings.ts';
import { isAbsolutePath, isInKernelTree, restBelow, type Tree, toComparable } from './path-tree.ts';

/** Because Linux opens none that is longer. */
const defaultMaxLength = 4096;

export const pathRole = {
  name: 'path',
  options: pathOptions,
  compile(options: PathOptions): Role {
    const style = styleOf(options);
    const trees = treesOf(options, style);
    const base = options.base === undefined ? trees[0]!.root : toComparable(options.base, style);
    const relative = options.relative ?? (options.base === undefined ? 'refuse' : 'allow');
    const maxLength = options.maxLength ?? defaultMaxLength;

    const judgesNames = options.hidden === 'refuse' || options.extensions !== undefined;

    function locate(value: JsonValue): Place | RoleFault {
      if (typeof value !== 'string') return pathFaults.type;
      if (isLonger(value, maxLength)) return pathFaults['too-long'];
      const text = options.uri === true && /^file:/i.test(value) ? pathOfUri(value, style) : value;
      if (text === undefined) return pathFaults.uri;
      const form = judgeForm(text, style);
      if (!form.ok) return pathFaults[form.fault];
      if (!isAbsolutePath(text, style)) {
        if (/^[/\\]/.test(text)) return pathFaults.drive;
        if (relative === 'refuse') return pathFaults.relative;
      }
      const place = placeOf(toAbsolute(text, base, style), trees, style);
      if (!isPlace(place)) return place;
      if (!judgesNames) return place;
      const names = segmentsOf(place.rest).length;
      for (const reading of form.readings) {
        const fault = nameFault(segmentsOf(reading.text).slice(-names), options);
        if (fault !== undefined) return pathFaults[fault];
      }
      return place;
    }

    const role: Role = {
      name: 'path',
      secret: false,
      judge(value) {
        const place = locate(value);
        return isPlace(place) ? undefined : place;
      },
    };
    if (options.mounted === undefined) return role;
    return {
      ...role,
      lookup(value) {
        const place = locate(value);
        return isPlace(place) ? realPathLookup(place, trees, options) : undefined;
      },
    };
  },
} satisfies RoleKind<typeof pathOptions>;

/** Whether a text has more bytes; a character has at most three for each of its units. */
function isLonger(text: string, bytes: number): boolean {
  if (text.length * 3 <= bytes) return false;
  return text.length > bytes || Buffer.byteLength(text) > bytes;
}

/** Where a path leads: into which tree, and to what below its root. */
interface Place {
  readonly tree: Tree;
  /** Empty for the root itself, else beginning with a separator. */
  readonly rest: string;
}

function isPlace(place: Place | RoleFault): place is Place {
  return 'tree' in place;
}

function placeOf(path: string, trees: readonly Tree[], style: PathStyle): Place | RoleFault {
  for (const tree of trees) {
    const rest = restBelow(path, tree.root, style);
    if (rest === undefined) continue;
    return style !== 'windows' && isInKernelTree(path, trees) ? pathFaults['kernel-tree'] : { tree, rest };
  }
  return pathFaults['outside-tree'];
}

/** A relative path of canonical form stays below whatever folder it is taken from, so any root will do. */
function toAbsolute(text: string, base: string, style: PathStyle): string {
  const path = toComparable(text, style);
  if (isAbsolutePath(text, style)) return path;
  const name = path === '.' ? '' : path.replace(/^\.[/\\]/, '');
  return name === '' ? base : `${base}${style === 'windows' ? '\\' : '/'}${name}`;
}

/** The names of a path: without its separators, and without the `.` that a relative one may begin with. */
function segmentsOf(path: string): readonly string[] {
  return path.split(/[/\\]/).filter((segment) => segment !== '' && segment !== '.');
}

/** Short names of Windows: `GIT~1` is `.git`, `EVIL~1.TXT` may end in anything. */
const shortName = /^[^.]{1,8}~[0-9]+(?:\..{0,3})?$/;

function nameFault(
  names: readonly string[],
  { hidden, extensions, style }: PathOptions,
): 'hidden' | 'extension' | undefined {
  const short = style !== 'posix' && names.some((name) => shortName.test(name));
  if (hidden === 'refuse' && (short || names.some((name) => name.startsWith('.')))) return 'hidden';
  if (extensions === undefined) return undefined;
  const last = names.at(-1)?.toLowerCase() ?? '';
  const fits = extensions.some((extension) => {
    const ending = `.${extension.replace(/^\./, '').toLowerCase()}`;
    return last.length > ending.length && last.endsWith(ending);
  });
  return fits && !short ? undefined : 'extension';
}

/**
 * Containment once more, on real paths: the tree's own roots may be links too. A root that is not there would make every
 * answer a guess, so roots are asked as folders that must exist.
 */
function realPathLookup(place: Place, trees: readonly Tree[], options: PathOptions): Lookup {
  const path = `${place.tree.mounted}${place.rest}` || '/';
  const cut = path.lastIndexOf('/');
  const judgesLink = options.mode === 'write' && place.rest !== '';
  return {
    kind: 'real-path',
    path,
    also: [...trees.map(({ mounted }) => `${mounted}/`), ...(judgesLink ? [path.slice(0, cut) || '/'] : [])],
    judge(real, also) {
      if (real === undefined || also === undefined) return pathFaults.unresolved;
      const roots = trees.flatMap(({ mounted }, at) => {
        const root = also[at];
        return root === undefined ? [] : [{ root: toComparable(root, 'posix'), mounted }];
      });
      const found = placeOf(toComparable(real, 'posix'), roots, 'posix');
      if (!isPlace(found)) return roots.length === 0 ? pathFaults.unresolved : found;
      if (judgesLink) {
        const parent = also[trees.length];
        if (parent === undefined) return pathFaults.unresolved;
        if (real !== `${toComparable(parent, 'posix')}${path.slice(cut)}`) return pathFaults['final-link'];
      }
      const fault = nameFault(segmentsOf(found.rest), options);
      return fault === undefined ? undefined : pathFaults[fault];
    },
  };
}

/** The path in a `file:///` URI, decoded once; undefined where it is none, or readers of URIs would disagree. */
function pathOfUri(uri: string, style: PathStyle): string | undefined {
  const match = /^file:\/\/(\/[^?#\\]*)$/.exec(uri);
  // What an escape hides from one reader of URIs, another sees: dots and separators must be written out.
  if (match === null || /%(?:2[ef]|5c|00)/i.test(uri)) return undefined;
  const path = decodePercent(match[1]!);
  return style === 'windows' && path !== undefined && /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}

function treesOf({ within, mounted }: PathOptions, style: PathStyle): readonly Tree[] {
  const trees = listOf(within).map((root, at) => {
    const place = mounted === undefined || mounted === true ? root : listOf(mounted)[at]!;
    return { root: toComparable(root, style), mounted: toComparable(place, 'posix') };
  });
  // The innermost first: a folder inside another may be mounted elsewhere.
  return trees.sort((a, b) => b.root.length - a.root.length);
}
