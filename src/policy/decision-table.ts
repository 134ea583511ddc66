import { canonicalText } from '../arguments/value-hash.ts';
import { suggestion } from '../document/did-you-mean.ts';
import { parseDocument } from '../document/parse-document.ts';
import type { Problem } from '../document/problems.ts';
import type { JsonObject } from '../values/json.ts';
import type { AccessRequest, Action, ResourceKind, Subject, SubjectCredential } from './access-request.ts';
import type { CompiledPolicy, PolicySource } from './compile.ts';
import { formatFault, formatReason } from './format-explanation.ts';
import { type CallJudgement, judgeCall } from './judge-call.ts';
import { type DecisionTableDocument, decisionTableDocument, type TableCase } from './table-document.ts';

export type TableResult =
  | {
      readonly ok: true;
      /** Cases that came out as expected. */
      readonly passed: number;
      /** One for each other case, at its line in the table. */
      readonly failures: readonly Problem[];
    }
  /** The file is no decision table. */
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Noon of a Thursday, UTC: inside what most people mean by working hours, and always the same. */
const defaultTime = Date.UTC(2026, 0, 1, 12);

/**
 * Runs one decision table (`policies/tests/*.yaml`) against a compiled policy. Pure: the same text and policy give the
 * same result on every machine and day.
 */
export function runDecisionTable(source: PolicySource, policy: CompiledPolicy): TableResult {
  const parsed = parseDocument(source, decisionTableDocument, { exactNumbers: true });
  if (!parsed.ok) return { ok: false, problems: parsed.problems };
  const subjects = new Map<string, Subject>();
  for (const [name, document] of Object.entries(parsed.value.subjects)) {
    subjects.set(name, { id: document.id ?? name, credentials: toCredentials(document) });
  }
  const failures: Problem[] = [];
  for (const [index, row] of parsed.value.cases.entries()) {
    const subject = subjects.get(row.as);
    const wrong =
      subject === undefined
        ? [`there is no subject "${row.as}"${suggestion(row.as, subjects.keys())}`]
        : disagreements(row, judgeCall(toRequest(row, subject), policy));
    if (wrong.length === 0) continue;
    failures.push({
      ...parsed.locate(['cases', index]),
      path: `cases[${index}]`,
      message: `${row.name}: ${wrong.join('; ')}`,
    });
  }
  return { ok: true, passed: parsed.value.cases.length - failures.length, failures };
}

function disagreements(row: TableCase, { effect, decision, content }: CallJudgement): readonly string[] {
  const { fault, wouldRefuse = [], args } = content?.judgement ?? {};
  const first = decision.reasons[0];
  const reason = fault === undefined ? first.code : 'arguments-refused';
  const rules = fault === undefined ? decision.reasons.map(({ rule }) => rule) : [fault.rule];
  const wrong: string[] = [];
  if (effect !== row.expect) wrong.push(`expected ${row.expect}`);
  if (row.reason !== undefined && reason !== row.reason) wrong.push(`expected the reason ${row.reason}`);
  if (row.rule !== undefined && !rules.includes(row.rule)) wrong.push(`expected the rule ${row.rule}`);
  if (row.argument !== undefined && fault?.path !== row.argument) {
    wrong.push(`expected the argument ${row.argument}`);
  }
  if (row.shadow !== undefined && !wouldRefuse.some(({ rule }) => rule === row.shadow)) {
    wrong.push(`expected the shadow rule ${row.shadow}`);
  }
  if (row.sent !== undefined) {
    const [sent, expected] = [args ?? row.args ?? {}, row.sent].map((value) =>
      canonicalText(value as JsonObject),
    );
    if (sent !== expected) wrong.push(`expected other arguments to be sent than ${sent}`);
  }
  if (row.visible !== undefined && decision.visible !== row.visible) {
    wrong.push(`expected it to be ${row.visible ? 'visible' : 'hidden'}`);
  }
  if (wrong.length === 0) return [];
  return [...wrong, `it says ${effect}, ${fault === undefined ? formatReason(first) : formatFault(fault)}`];
}

const defaultActions: Readonly<Record<ResourceKind, Action>> = {
  tool: 'call',
  resource: 'read',
  prompt: 'get',
  method: 'use',
};

function toRequest(row: TableCase, subject: Subject): AccessRequest {
  const kind: ResourceKind =
    row.tool !== undefined
      ? 'tool'
      : row.resource !== undefined
        ? 'resource'
        : row.prompt !== undefined
          ? 'prompt'
          : 'method';
  const name = row.tool ?? row.resource ?? row.prompt ?? row.method ?? '';
  return {
    subject,
    action: row.action ?? defaultActions[kind],
    resource: {
      upstream: row.upstream,
      kind,
      name,
      ...(row.implied === true ? { implied: true } : {}),
    },
    context: {
      arguments: row.args,
      address: row.from,
      time: row.at === undefined ? defaultTime : Date.parse(row.at),
    },
  };
}

function toCredentials(document: DecisionTableDocument['subjects'][string]): readonly SubjectCredential[] {
  const credentials: SubjectCredential[] = [];
  const { certificate, token, apiKey, anonymous } = document;
  if (certificate !== undefined) {
    credentials.push({
      kind: 'certificate',
      uris: certificate.uri ?? [],
      dns: certificate.dns ?? [],
      commonName: certificate.cn,
      fingerprint256: certificate.fingerprint?.replaceAll(':', '').toLowerCase() ?? '',
    });
  }
  if (token !== undefined) {
    const { issuer, subject, claims } = token;
    const { client, bound } = token;
    const scopes = token.scopes ?? [];
    credentials.push({ kind: 'token', issuer, subject, scopes, claims, clientId: client, bound });
  }
  if (typeof apiKey === 'string') credentials.push({ kind: 'apiKey', name: apiKey });
  else if (apiKey !== undefined) credentials.push({ kind: 'apiKey', ...apiKey });
  if (anonymous !== undefined) credentials.push({ kind: 'anonymous' });
  return credentials;
}
