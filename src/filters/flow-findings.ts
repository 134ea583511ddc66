import { addFinding, type Exchange } from '../pipeline/exchange.ts';

/**
 * Writes down what the checks of flows saw.
 *
 * @param rule the id of the rule, or `canaries.` and the name of the canary
 * @param path where in the frame
 */
export function noteFlow(
  exchange: Exchange,
  effect: 'refused' | 'would-refuse' | 'alert',
  rule: string,
  detail: string,
  path?: string,
): void {
  addFinding(exchange, { check: 'flow', effect, rule, path, detail });
}
