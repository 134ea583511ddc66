import type { ArgumentFault } from '../arguments/rule.ts';
import type { Reason } from './access-request.ts';
import type { ExplainedRule, Explanation } from './explain.ts';
import type { ExplainedArguments } from './explain-arguments.ts';
import type { ExplainedLimit } from './explain-limits.ts';

const outcomeWords = {
  applies: 'applies',
  'does-not-apply': 'does not apply',
  'cannot-be-evaluated': 'cannot be evaluated',
} as const;

/** An explanation as a few lines of text for a terminal. Names of a stranger are quoted, so that they cannot act. */
export function formatExplanation(explanation: Explanation): string {
  const { request, effect, decision } = explanation;
  const refused = explanation.arguments?.refused;
  const lines = [
    `${effect.toUpperCase()}: ${quote(request.subject)} may ${effect === 'allow' ? '' : 'not '}` +
      `${request.action} ${request.kind} ${quote(request.name)} on ${quote(request.upstream)}`,
    ...(refused === undefined
      ? decision.reasons.map((reason) => `  because: ${formatReason(reason)}`)
      : [
          `  because: ${formatFault(refused)}`,
          `  to allow it: ${printable(refused.allow)}`,
          ...decision.reasons.map((reason) => `  roles and ACL: ${decision.effect}, ${formatReason(reason)}`),
        ]),
  ];
  if (decision.effect === 'deny') {
    lines.push(`  the target is ${decision.visible ? 'visible' : 'hidden: answered as if it did not exist'}`);
  }
  if (decision.shadow !== undefined) {
    lines.push(`  with shadow rules: ${decision.shadow.effect}, ${formatReason(decision.shadow.reason)}`);
  }
  if (explanation.arguments !== undefined) argumentSections(lines, explanation.arguments);
  section(
    lines,
    'Roles',
    explanation.roles.map(
      ({ role, location, byKey, priority }) =>
        `${role} (${location})${byKey === true ? ', given by the API key' : ''}${priority === undefined ? '' : `, priority ${priority}`}`,
    ),
    'none: no binding matches this caller',
  );
  section(
    lines,
    'Bindings',
    explanation.bindings.map((binding) => `${binding.rule} (${binding.location})`),
  );
  section(
    lines,
    'Protected by',
    explanation.acl.map((object) => `${object.rule} (${object.location})${object.shadow ? ', shadow' : ''}`),
  );
  section(
    lines,
    'Scopes asked for',
    explanation.scopes.map(({ rule, location, shadow, asks, missing }) => {
      const lacks = missing.length === 0 ? '' : `, missing: ${missing.join(' ')}`;
      return `${rule} (${location})${shadow ? ', shadow' : ''}: ${asks.join(' ')}${lacks}`;
    }),
  );
  section(lines, 'Rules that name the target', explanation.rules.map(formatRule), 'none');
  section(lines, 'Limits that count it', explanation.limits.map(formatLimit));
  section(
    lines,
    'Near misses',
    explanation.nearMisses.map(
      (miss) => `${miss.effect} ${miss.rule} (${miss.location}): its ${miss.differs} is ${quote(miss.wants)}`,
    ),
  );
  if (effect === 'allow' && request.kind === 'tool') {
    section(lines, 'Not asked here', [
      ...(explanation.arguments?.lookups ?? []).map(
        ({ rule, path, role, kind }) => `${lookupWords[kind]} of ${quote(path)}, for ${role} of ${rule}`,
      ),
      "the tool's own schema, pins, what limits have left, flows and canaries",
    ]);
  }
  return `${lines.join('\n')}\n`;
}

const lookupWords = { 'real-path': 'symbolic links', addresses: 'addresses of the host' } as const;

function argumentSections(lines: string[], explained: ExplainedArguments): void {
  section(
    lines,
    'Rules on arguments',
    explained.rules.map(({ rule, location, shadow, schema, unknown }) => {
      const said = [
        ...(shadow ? ['shadow'] : []),
        ...(schema === undefined ? [] : [`schema ${schema}`]),
        ...(unknown === undefined ? [] : [`unknown ${unknown}`]),
      ];
      return [`${rule} (${location})`, ...said].join(', ');
    }),
  );
  section(
    lines,
    'Shadow rules would refuse',
    explained.wouldRefuse.map((fault) => `${formatFault(fault)}; to allow it: ${printable(fault.allow)}`),
  );
  section(
    lines,
    'Rewrites',
    explained.rewrites.map(({ rule, path, rewrite, sent }) => {
      const becomes = sent === undefined ? '' : `, sent: ${printable(JSON.stringify(sent))}`;
      return `${rewrite} ${quote(path)} by ${rule}${becomes}`;
    }),
  );
  if (explained.rewrites.length > 0 && explained.sent !== undefined) {
    lines.push(`Sent: ${printable(JSON.stringify(explained.sent))}`);
  }
}

/** `arguments-refused write-file (policies/a.yaml:7), "edits[0].path", role path: outside-tree`. */
export function formatFault({ rule, location, path, role, fault }: ArgumentFault): string {
  return `arguments-refused ${rule} (${location}), ${quote(path)}, role ${role}: ${fault}`;
}

/** `denied-by-rule roles.analyst.deny[0] (policies/a.yaml:7), args.limit.max`. */
export function formatReason(reason: Reason): string {
  const rule = reason.rule === undefined ? '' : ` ${reason.rule}`;
  const location = reason.location === undefined ? '' : ` (${reason.location})`;
  const condition = reason.condition === undefined ? '' : `, ${reason.condition}`;
  return `${reason.code}${rule}${location}${condition}`;
}

function formatRule(rule: ExplainedRule): string {
  const condition = rule.condition === undefined ? '' : `: ${rule.condition}`;
  const shadow = rule.shadow ? ', shadow' : '';
  return `${rule.effect} ${rule.rule} (${rule.location})${shadow} ${outcomeWords[rule.outcome]}${condition}`;
}

/** `queries (policies/a.yaml:7), shadow, per principal, tool: 30/min, burst 10; this call: cost 1`. */
function formatLimit({
  limit,
  location,
  shadow,
  per,
  roles,
  holds,
  cost,
  adds,
  never,
  onStoreLoss,
}: ExplainedLimit): string {
  const head = [`${limit} (${location})`, ...(shadow ? ['shadow'] : []), `per ${per.join(' and ')}`];
  const about = [
    holds.join('; '),
    ...(roles === undefined ? [] : [`under ${roles.length === 0 ? 'no role' : roles.join(', ')}`]),
    ...(cost === undefined || cost === 1 ? [] : [`this call costs ${amountWords(cost)}`]),
    ...(adds === undefined ? [] : [`this call adds ${amountWords(adds)}`]),
    ...(never === undefined ? [] : [shadow ? 'would refuse it in any case' : 'refuses it in any case']),
    ...(onStoreLoss === 'local' ? [] : [`${onStoreLoss} on store loss`]),
  ];
  return printable(`${head.join(', ')}: ${about.join('; ')}`);
}

function amountWords(amount: number | 'unknown'): string {
  return amount === 'unknown' ? 'what these arguments do not tell' : String(amount);
}

function section(lines: string[], title: string, items: readonly string[], empty?: string): void {
  if (items.length > 0) lines.push(`${title}:`, ...items.map((item) => `  ${item}`));
  else if (empty !== undefined) lines.push(`${title}: ${empty}`);
}

/** Quoted with every character outside printable ASCII escaped: a name must not write to the terminal. */
function quote(text: string): string {
  return printable(JSON.stringify(text));
}

/** Every character outside printable ASCII as an escape. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
