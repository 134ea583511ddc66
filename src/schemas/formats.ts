import { fullFormats } from 'ajv-formats/dist/formats.js';

/**
 * Formats that are asserted. Others are annotations, as 2020-12 allows for all of them (validation, section 7.2.1).
 *
 * Each takes time in proportion to the text: what repeats in their expressions is told apart by its first character.
 * Left out are `url`, whose expression is quadratic, and `regex`, which compiles a stranger's text.
 */
const asserted = [
  'date',
  'time',
  'date-time',
  'iso-time',
  'iso-date-time',
  'duration',
  'uri',
  'uri-reference',
  'uri-template',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uuid',
  'json-pointer',
  'json-pointer-uri-fragment',
  'relative-json-pointer',
] as const;

const tests = new Map<string, (text: string) => boolean>(
  asserted.map((name) => {
    const format = fullFormats[name];
    const test = format instanceof RegExp ? format : ((format as { validate?: unknown }).validate ?? format);
    if (test instanceof RegExp) return [name, (text: string) => test.test(text)];
    if (typeof test === 'function') return [name, (text: string) => Boolean(test(text))];
    throw new TypeError(`the format ${name} has no test`);
  }),
);

/** The test of a format; undefined where it is only an annotation. */
export function formatTest(name: string): ((text: string) => boolean) | undefined {
  return tests.get(name);
}

/** For documentation checks. */
export const assertedFormats: readonly string[] = asserted;
