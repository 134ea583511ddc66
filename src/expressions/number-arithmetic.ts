type Calculate = (left: number | bigint, right: number | bigint) => number | bigint;

const int64 = 2n ** 63n;

/**
 * Arithmetic for quantities: integers stay exact, integers and other numbers mix, and `1999 / 1000` is 1.999. CEL would
 * say 1, and a cost that is cut off is a cost that a caller can stay below.
 */
export const mixingArithmetic: ReadonlyMap<string, Calculate> = new Map<string, Calculate>([
  [
    '+',
    exactOr(
      (a, b) => a + b,
      (a, b) => a + b,
    ),
  ],
  [
    '-',
    exactOr(
      (a, b) => a - b,
      (a, b) => a - b,
    ),
  ],
  [
    '*',
    exactOr(
      (a, b) => a * b,
      (a, b) => a * b,
    ),
  ],
  ['/', divide],
]);

function exactOr(
  exact: (a: bigint, b: bigint) => bigint,
  otherwise: (a: number, b: number) => number,
): Calculate {
  return (a, b) => {
    if (typeof a !== 'bigint' || typeof b !== 'bigint') return otherwise(Number(a), Number(b));
    const result = exact(a, b);
    // As in CEL: numbers that grow without end would cost more than a step.
    if (result >= int64 || result < -int64) throw new RangeError('integer overflow');
    return result;
  };
}

function divide(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'bigint' && typeof b === 'bigint' && b !== 0n && a % b === 0n) return a / b;
  return Number(a) / Number(b);
}
