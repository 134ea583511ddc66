import isSemVer from 'validator/lib/isSemVer.js';
import isUUID from 'validator/lib/isUUID.js';
import type { z } from 'zod';
import type { Role, RoleKind } from '../role.ts';
import { toFaults } from './faults.ts';
import { semverOptions, uuidOptions } from './format-options.ts';

const faults = toFaults({
  type: 'send text',
  'not-a-uuid': 'send a UUID of 36 characters, without braces or prefix',
  version: 'add the version to `versions`',
  'not-a-version': 'send a version such as 1.2.3 (SemVer 2.0.0)',
  'leading-v': 'set `leadingV: true`',
  prerelease: 'set `prerelease: allow`',
});

/** UUIDs in their text form (RFC 9562), in either case. */
export const uuidRole = {
  name: 'uuid',
  options: uuidOptions,
  compile({ versions }: z.output<typeof uuidOptions>): Role {
    const allowed = versions?.map(String);
    return {
      name: 'uuid',
      secret: false,
      judge(value) {
        if (typeof value !== 'string') return faults.type;
        if (value.length !== 36 || !isUUID.default(value, 'all')) return faults['not-a-uuid'];
        return allowed === undefined || allowed.includes(value[14]!) ? undefined : faults.version;
      },
    };
  },
} satisfies RoleKind<typeof uuidOptions>;

/** No honest version is longer, and longer text would only be read for nothing. */
const longestVersion = 256;

/** Semantic versions (SemVer 2.0.0). */
export const semverRole = {
  name: 'semver',
  options: semverOptions,
  compile({ leadingV, prerelease }: z.output<typeof semverOptions>): Role {
    return {
      name: 'semver',
      secret: false,
      judge(value) {
        if (typeof value !== 'string') return faults.type;
        if (value.length > longestVersion) return faults['not-a-version'];
        const version = value.startsWith('v') ? value.slice(1) : value;
        if (!isSemVer.default(version)) return faults['not-a-version'];
        if (version !== value && !leadingV) return faults['leading-v'];
        return prerelease === 'refuse' && /^[0-9.]+-/.test(version) ? faults.prerelease : undefined;
      },
    };
  },
} satisfies RoleKind<typeof semverOptions>;
