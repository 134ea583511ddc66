import type { RoleFault } from '../role.ts';

/** One object for each way to fail, made once: a refusal allocates nothing. */
export function toFaults<Fault extends string>(
  allowances: Readonly<Record<Fault, string>>,
): Readonly<Record<Fault, RoleFault>> {
  return Object.fromEntries(
    Object.entries(allowances).map(([fault, allow]) => [fault, { fault, allow }]),
  ) as Readonly<Record<Fault, RoleFault>>;
}
