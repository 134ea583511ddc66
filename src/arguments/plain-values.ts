import { type ExactNumber, isExactNumber, isJsonObject, type JsonValue } from '../values/json.ts';

export type Scalar = string | number | boolean | null | ExactNumber;

/** Not a whole number beyond 2^53 that YAML has rounded already. */
export function isJsonScalar(value: unknown): value is Scalar {
  return (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) ||
    isExactNumber(value)
  );
}

/** Whether a value read from a policy file can stand in a message. YAML knows infinities, JSON does not. */
export function isJsonValue(value: unknown): value is JsonValue {
  if (isJsonScalar(value)) return typeof value !== 'string' || value.isWellFormed();
  if (Array.isArray(value)) return value.every(isJsonValue);
  return (
    isJsonObject(value) &&
    Object.entries(value).every(
      ([key, member]) => key !== '__proto__' && key.isWellFormed() && isJsonValue(member),
    )
  );
}
