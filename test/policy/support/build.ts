import { formatProblem } from '../../../src/document/problems.ts';
import type { AccessRequest, Decision, SubjectCredential } from '../../../src/policy/access-request.ts';
import { type CompiledPolicy, compilePolicy } from '../../../src/policy/compile.ts';
import { decide } from '../../../src/policy/decide.ts';

/** Compiles YAML texts, the first as `a.yaml`, the second as `b.yaml` …; throws with all problems. */
export function policyOf(...texts: readonly string[]): CompiledPolicy {
  const sources = texts.map((text, index) => ({ file: `${'abcdefgh'[index]}.yaml`, text }));
  const compiled = compilePolicy(sources);
  if (!compiled.ok) throw new Error(compiled.problems.map(formatProblem).join('\n'));
  return compiled.policy;
}

/** The problems of one or more files, formatted; empty where they compile. */
export function problemsOf(...texts: readonly string[]): readonly string[] {
  const compiled = compilePolicy(texts.map((text, index) => ({ file: `${'abcdefgh'[index]}.yaml`, text })));
  return compiled.ok ? [] : compiled.problems.map(formatProblem);
}

export function warningsOf(text: string): readonly string[] {
  const compiled = compilePolicy([{ file: 'a.yaml', text }]);
  if (!compiled.ok) throw new Error(compiled.problems.map(formatProblem).join('\n'));
  return compiled.warnings.map(formatProblem);
}

export interface Question {
  readonly upstream?: string;
  readonly tool?: string;
  readonly resource?: string;
  readonly prompt?: string;
  readonly method?: string;
  readonly action?: AccessRequest['action'];
  readonly implied?: boolean;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly address?: string;
  readonly time?: number;
  readonly credentials?: readonly SubjectCredential[];
}

export const anonymous: SubjectCredential = { kind: 'anonymous' };

export function tokenWith(claims: Readonly<Record<string, unknown>>): SubjectCredential {
  return { kind: 'token', issuer: 'https://idp.example', subject: 'alice', scopes: ['mcp', 'read'], claims };
}

/** A request about one target, by an anonymous caller on upstream `u` unless it says otherwise. */
export function requestOf(question: Question): AccessRequest {
  const { tool, resource, prompt, method } = question;
  const [kind, action] =
    tool !== undefined
      ? (['tool', 'call'] as const)
      : resource !== undefined
        ? (['resource', 'read'] as const)
        : prompt !== undefined
          ? (['prompt', 'get'] as const)
          : (['method', 'use'] as const);
  return {
    subject: { id: 'someone', credentials: question.credentials ?? [anonymous] },
    action: question.action ?? action,
    resource: {
      upstream: question.upstream ?? 'u',
      kind,
      name: tool ?? resource ?? prompt ?? method ?? '',
      ...(question.implied === true ? { implied: true } : {}),
    },
    context: {
      arguments: question.args,
      address: question.address ?? '127.0.0.1',
      time: question.time ?? Date.UTC(2026, 0, 1, 12),
    },
  };
}

export function ask(policy: CompiledPolicy, question: Question): Decision {
  return decide(requestOf(question), policy);
}

/** Everybody has the one role `r` with these allow and deny rules, in YAML flow. */
export function oneRole(allow: string, deny = '[]'): CompiledPolicy {
  return policyOf(
    `version: 1\nroles: { r: { allow: ${allow}, deny: ${deny} } }\nbindings: [{ roles: r, to: { any: true } }]`,
  );
}
