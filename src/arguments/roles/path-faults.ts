import { toFaults } from './faults.ts';
import type { FormFault } from './path-form.ts';

const spelling =
  'send the path as the server spells it; a rewrite `normalize: path` can do it where it is harmless';
const plainly = 'write the name without encodings and look-alike characters';
const forWindows = 'set `style: posix` where no Windows server reads the path';

/** Why a path is refused: its spelling, or where it leads. */
export type PathFault =
  | FormFault
  | 'extension'
  | 'final-link'
  | 'hidden'
  | 'kernel-tree'
  | 'outside-tree'
  | 'relative'
  | 'too-long'
  | 'type'
  | 'unresolved';

export const pathFaults = toFaults<PathFault>({
  backslash: 'separate folders with `/`, or set `style: windows`',
  character: 'Windows has no such names; set `style: posix` where no Windows server reads the path',
  control: 'control characters are never let through',
  'device-name': forWindows,
  drive: 'set `style: windows` and name drives in `within`',
  empty: 'send a path, or leave the argument out',
  encoded: plainly,
  extension: 'add the ending to `extensions`',
  'final-link': 'name the file itself and not a link to it, or set `mode: read`',
  hidden: 'set `hidden: allow`',
  home: 'write out the folder; `./~name` is a file of that name',
  'kernel-tree': 'name the folder of the kernel in `within`',
  'leading-dash': 'write `./-name`',
  'look-alike': plainly,
  'not-canonical': spelling,
  'outside-tree': 'name a path in one of the folders of `within`, or add its folder there',
  parent: 'name the path without `..`',
  quoted: 'send the path without quotes',
  relative: 'send an absolute path, or set `base` or `relative: allow`',
  stream: forWindows,
  'too-long': 'raise `maxLength`',
  'trailing-dot': forWindows,
  type: 'send text',
  unc: 'paths on other hosts are never let through',
  unresolved: 'the tree named by `mounted` must be there and readable for the gateway',
  uri: 'send a path, or set `uri: true` for plain `file:///` URIs',
  variable: 'write out the path; variables are for whoever knows their values',
  'white-space': 'send the path without white space at its ends, and no name of nothing else',
});
