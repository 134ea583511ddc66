import type { PathStyle } from './path-form.ts';

/** A folder below which paths may lie. */
export interface Tree {
  /** As paths are compared: no separator at the end, in Windows style lower-case ASCII with backslashes. */
  readonly root: string;
  /** Where the gateway sees the folder; undefined where it does not. */
  readonly mounted: string | undefined;
}

/** Trees of the kernel: their links lead anywhere (`/proc/self/root`), and reading may act. */
const kernelTrees = ['/proc', '/dev', '/sys'];

export function isAbsolutePath(text: string, style: PathStyle): boolean {
  return style === 'windows' ? /^[A-Za-z]:[/\\]/.test(text) : text.startsWith('/');
}

/**
 * A path as it is compared with roots. File systems of Windows fold case by tables of their own: only ASCII is folded
 * here, since a Kelvin sign that passes for a `k` would open a folder beside the tree.
 */
export function toComparable(text: string, style: PathStyle): string {
  const comparable =
    style === 'windows'
      ? text.replaceAll('/', '\\').replace(/[A-Z]/g, (letter) => letter.toLowerCase())
      : text;
  return comparable.endsWith(style === 'windows' ? '\\' : '/') ? comparable.slice(0, -1) : comparable;
}

/**
 * What of a path lies below a root, on the boundary of a segment: `/workspace2` is not within `/workspace`.
 *
 * @returns empty for the root itself, else beginning with a separator; undefined where the path is not within
 */
export function restBelow(path: string, root: string, style: PathStyle): string | undefined {
  if (!path.startsWith(root)) return undefined;
  const rest = path.slice(root.length);
  return rest === '' || rest.startsWith(style === 'windows' ? '\\' : '/') ? rest : undefined;
}

/** Whether a path lies in a tree of the kernel that no root names. */
export function isInKernelTree(path: string, trees: readonly Tree[]): boolean {
  return kernelTrees.some(
    (kernel) =>
      restBelow(path, kernel, 'posix') !== undefined &&
      !trees.some(({ root }) => restBelow(root, kernel, 'posix') !== undefined),
  );
}
