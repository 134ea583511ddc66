import { foldKey } from '../values/fold-key.ts';
import { isExactNumber, isJsonObject, type JsonObject, type JsonValue } from '../values/json.ts';
import type { ArgumentNode } from './tree.ts';

/**
 * The values that a rule says are secret, as text, and those that only a careless reader would take for them: under
 * another spelling of the name, or standing where an object or a list with the secret should. Those are refused; they
 * are no less secret for it.
 */
export function secretsIn(root: ArgumentNode, args: JsonObject): readonly string[] {
  if (!root.secret) return none;
  const found: string[] = [];
  collect(root, args, found);
  return found;
}

/**
 * Whether a rule has a secret at a place, around it or inside it. Where the place has another shape than the rule
 * expects there, it has.
 */
export function isSecretAt(node: ArgumentNode, trail: readonly (string | number)[]): boolean {
  if (!node.secret) return false;
  const [step, ...rest] = trail;
  if (step === undefined || node.entry?.role?.secret === true) return true;
  if ((typeof step === 'string') !== node.keys.size > 0) return true;
  const children =
    typeof step === 'number'
      ? [node.each, node.indexes.get(step)]
      : [node.keys.get(step) ?? node.keys.get(node.folded.get(foldKey(step)) ?? '')];
  return children.some((child) => child !== undefined && isSecretAt(child, rest));
}

const none: readonly string[] = Object.freeze([]);

function collect(node: ArgumentNode, value: JsonValue, found: string[]): void {
  if (!node.secret) return;
  if (node.entry?.role?.secret === true) {
    collectTexts(value, found);
    return;
  }
  if (Array.isArray(value) && node.keys.size === 0) {
    for (const [index, element] of (value as readonly JsonValue[]).entries()) {
      const child = node.indexes.get(index);
      if (child !== undefined) collect(child, element, found);
      if (node.each !== undefined) collect(node.each, element, found);
    }
    return;
  }
  if (!isJsonObject(value) || node.keys.size === 0) {
    collectTexts(value, found);
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    const child = node.keys.get(key) ?? node.keys.get(node.folded.get(foldKey(key)) ?? '');
    if (child !== undefined && member !== undefined) collect(child, member, found);
  }
}

/** Depth is bounded by the decoder. */
function collectTexts(value: JsonValue | undefined, found: string[]): void {
  if (typeof value === 'string') found.push(value);
  else if (typeof value === 'number') found.push(JSON.stringify(value));
  else if (isExactNumber(value)) found.push(value.rawJSON);
  else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) collectTexts(member as JsonValue, found);
  }
}
