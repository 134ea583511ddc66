import type { Subject } from './access-request.ts';
import { rolesOf } from './bindings.ts';
import type { CompiledPolicy } from './model.ts';
import type { Priority } from './priority-names.ts';

export type { Priority } from './priority-names.ts';

/**
 * How much a caller matters when not all can be served: the highest priority of its roles. Who has no role may do nothing
 * and waits with the lowest.
 */
export function priorityOf(subject: Subject, policy: CompiledPolicy): Priority {
  let highest: Priority = 'low';
  for (const { priority } of rolesOf(subject, policy).roles) {
    if (priority === 'high') return 'high';
    if (priority === 'normal') highest = 'normal';
  }
  return highest;
}
