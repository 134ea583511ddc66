import type { Config } from '../config/schema.ts';
import { readPlainFile } from '../document/plain-file.ts';
import { type ApiKeyEntry, parseApiKeyFile } from '../identity/api-key-file.ts';
import type { PolicyWarning } from '../policy/lint/warning.ts';

/** Leaves out warnings of roles that no binding gives, where a key of the configured key files gives them. */
export function withoutRolesOfKeys(
  warnings: readonly PolicyWarning[],
  config: Config,
): readonly PolicyWarning[] {
  if (!warnings.some(({ code }) => code === 'role-unbound')) return warnings;
  const given = new Set(keysOf(config).flatMap(({ roles = [] }) => roles.map((role) => `roles.${role}`)));
  return warnings.filter(({ code, path }) => code !== 'role-unbound' || !given.has(path));
}

/** The roles that the key files give to the newest key of a name; a rotation writes it last. */
export function rolesOfKey(name: string, config: Config): readonly string[] {
  return keysOf(config).findLast((key) => key.name === name)?.roles ?? [];
}

/** A key file that cannot be read is somebody else's to tell of, and has no key. */
function keysOf({ identity }: Config): readonly ApiKeyEntry[] {
  return identity.flatMap(({ apiKeys }) => {
    if (apiKeys === undefined) return [];
    try {
      const parsed = parseApiKeyFile({ file: apiKeys.file, text: readPlainFile(apiKeys.file) });
      return parsed.ok ? parsed.value.keys : [];
    } catch {
      return [];
    }
  });
}
