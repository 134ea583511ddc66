import { createHash } from 'node:crypto';
import type { JsonObject } from '../values/json.ts';

/** What tells one definition from another, and how long it is. */
export interface DefinitionDigest {
  readonly digest: string;
  /** Bytes as JSON. */
  readonly bytes: number;
}

const digests = new WeakMap<JsonObject, DefinitionDigest>();

/** Computed once for each object: nobody changes a definition that was decoded. */
export function digestOf(definition: JsonObject): DefinitionDigest {
  const known = digests.get(definition);
  if (known !== undefined) return known;
  const text = JSON.stringify(definition);
  const made = {
    digest: createHash('sha256').update(text).digest('base64'),
    bytes: Buffer.byteLength(text),
  };
  digests.set(definition, made);
  return made;
}
