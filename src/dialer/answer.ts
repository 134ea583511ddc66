import type { Dispatcher } from 'undici';
import { DialError } from './dial-error.ts';

/** Lines of headers: undici bounds their bytes, but counts neither separators nor lines. Issuers send some twenty. */
const maxHeaders = 256;

/** Of the answer, what no caller needs: state for later exchanges, and the framing of bytes that are read already. */
const dropped: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'set-cookie',
  'set-cookie2',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Turns an answer into a Response whose body is read already.
 *
 * @param shown what to call the URL in messages
 * @throws DialError for redirects, encoded answers and bodies beyond `maxBytes`
 */
export async function readAnswer(
  answer: Dispatcher.ResponseData,
  shown: string,
  maxBytes: number,
): Promise<Response> {
  const { statusCode, headers } = answer;
  if (statusCode >= 300 && statusCode < 400) {
    // Following one would let the issuer's host point at any address that the gateway can reach.
    throw new DialError('dial-redirect', `${shown}: answered with a redirect (${statusCode})`);
  }
  if (statusCode < 200 || statusCode > 599) {
    throw new DialError('dial-answer', `${shown}: answered with status ${statusCode}`);
  }
  if (
    !isPlain(headers['content-encoding'], 'identity') ||
    !isPlain(headers['transfer-encoding'], 'chunked')
  ) {
    throw new DialError('dial-encoding', `${shown}: the answer is encoded`);
  }
  if (Object.values(headers).flat().length > maxHeaders) {
    throw new DialError('dial-too-large', `${shown}: more than ${maxHeaders} headers`);
  }
  const tooLarge = () => new DialError('dial-too-large', `${shown}: more than ${maxBytes} bytes`);
  const announced = headers['content-length'];
  if (typeof announced === 'string' && Number(announced) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  const bodiless = statusCode === 204 || statusCode === 205;
  return new Response(bodiless ? null : Buffer.concat(chunks), {
    status: statusCode,
    headers: toHeaders(headers, shown),
  });
}

function isPlain(value: string | string[] | undefined, only: string): boolean {
  return value === undefined || (typeof value === 'string' && value.toLowerCase() === only);
}

function toHeaders(headers: Dispatcher.ResponseData['headers'], shown: string): Headers {
  const copy = new Headers();
  try {
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined || dropped.has(name)) continue;
      for (const one of typeof value === 'string' ? [value] : value) copy.append(name, one);
    }
  } catch {
    throw new DialError('dial-answer', `${shown}: a header that is none`);
  }
  return copy;
}
