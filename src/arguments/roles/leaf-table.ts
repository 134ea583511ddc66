import type { RoleKind, RoleName } from '../role.ts';
import { base64Role, blobRole } from './base64.ts';
import { boolRole, enumRole } from './choice.ts';
import { cidrRole } from './cidr.ts';
import { commandRole } from './command.ts';
import { dateRole } from './date.ts';
import { emailRole } from './email.ts';
import { semverRole, uuidRole } from './format.ts';
import { idRole } from './id.ts';
import { intRole, numberRole } from './number.ts';
import { pathRole } from './path.ts';
import { secretRole } from './secret.ts';
import { sqlRole } from './sql.ts';
import { codeRole, markdownRole, textRole } from './text.ts';
import { urlRole } from './url.ts';

/** Every role but `json`, whose text may hold values with these roles. */
export const leafRoles = {
  path: pathRole,
  url: urlRole,
  id: idRole,
  int: intRole,
  number: numberRole,
  bool: boolRole,
  enum: enumRole,
  uuid: uuidRole,
  date: dateRole,
  email: emailRole,
  cidr: cidrRole,
  semver: semverRole,
  base64: base64Role,
  sql: sqlRole,
  command: commandRole,
  text: textRole,
  code: codeRole,
  markdown: markdownRole,
  blob: blobRole,
  secret: secretRole,
} as const satisfies Readonly<Record<Exclude<RoleName, 'json'>, RoleKind>>;

export type LeafRoleName = keyof typeof leafRoles;
