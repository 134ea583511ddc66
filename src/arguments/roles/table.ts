import type { RoleKind, RoleName } from '../role.ts';
import { jsonRole } from './json.ts';
import { leafRoles } from './leaf-table.ts';

/** THE TABLE of roles: what an argument may be declared to be. */
export const roles = { ...leafRoles, json: jsonRole } as const satisfies Readonly<Record<RoleName, RoleKind>>;

/** In the order of the table. */
export const roleNames = Object.keys(roles) as readonly RoleName[];
