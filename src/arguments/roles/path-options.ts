import { z } from 'zod';
import { judgeForm, type PathStyle } from './path-form.ts';
import { isAbsolutePath, restBelow, toComparable } from './path-tree.ts';

const folder = z
  .string()
  .max(4096)
  .refine(isFolder, { error: 'expected an absolute path in its canonical spelling, such as /workspace' });

export const pathOptions = z
  .strictObject({
    within: z
      .union([folder, z.array(folder).min(1).max(64)])
      .describe('The folder, or folders, that the path must lie in. Absolute, as the server sees them.'),
    mode: z
      .enum(['read', 'write'])
      .optional()
      .describe(
        'What the server does with it. Default `read`. With `mounted`, `write` refuses a link at the end.',
      ),
    style: z
      .enum(['any', 'posix', 'windows'])
      .optional()
      .describe(
        'How the server reads paths. Default `windows` where `within` has drive letters, else `any`: POSIX paths without what Windows would read as something else. `posix`: no Windows server reads them.',
      ),
    relative: z
      .enum(['allow', 'refuse'])
      .optional()
      .describe('Relative paths. Default `allow` where `base` is given, else `refuse`.'),
    base: folder
      .optional()
      .describe('The folder that the server takes relative paths from. Must lie in one of `within`.'),
    mounted: z
      .union([z.literal(true), folder, z.array(folder).min(1).max(64)])
      .optional()
      .describe(
        'The gateway sees the tree too: symbolic links are resolved. `true`: at the same place; else where, one for each of `within`.',
      ),
    hidden: z
      .enum(['allow', 'refuse'])
      .optional()
      .describe('Names below the folder that begin with a dot. Default `allow`.'),
    extensions: z
      .array(z.string().regex(/^\.?[A-Za-z0-9_][A-Za-z0-9_.+-]{0,31}$/))
      .min(1)
      .max(256)
      .optional()
      .describe('How the name must end, such as `.txt` or `tar.gz`; ASCII case does not matter.'),
    uri: z
      .boolean()
      .optional()
      .describe('`file:///` URIs are taken too, and decoded exactly once. Default `false`.'),
    maxLength: z.int().min(1).max(65_536).optional().describe('Bytes of UTF-8. Default 4096.'),
  })
  .superRefine((options, context) => {
    for (const [key, message] of optionFaults(options)) {
      context.addIssue({ code: 'custom', path: [key], message });
    }
  });

export type PathOptions = z.output<typeof pathOptions>;

function isFolder(text: string): boolean {
  const windows = isAbsolutePath(text, 'windows');
  if (!windows && !text.startsWith('/')) return false;
  if (!judgeForm(text, windows ? 'windows' : 'posix').ok) return false;
  return windows || text === '/' || !text.endsWith('/');
}

export function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

/** The style that is given, or that the spelling of the roots tells. */
export function styleOf({
  style,
  within,
}: {
  style?: PathStyle | undefined;
  within: PathOptions['within'];
}): PathStyle {
  return style ?? (isAbsolutePath(listOf(within)[0]!, 'windows') ? 'windows' : 'any');
}

/** What the shape alone cannot say of options. */
function optionFaults(options: PathOptions): [keyof PathOptions, string][] {
  const found: [keyof PathOptions, string][] = [];
  const roots = listOf(options.within);
  const style = styleOf(options);
  if (roots.some((root) => isAbsolutePath(root, 'windows') !== (style === 'windows'))) {
    found.push(['within', 'must have drive letters in `windows` style, and none in another']);
  } else if (roots.some((root) => !judgeForm(root, style).ok)) {
    found.push([
      'within',
      'has a name that Windows reads as something else: rename it, or set `style: posix`',
    ]);
  }
  if (options.base !== undefined) {
    const base = toComparable(options.base, style);
    const inside = roots.some((root) => restBelow(base, toComparable(root, style), style) !== undefined);
    if (!inside) found.push(['base', 'must lie in one of `within`']);
    if (options.relative === 'refuse') found.push(['base', 'is for relative paths, which are refused here']);
  }
  if (options.mounted !== undefined) {
    if (style === 'windows') found.push(['mounted', 'is for POSIX paths']);
    if (options.mounted !== true && listOf(options.mounted).length !== roots.length) {
      found.push(['mounted', 'must name one folder for each of `within`']);
    }
    if (options.relative === 'allow' && options.base === undefined && roots.length > 1) {
      found.push([
        'base',
        'must say which of `within` relative paths are taken from, or links cannot be followed',
      ]);
    }
  }
  return found;
}
