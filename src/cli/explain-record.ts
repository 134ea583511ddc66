import { assumeRoles } from '../policy/assume-roles.ts';
import { rolesOf } from '../policy/bindings.ts';
import { type Explanation, explain } from '../policy/explain.ts';
import { formatExplanation } from '../policy/format-explanation.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import { own } from '../values/json.ts';
import { type RecordedRequest, readAuditRecords, recordedRequest } from './audit-records.ts';

/** What was decided then, and what the policies of now say to the same. */
export interface RecordExplanation {
  readonly recorded: RecordedRequest;
  /** With the roles of then: claims, by which bindings may give roles, are not recorded. */
  readonly now: Explanation;
  /** Roles of then that the caller's id alone does not give today. */
  readonly rolesNotById: readonly string[];
  /** Roles of then that the policies no longer define. */
  readonly rolesGone: readonly string[];
}

/**
 * Finds the first decision in audit files whose exchange id, or trace id, is the one given.
 *
 * @throws Error of the file system for a file that cannot be read
 */
export async function findRecord(id: string, files: readonly string[]): Promise<RecordedRequest | undefined> {
  for await (const record of readAuditRecords(files)) {
    if (own(record, 'exchange') !== id && own(record, 'trace') !== id) continue;
    const found = recordedRequest(record);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function explainRecord(recorded: RecordedRequest, policy: CompiledPolicy): RecordExplanation {
  const { request, roles } = recorded;
  const byId = new Set(rolesOf(request.subject, policy).roles.map(({ name }) => name));
  const subject = assumeRoles(request.subject, roles, policy);
  return {
    recorded,
    now: explain({ ...request, subject }, policy),
    rolesNotById: roles.filter((role) => !byId.has(role)),
    rolesGone: roles.filter((role) => !policy.parts.roles.has(role)),
  };
}

export function formatRecordExplanation(explained: RecordExplanation): string {
  const { recorded, now, rolesNotById, rolesGone } = explained;
  const rule = recorded.rule === undefined ? '' : ` ${recorded.rule}`;
  const lines = [
    `THEN (${recorded.time}): ${recorded.effect}, ${recorded.reason}${rule}; it ended with ${recorded.code}`,
    `  roles: ${recorded.roles.join(', ') || 'none'}`,
  ];
  if (!recorded.withArguments) {
    lines.push('  arguments: not recorded (a rule with `audit: arguments` records them, redacted)');
  }
  if (rolesGone.length > 0) lines.push(`  roles that are no longer defined: ${rolesGone.join(', ')}`);
  const unsure = rolesNotById.filter((role) => !rolesGone.includes(role));
  if (unsure.length > 0) {
    lines.push(
      `  roles that the id alone does not give today: ${unsure.join(', ')} (given by claims or other names, which are ` +
        'not recorded, or the binding is gone)',
    );
  }
  lines.push(now.effect === recorded.effect ? 'NOW the same:' : 'NOW otherwise:');
  return `${lines.join('\n')}\n${formatExplanation(now)}`;
}
