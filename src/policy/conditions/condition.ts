import type { AccessRequest } from '../access-request.ts';
import type { Truth } from './truth.ts';

/** One compiled part of a rule's `when`. Pure and total: it neither throws nor reads a clock. */
export interface Condition {
  test(request: AccessRequest): Truth;
  /** Names the part that does not hold, such as `args.limit.max`. Never a value. Asked only where `test` is not true. */
  blame(request: AccessRequest): string;
}

/**
 * Whose rule it is. `args: { "paths[*]": … }` asks of an allow rule that every element holds, and of a deny rule that
 * any does: otherwise one innocent element would carry the others past the deny.
 */
export type RuleEffect = 'allow' | 'deny';
