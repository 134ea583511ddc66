import type { z } from 'zod';
import { isLongerThan } from '../lengths.ts';
import type { Role, RoleKind } from '../role.ts';
import { toFaults } from './faults.ts';
import { secretOptions } from './secret-options.ts';

const faults = toFaults({
  type: 'send text',
  'too-long': 'raise `maxLength`',
});

/** Text that nothing may write down: no log, no metric, no audit record, no error. */
export const secretRole = {
  name: 'secret',
  options: secretOptions,
  compile({ maxLength }: z.output<typeof secretOptions>): Role {
    return {
      name: 'secret',
      secret: true,
      judge(value) {
        if (typeof value !== 'string') return faults.type;
        return isLongerThan(value, maxLength) ? faults['too-long'] : undefined;
      },
    };
  },
} satisfies RoleKind<typeof secretOptions>;
