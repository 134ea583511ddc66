import { visible } from '../pins/visible.ts';
import { assumeRoles } from '../policy/assume-roles.ts';
import { rolesOf } from '../policy/bindings.ts';
import { type Explanation, explain } from '../policy/explain.ts';
import { formatExplanation } from '../policy/format-explanation.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import { own } from '../values/json.ts';
import { type RecordedRequest, readAuditRecords, recordedRequest } from './audit-records.ts';
import { methodOf } from './method-of.ts';

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

/** A decision of the past, and how many others the same id could have meant. */
export interface FoundRecord {
  readonly recorded: RecordedRequest;
  readonly others: number;
}

/**
 * Finds the first decision in audit files whose exchange id is the one given, or else whose trace id is. A caller chooses
 * its trace id, so one that is somebody's exchange id must not take its place, and several calls may have the same.
 *
 * @throws Error of the file system for a file that cannot be read
 */
export async function findRecord(id: string, files: readonly string[]): Promise<FoundRecord | undefined> {
  let [exchange, trace]: (RecordedRequest | undefined)[] = [];
  let [ofExchange, ofTrace] = [0, 0];
  for await (const record of readAuditRecords(files)) {
    const isExchange = own(record, 'exchange') === id;
    if (!isExchange && own(record, 'trace') !== id) continue;
    const found = recordedRequest(record);
    if (found === undefined) continue;
    if (isExchange) {
      exchange ??= found;
      ofExchange += 1;
    } else {
      trace ??= found;
      ofTrace += 1;
    }
  }
  if (exchange !== undefined) return { recorded: exchange, others: ofExchange - 1 };
  return trace === undefined ? undefined : { recorded: trace, others: ofTrace - 1 };
}

/** Whether redaction left something out of recorded arguments: a rule about it is put to another value than was sent. */
function isRedacted(recorded: RecordedRequest): boolean {
  return /\[(?:redacted|truncated)[\]:]/.test(JSON.stringify(recorded.request.context.arguments ?? {}));
}

export function explainRecord(recorded: RecordedRequest, policy: CompiledPolicy): RecordExplanation {
  const { request, roles } = recorded;
  const byId = new Set(rolesOf(request.subject, policy).roles.map(({ name }) => name));
  const subject = assumeRoles(request.subject, roles, policy);
  return {
    recorded,
    now: explain({ ...request, subject }, policy, methodOf(request)),
    rolesNotById: roles.filter((role) => !byId.has(role)),
    rolesGone: roles.filter((role) => !policy.parts.roles.has(role)),
  };
}

/** @param others see {@link FoundRecord} */
export function formatRecordExplanation(explained: RecordExplanation, others = 0): string {
  const { recorded, now, rolesNotById, rolesGone } = explained;
  const rule = recorded.rule === undefined ? '' : ` ${recorded.rule}`;
  const lines = [
    `THEN (${visible(recorded.time)}): ${recorded.effect}, ${visible(`${recorded.reason}${rule}`)}; it ended with ${visible(recorded.code)}`,
    `  roles: ${visible(recorded.roles.join(', '), 2000) || 'none'}`,
  ];
  if (others > 0) lines.push(`  the first of ${others + 1} decisions with this id`);
  if (isRedacted(recorded)) {
    lines.push(
      '  arguments: redacted in the record. What is said now of those that were left out is said of other values.',
    );
  }
  if (!recorded.withArguments) {
    lines.push('  arguments: not recorded (a rule with `audit: arguments` records them, redacted)');
  }
  if (rolesGone.length > 0)
    lines.push(`  roles that are no longer defined: ${visible(rolesGone.join(', '), 2000)}`);
  const unsure = rolesNotById.filter((role) => !rolesGone.includes(role));
  if (unsure.length > 0) {
    lines.push(
      `  roles that the id alone does not give today: ${visible(unsure.join(', '), 2000)} (given by claims or other names, which are ` +
        'not recorded, or the binding is gone)',
    );
  }
  lines.push(now.effect === recorded.effect ? 'NOW the same:' : 'NOW otherwise:');
  return `${lines.join('\n')}\n${formatExplanation(now)}`;
}
