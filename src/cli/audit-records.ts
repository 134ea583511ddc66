import { methodRow } from '../mcp/methods.ts';
import { isRevision } from '../mcp/revision.ts';
import type { AccessRequest, Action, ResourceKind } from '../policy/access-request.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { readAuditLines } from './audit-lines.ts';
import { isCut, recordedSubject } from './recorded-subject.ts';

/** One decision of the past, as an audit record tells it. */
export interface RecordedRequest {
  /** What policy was asked. Claims and names of the caller beyond its id are not in a record. */
  readonly request: AccessRequest;
  /** Roles that the caller had then. */
  readonly roles: readonly string[];
  readonly effect: 'allow' | 'deny';
  /** The reason word of then, and its rule. */
  readonly reason: string;
  readonly rule: string | undefined;
  /** How the exchange ended: `ok`, `denied`, … */
  readonly code: string;
  readonly time: string;
  readonly exchange: string | undefined;
  /** Whether the record has the arguments, redacted as they are. */
  readonly withArguments: boolean;
}

/** Reads audit files one after the other. @throws Error of the file system */
export async function* readAuditRecords(files: readonly string[]): AsyncGenerator<JsonObject> {
  for (const file of files) yield* readAuditLines(file);
}

/** @returns undefined for records that hold no decision: refusals before policy was reached, changed definitions */
export function recordedRequest(record: JsonObject): RecordedRequest | undefined {
  const who = own(record, 'who');
  const id = isJsonObject(who) ? textOf(own(who, 'id')) : undefined;
  const upstream = textOf(own(record, 'upstream'));
  const settled = settlementOf(record);
  if (id === undefined || upstream === undefined || settled === undefined) return undefined;
  const subject = recordedSubject(id);
  const about = targetOf(record);
  if (subject === undefined || about === undefined) return undefined;
  const from = own(record, 'from');
  const args = own(record, 'arguments');
  const time = textOf(own(record, 'time')) ?? '';
  return {
    request: {
      subject,
      action: about.action,
      resource: {
        upstream,
        kind: about.kind,
        name: about.name,
        ...(about.implied ? { implied: true } : {}),
      },
      context: {
        arguments: isJsonObject(args) ? args : undefined,
        address: (isJsonObject(from) ? textOf(own(from, 'address')) : undefined) ?? '',
        time: Date.parse(time) || 0,
      },
    },
    roles: textsOf(own(record, 'roles')),
    ...settled,
    code: textOf(own(record, 'code')) ?? '',
    time,
    exchange: textOf(own(record, 'exchange')),
    withArguments: isJsonObject(args),
  };
}

/** A question's record repeats the decision on the call that it came with; its own is told by its code and rule. */
function settlementOf(record: JsonObject): Pick<RecordedRequest, 'effect' | 'reason' | 'rule'> | undefined {
  const question = own(record, 'question');
  if (isJsonObject(question)) {
    const effect = own(record, 'code') === 'ok' ? 'allow' : 'deny';
    return { effect, reason: 'question', rule: textOf(own(question, 'rule')) };
  }
  const decision = own(record, 'decision');
  const effect = isJsonObject(decision) ? own(decision, 'effect') : undefined;
  if (!isJsonObject(decision) || (effect !== 'allow' && effect !== 'deny')) return undefined;
  return { effect, reason: textOf(own(decision, 'reason')) ?? '', rule: textOf(own(decision, 'rule')) };
}

interface RecordedTarget {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly action: Action;
  readonly implied: boolean;
}

const kinds: ReadonlySet<string> = new Set<ResourceKind>(['tool', 'resource', 'prompt', 'method']);

/** What the record is about. The action is the one that the method's row in the protocol's table gives. */
function targetOf(record: JsonObject): RecordedTarget | undefined {
  const question = own(record, 'question');
  if (isJsonObject(question)) {
    const method = textOf(own(question, 'method'));
    return method === undefined ? undefined : { kind: 'method', name: method, action: 'ask', implied: false };
  }
  const target = own(record, 'target');
  if (!isJsonObject(target)) return undefined;
  const kind = textOf(own(target, 'kind'));
  const name = textOf(own(target, 'name'));
  // Of a name that was cut nobody knows whose it was.
  if (kind === undefined || name === undefined || !kinds.has(kind) || isCut(name)) return undefined;
  const method = textOf(own(record, 'method'));
  const revision = own(record, 'revision');
  const row =
    method === undefined || !isRevision(revision)
      ? undefined
      : (methodRow(method, revision, 'toUpstream', 'request') ??
        methodRow(method, revision, 'toUpstream', 'notification'));
  if (kind === 'method') {
    // Streams, session ends and housekeeping reveal nothing of their own: see `AccessRequest.resource.implied`.
    const implied = row === undefined || row.access === 'implied' || row.access === 'free';
    return { kind, name, action: row?.access === 'target' ? 'use' : (row?.action ?? 'use'), implied };
  }
  return row === undefined
    ? undefined
    : { kind: kind as ResourceKind, name, action: row.action, implied: false };
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value)
    ? (value as readonly JsonValue[]).filter((item) => typeof item === 'string')
    : [];
}
