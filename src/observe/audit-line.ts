import type { Credential, Principal } from '../identity/principal.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Outcome } from '../pipeline/outcome.ts';
import type { Reason } from '../policy/access-request.ts';
import { rolesOf } from '../policy/bindings.ts';
import type { RoleSet } from '../policy/model.ts';
import { auditSchema } from './audit-fields.ts';
import { findingsText } from './audit-findings.ts';
import { causeClass } from './cause-class.ts';
import { jsonText, quote } from './quote.ts';
import { defaultRedactLimits, type Hidden, hiddenIn, type Redactor } from './redact.ts';

export interface AuditLineOptions {
  /** Random name of this process start. */
  readonly run: string;
  /** Longest line in bytes, line end included; at least 16 KiB. */
  readonly maxRecordBytes: number;
  /** Whether rules may put arguments into the record. */
  readonly withArguments: boolean;
  readonly redactor: Redactor;
}

/** Writes one outcome as one line of JSON, line feed included. Pure but for its caches. */
export type AuditLine = (outcome: Outcome, sequence: number) => string;

/**
 * Longest JSON text of single members, quotes and escapes included. Together they stay below 16 KiB, so that a record
 * without arguments always fits the smallest allowed line.
 */
const room = {
  id: 1024,
  name: 2048,
  rule: 512,
  method: 256,
  short: 128,
  credentials: 4,
  roles: 16,
  limits: 16,
  codes: 16,
};

const cachedNames = 1024;
/** What a cut leaves unused at most: one escaped character and the mark. */
const clippedRoom = 32;
const truncated = '"[truncated]"';

/**
 * Prepares the writer of audit lines. The text is put together by hand: half of it is the same for all requests of
 * one principal, and `JSON.stringify` over a built object costs several times as much.
 */
export function createAuditLine(options: AuditLineOptions): AuditLine {
  const { redactor, maxRecordBytes } = options;
  const head = `{"schema":"${auditSchema}","time":"`;
  const run = `","run":${quote(options.run, room.short)},"sequence":`;
  const principals = new WeakMap<Principal, string>();
  const roleTexts = new WeakMap<RoleSet, string>();
  const names = new Map<string, string>();
  const isoTime = createIsoTime();

  function who(principal: Principal): string {
    let text = principals.get(principal);
    if (text === undefined) {
      const credentials = principal.credentials.slice(0, room.credentials).map(credentialText);
      text = `,"who":{"id":${quote(principal.id, room.id)},"credentials":[${credentials.join(',')}]}`;
      principals.set(principal, text);
    }
    return text;
  }

  /** What the caller was under this policy: `explain` and `learn` need it where only the record is left. */
  function rolesText({ principal, policy }: Exchange): string {
    const set = rolesOf(principal, policy);
    let text = roleTexts.get(set);
    if (text === undefined) {
      const names = set.roles.slice(0, room.roles).map(({ name }) => quote(name, room.short));
      text = names.length === 0 ? '' : `,"roles":[${names.join(',')}]`;
      roleTexts.set(set, text);
    }
    return text;
  }

  /** A peer chooses these names, so they may hold its secrets; and it may send a new one each time. */
  function named(name: string, most: number, hidden: Hidden | undefined): string {
    if (hidden !== undefined || name.length > most) return quote(redactor.text(name, most, hidden), most);
    let text = names.get(name);
    if (text === undefined) {
      text = quote(redactor.text(name, most), most);
      // Such as may have been cut: the same name elsewhere has other room.
      if (text.length >= room.method - clippedRoom) return text;
      if (names.size >= cachedNames) names.clear();
      names.set(name, text);
    }
    return text;
  }

  function aboutExchange(exchange: Exchange, hidden: Hidden | undefined): string {
    const { facts } = exchange;
    let text = `,"era":"${exchange.era}","revision":${quote(exchange.revision, room.short)}`;
    if (exchange.request.kind === 'request' || exchange.request.kind === 'notification') {
      text += `,"method":${named(exchange.request.method, room.method, hidden)}`;
    }
    if (facts.target !== undefined) {
      text += `,"target":{"kind":"${facts.target.kind}","name":${named(facts.target.name, room.name, hidden)}}`;
    }
    if (facts.decision !== undefined) {
      const { effect, reasons, shadow } = facts.decision;
      text += `,"decision":{"effect":"${effect}",${reasonText(reasons[0])}}`;
      text += `${rolesText(exchange)},"policy":${quote(exchange.policy.hash, room.short)}`;
      if (shadow !== undefined) {
        text += `,"shadow":{"effect":"${shadow.effect}",${reasonText(shadow.reason, false)}}`;
      }
    }
    if (facts.limits.length > 0) text += `,"limits":[${limitsText(facts.limits)}]`;
    if (facts.limitedBy !== undefined) text += `,"limitedBy":${quote(facts.limitedBy, room.rule)}`;
    if (facts.timeout !== undefined) {
      text += `,"timeout":{"ms":${count(facts.timeout.ms)},"rule":${quote(facts.timeout.rule, room.rule)}}`;
    }
    return text;
  }

  return (outcome, sequence) => {
    const { exchange, question, peer } = outcome;
    const hidden = exchange === undefined ? undefined : hiddenIn(exchange.facts);
    let line = `${head}${isoTime(outcome.time)}${run}${sequence},"event":"${outcome.event}"`;
    if (exchange !== undefined) line += `,"exchange":${quote(exchange.id, room.short)}`;
    if (outcome.principal !== undefined) line += who(outcome.principal);
    line += `,"from":{"address":${quote(peer.address, room.short)}`;
    line += peer.tls === undefined ? '}' : `,"tls":${quote(peer.tls.version, room.short)}}`;
    if (outcome.upstream !== undefined) line += `,"upstream":${quote(outcome.upstream, room.short)}`;
    line += `,"verb":${quote(outcome.verb, room.short)}`;
    if (exchange !== undefined) line += aboutExchange(exchange, hidden);
    if (question !== undefined) {
      line += `,"question":{"method":${named(question.method, room.method, hidden)}`;
      line += question.rule === undefined ? '}' : `,"rule":${quote(question.rule, room.rule)}}`;
    }
    line += `,"bytes":{"request":${count(outcome.requestBytes)},"reply":${count(outcome.replyBytes)}}`;
    line += `,"frames":${count(outcome.framesToClient)}`;
    if (exchange !== undefined && exchange.facts.dropped.size > 0) {
      line += `,"dropped":{${droppedText(exchange.facts.dropped)}}`;
    }
    line += `,"duration":{"total":${milliseconds(outcome.durationMs)}`;
    line += outcome.upstreamMs === undefined ? '}' : `,"upstream":${milliseconds(outcome.upstreamMs)}}`;
    line += `,"status":${count(outcome.status)},"code":${quote(outcome.code, room.short)}`;
    if (outcome.rpcCode !== undefined) line += `,"rpc":${count(outcome.rpcCode)}`;
    if (outcome.times !== undefined) line += `,"times":${count(outcome.times)}`;
    if (exchange !== undefined) line += `,"trace":${quote(exchange.traceId, room.short)}`;
    const cause = causeClass(outcome.cause);
    if (cause !== undefined) line += `,"cause":${quote(cause, room.rule)}`;
    // The text above is ASCII: its length is its size. What comes last gets what is left.
    if (exchange !== undefined && (outcome.event === 'exchange' || outcome.event === 'stream-ended')) {
      line += findingsText(exchange.facts, redactor, hidden, maxRecordBytes - line.length - 2);
    }
    if (options.withArguments && exchange?.facts.decision?.obligations.auditArguments) {
      line += argumentsText(exchange, redactor, hidden, maxRecordBytes - line.length - 2);
    }
    return `${line}}\n`;
  };
}

function argumentsText(
  exchange: Exchange,
  redactor: Redactor,
  hidden: Hidden | undefined,
  left: number,
): string {
  const { request } = exchange;
  if (request.kind !== 'request' && request.kind !== 'notification') return '';
  const args = request.params?.['arguments'];
  if (args === undefined) return '';
  const limits = { ...defaultRedactLimits, maxText: Math.min(left, defaultRedactLimits.maxText) };
  const text = jsonText(redactor.value(args, limits, hidden));
  const member = ',"arguments":';
  if (member.length + text.length <= left) return member + text;
  return member.length + truncated.length <= left ? member + truncated : '';
}

function credentialText(credential: Credential): string {
  switch (credential.kind) {
    case 'certificate':
      return `{"kind":"certificate","fingerprint":${quote(credential.fingerprint256, room.short)}}`;
    case 'token':
      return `{"kind":"token","issuer":${quote(credential.issuer, room.rule)}${tokenText(credential)}}`;
    case 'apiKey':
      return `{"kind":"apiKey","name":${quote(credential.name, room.method)},"prefix":${quote(credential.prefix, room.short)}}`;
    case 'anonymous':
      return '{"kind":"anonymous"}';
  }
}

/** What a deny list, or somebody who looks for it at the issuer, names the token by. */
function tokenText({ tokenId, clientId, bound }: Extract<Credential, { kind: 'token' }>): string {
  let text = tokenId === undefined ? '' : `,"id":${quote(tokenId, room.short)}`;
  if (clientId !== undefined) text += `,"client":${quote(clientId, room.short)}`;
  if (bound !== undefined) text += `,"bound":"${bound}"`;
  return text;
}

function reasonText(reason: Reason, withCondition = true): string {
  let text = `"reason":${quote(reason.code, room.short)}`;
  if (reason.rule !== undefined) text += `,"rule":${quote(reason.rule, room.rule)}`;
  if (reason.location !== undefined) text += `,"location":${quote(reason.location, room.rule)}`;
  if (withCondition && reason.condition !== undefined)
    text += `,"condition":${quote(reason.condition, room.rule)}`;
  return text;
}

function limitsText(limits: readonly string[]): string {
  return limits
    .slice(0, room.limits)
    .map((name) => quote(name, room.short))
    .join(',');
}

function droppedText(dropped: ReadonlyMap<string, number>): string {
  const told = [...dropped].slice(0, room.codes);
  return told.map(([code, times]) => `${quote(code, room.short)}:${count(times)}`).join(',');
}

/** A number that JSON can hold: a broken clock must not break the record. */
function count(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : '0';
}

function milliseconds(value: number): string {
  return Number.isFinite(value) ? String(Math.round(Math.min(Math.max(value, 0), 1e12) * 1000) / 1000) : '0';
}

/** Formatting a date costs as much as half a record; within one second only the last digits change. */
function createIsoTime(): (time: number) => string {
  let second = Number.NaN;
  let prefix = '';
  return (time) => {
    const whole = Number.isFinite(time) && Math.abs(time) < 8.64e15 ? Math.floor(time) : 0;
    const current = Math.floor(whole / 1000);
    if (current !== second) {
      second = current;
      prefix = new Date(current * 1000).toISOString().slice(0, -4);
    }
    return `${prefix}${String(whole - current * 1000).padStart(3, '0')}Z`;
  };
}
