import { GatewayError } from '../errors.ts';
import { addFinding, type Exchange, type Finding } from '../pipeline/exchange.ts';
import type { Report } from '../results/report.ts';
import type { ResultRule } from '../results/rule.ts';

/** Writes down what the rules of one mode found in a message. */
export function tellFindings(report: Report, exchange: Exchange, mode: ResultRule['mode']): void {
  for (const { effect, rule, path, detail, count } of report.findings) {
    const told: Finding['effect'] = mode === 'shadow' ? 'alert' : effect;
    addFinding(exchange, { check: 'results', effect: told, rule, path, detail, count });
  }
}

/** What the client gets where the rules refuse the message, which is written down too. */
export function refusalOf(
  report: Report,
  exchange: Exchange,
  mode: ResultRule['mode'],
): GatewayError | undefined {
  if (report.refusal === undefined) return undefined;
  const { rule, path, detail } = report.refusal;
  const effect = mode === 'shadow' ? 'would-refuse' : 'refused';
  addFinding(exchange, { check: 'results', effect, rule, path: path || undefined, detail });
  if (detail === 'bytes') return new GatewayError('result-too-large', { data: { rule } });
  return new GatewayError('result-refused', {
    data: { rule, fault: detail, ...(path === '' ? {} : { path }) },
  });
}
