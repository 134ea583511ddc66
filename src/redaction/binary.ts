import { featuresOf } from './features.ts';
import type { Span } from './span.ts';
import { findStructured } from './structured-secrets.ts';
import { findTokens } from './tokens.ts';

/** Whether bytes, given one character each, hold a secret of a known form. */
export function findTokensInBinary(latin1: string): boolean {
  const spans: Span[] = [];
  const { runs } = featuresOf(latin1);
  findTokens(latin1, runs, spans);
  findStructured(latin1, runs, spans);
  return spans.length > 0;
}
