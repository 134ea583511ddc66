import { isUtf8 } from 'node:buffer';
import { findTokensInBinary } from '../redaction/binary.ts';
import { holdsNeedle } from '../redaction/needles.ts';
import type { Cleaner } from './clean.ts';

/** Media types whose bytes are no text by what they say of themselves. */
const binary =
  /^(?:image\/(?!svg)|audio\/|video\/|font\/|application\/(?:octet-stream|zip|gzip|pdf|wasm|x-))/i;

/**
 * Cleans what is carried as base64. Whatever is UTF-8 is read as text, whatever media type it claims, and encoded
 * anew; in anything else a find refuses the result, as bytes cannot be taken out of what has a format.
 *
 * Bytes that say they are an image or the like are searched for the gateway's own secrets only.
 */
export function cleanBlob(encoded: string, mimeType: string | undefined, cleaner: Cleaner): string {
  const { plan, report, redactor } = cleaner;
  if (!plan.readsTexts || encoded === '') return encoded;
  const bytes = Buffer.from(encoded, 'base64');
  if (isUtf8(bytes) && !bytes.includes(0)) {
    const text = bytes.toString('utf8');
    const clean = cleaner.text(text);
    return clean === text ? encoded : Buffer.from(clean, 'utf8').toString('base64');
  }
  const rule = plan.redact.get('secrets');
  if (rule === undefined) return encoded;
  const latin1 = bytes.toString('latin1');
  const found =
    holdsNeedle(latin1, redactor.needles) ||
    (!(mimeType !== undefined && binary.test(mimeType)) && findTokensInBinary(latin1));
  if (found) report.refuse(rule, 'secrets');
  return encoded;
}
