import type { Reason } from './access-request.ts';
import type { ExplainedRule, Explanation } from './explain.ts';

const outcomeWords = {
  applies: 'applies',
  'does-not-apply': 'does not apply',
  'cannot-be-evaluated': 'cannot be evaluated',
} as const;

/** An explanation as a few lines of text for a terminal. Names of a stranger are quoted, so that they cannot act. */
export function formatExplanation(explanation: Explanation): string {
  const { request, decision } = explanation;
  const lines = [
    `${decision.effect.toUpperCase()}: ${quote(request.subject)} may ${decision.effect === 'allow' ? '' : 'not '}` +
      `${request.action} ${request.kind} ${quote(request.name)} on ${quote(request.upstream)}`,
    ...decision.reasons.map((reason) => `  because: ${formatReason(reason)}`),
  ];
  if (decision.effect === 'deny') {
    lines.push(`  the target is ${decision.visible ? 'visible' : 'hidden: answered as if it did not exist'}`);
  }
  if (decision.shadow !== undefined) {
    lines.push(`  with shadow rules: ${decision.shadow.effect}, ${formatReason(decision.shadow.reason)}`);
  }
  section(
    lines,
    'Roles',
    explanation.roles.map((role) => `${role.role} (${role.location})`),
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
  section(lines, 'Rules that name the target', explanation.rules.map(formatRule), 'none');
  section(
    lines,
    'Near misses',
    explanation.nearMisses.map(
      (miss) => `${miss.effect} ${miss.rule} (${miss.location}): its ${miss.differs} is ${quote(miss.wants)}`,
    ),
  );
  return `${lines.join('\n')}\n`;
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

function section(lines: string[], title: string, items: readonly string[], empty?: string): void {
  if (items.length > 0) lines.push(`${title}:`, ...items.map((item) => `  ${item}`));
  else if (empty !== undefined) lines.push(`${title}: ${empty}`);
}

/** Quoted with every character outside printable ASCII escaped: a name must not write to the terminal. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
