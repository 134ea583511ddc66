import type { z } from 'zod';
import type { Role, RoleKind } from '../role.ts';
import { dateOptions } from './date-options.ts';
import { toFaults } from './faults.ts';
import { parseInstant } from './instant.ts';

const faults = toFaults({
  type: 'send text',
  'not-a-date': 'send a date such as 2026-01-31, or with a time 2026-01-31T12:00:00Z (RFC 3339)',
  'has-time': 'set `time: allow`',
  'needs-time': 'set `time: allow` to take plain dates too',
  'needs-offset': 'set `offset: allow`, or send Z or an offset such as +01:00',
  'has-offset': 'set `offset: allow`',
  'too-early': 'lower `min`',
  'too-late': 'raise `max`',
});

/** Dates and date-times as RFC 3339 writes them, upper case, that exist in the calendar. */
export const dateRole = {
  name: 'date',
  options: dateOptions,
  compile({ time, offset, min, max }: z.output<typeof dateOptions>): Role {
    const earliest = min === undefined ? Number.NEGATIVE_INFINITY : parseInstant(min)!.ms;
    const latest = max === undefined ? Number.POSITIVE_INFINITY : parseInstant(max)!.ms;
    return {
      name: 'date',
      secret: false,
      judge(value) {
        if (typeof value !== 'string') return faults.type;
        const instant = parseInstant(value);
        if (instant === undefined) return faults['not-a-date'];
        if (instant.hasTime) {
          if (time === 'never') return faults['has-time'];
          if (offset === 'require' && !instant.hasOffset) return faults['needs-offset'];
          if (offset === 'never' && instant.hasOffset) return faults['has-offset'];
        } else if (time === 'require') {
          return faults['needs-time'];
        }
        if (instant.ms < earliest) return faults['too-early'];
        return instant.ms > latest ? faults['too-late'] : undefined;
      },
    };
  },
} satisfies RoleKind<typeof dateOptions>;
