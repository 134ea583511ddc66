/** Secrets that tests plant, the ways in which they are written, and a reader who tries to get them out of records. */

import { encodings as allEncodings, canBeRead, withChecksum } from '../redaction/samples.ts';

export const planted = {
  /** Of a known form, with its checksum. */
  known: withChecksum('ghp_', 'Planted5ecret0fKnownForm123456'),
  /** What the gateway shows to its upstream. */
  own: 'upstream/credential+of-the-gateway',
  /** The value of an argument with the role `secret`. */
  argument: 'plum "orchid" 42/heron',
} as const;

export type PlantedKind = keyof typeof planted;

export const plantedKinds = Object.keys(planted) as readonly PlantedKind[];

const used = ['plain', 'JSON with escapes', 'base64', 'URL, every character'] as const;

export const plantedEncodings = used.map((name) => [name, allEncodings[name]!] as const);

/** Every text and key in a JSON value. */
export function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [key, ...textsOf(member)]);
}

/** What of the planted can be read out of texts, however it is encoded there. */
export function readable(texts: readonly string[]): readonly PlantedKind[] {
  return plantedKinds.filter((kind) => texts.some((text) => canBeRead(text, planted[kind])));
}
