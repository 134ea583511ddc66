/**
 * Whether the body is declared as JSON in UTF-8 and as nothing else. Another charset or a structured suffix would have
 * a server read other characters than the gateway judged.
 */
export function isPlainJson(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  return contentType !== undefined && plainJson.test(contentType);
}

const plainJson = /^application\/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i;

/** What both official clients send. */
const usualAccept = 'application/json, text/event-stream';

/**
 * Whether `Accept` names a media type, with a quality above zero. Wildcards do not count: the official servers refuse
 * them too, and a client that did not think of event streams would hang on one.
 */
export function accepts(accept: string | undefined, type: 'application/json' | 'text/event-stream'): boolean {
  if (accept === usualAccept) return true;
  if (accept === undefined) return false;
  return accept.split(',').some((range) => {
    const [name, ...parameters] = range.split(';');
    if (name!.trim().toLowerCase() !== type) return false;
    return !parameters.some((parameter) => /^\s*q\s*=\s*0(?:\.0{0,3})?\s*$/i.test(parameter));
  });
}
