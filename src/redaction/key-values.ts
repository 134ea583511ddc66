import { isSecretName } from './secret-names.ts';
import type { Span } from './span.ts';
import { isPlaceholder } from './structured-secrets.ts';

/** Ends of folded names that speak about a secret without being one: `token_type`, `secretName`, `password_policy`. */
const about =
  /(?:name|names|type|types|endpoint|endpoints|ur[il]|arn|ref|policy|policies|count|counts|length|limit|limits|expiry|expires|expiresin|expiresat|expiration|ttl|age|hint|field|fields|required|enabled|supported|status|state|algorithm|alg|method|methods|scheme|prefix|format|label|title|description|version|path|file|dir|manager|provider|store|rotation|strength|reset|error|errors|id|ids|at|date|time|usage|cost|price|budget|consent|banner|settings|config|prompt|placeholder|validator|rules)$/;
/** Names of cursors and of other tokens that open nothing. */
const harmless =
  /(?:next|previous|prev|page|pagination|continuation|continue|cursor|sync|resume|start|cancellation|cancel|progress|design|stop|eos|bos|pad|special|csrfcookie)(?:page)?tokens?$|^tokens?(?:used|left|ize|izer|s)?$|tokeni[sz]|^secretary|^cookies?$|passthrough|passport|^author/;

/**
 * Whether a member of this name holds a secret in data that somebody is to read. Narrower than what records hide: a
 * cursor that is hidden stops a client.
 */
export function namesSecretValue(name: string, value: unknown): boolean {
  const key = typeof value === 'number' ? `#${name}` : name;
  const known = answers.get(key);
  if (known !== undefined) return known;
  const answer = judgeName(name, value);
  if (name.length > longestCachedName) return answer;
  // Names of members come from peers, and repeat themselves.
  if (answers.size >= mostCachedNames) answers.clear();
  answers.set(key, answer);
  return answer;
}

const answers = new Map<string, boolean>();
const mostCachedNames = 2000;
const longestCachedName = 64;

function judgeName(name: string, value: unknown): boolean {
  if (!isSecretName(name, value)) return false;
  if (/^sessionid$|clientsecretid$/i.test(name.replace(/[^a-z]/gi, ''))) return true;
  const folded = name
    .slice(0, 512)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
  return folded === 'token' || !(about.test(folded) || harmless.test(folded));
}

/** Members that carry the value where another member carries its name: header lists, form fields, environment lists. */
const nameKeys = ['name', 'key', 'header', 'field', 'variable'];
export const valueKeys: ReadonlySet<string> = new Set(['value', 'content', 'default', 'data']);

/** Whether an object says under `name` or the like that its `value` is a secret. */
export function namesSecretBeside(object: Readonly<Record<string, unknown>>): boolean {
  return nameKeys.some((key) => {
    const name = Object.hasOwn(object, key) ? object[key] : undefined;
    return typeof name === 'string' && namesSecretValue(name, '');
  });
}

const shortestValue = 4;
const telling =
  /pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|credential|authorization|cookie|session[_-]?id|jwt|otp|pin|cvv|cvc/i;
/** A name, and what divides it from its value. */
const beginning = /(?<![\w.-])(\\?["'])?([A-Za-z_][\w.-]{0,63})(\\?["'])?([ \t]{0,4}(?:=>|[=:])[ \t]{0,4})/g;
/** In quotes, in quotes that are escaped once more, or without. */
const valueForm =
  /"((?:[^"\\\r\n]|\\.){0,1024})"|'((?:[^'\\\r\n]|\\.){0,1024})'|\\"((?:(?!\\")[^"\r\n]){0,1024})\\"|([^\s"'`,;&<>(){}[\]|\\]{4,1024})/y;

/** Adds the values of `name=value`, `"name": "value"` and their like whose name tells that they are secret. */
export function findKeyValues(text: string, spans: Span[]): void {
  if (!telling.test(text)) return;
  for (const match of text.matchAll(beginning)) {
    const [whole, opening, name, closing, divider] = match;
    if (!telling.test(name!) || !namesSecretValue(lastPart(name!), '')) continue;
    const at = match.index + whole.length;
    valueForm.lastIndex = at;
    const found = valueForm.exec(text);
    if (found === null) continue;
    const bare = found[4];
    const value = bare ?? found[1] ?? found[2] ?? found[3] ?? '';
    if (value.length < shortestValue || isPlaceholder(value)) continue;
    const end = at + found[0].length;
    if (bare !== undefined) {
      if (!isBareSecret(bare, divider!, text, match.index, end)) continue;
      spans.push({ start: at, end, class: 'keys', value });
      continue;
    }
    // A text that ends in `password: ` is the prompt of a program, and what follows its quote is code.
    if (opening !== closing || (opening === undefined && divider!.includes(':') && /\s/.test(value)))
      continue;
    const quote = found[3] === undefined ? 1 : 2;
    spans.push({ start: at + quote, end: end - quote, class: 'keys', value });
  }
}

/** `db.password`, `spring.datasource.password`: the last part tells. */
function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

const literal =
  /^(?:true|false|null|none|nil|undefined|required|optional|string|str|number|int|yes|no|on|off)$/i;

/**
 * A value without quotes is a secret in a query, a connection string or a file of settings; in code it is the name of
 * a variable, and in prose the next word.
 */
function isBareSecret(value: string, divider: string, text: string, start: number, end: number): boolean {
  if (literal.test(value)) return false;
  // A call, an index, a member, a template.
  if (/^[([{.]/.test(text.slice(end, end + 1)) || /^[$<*%!@&]/.test(value)) return false;
  if (/^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+$/.test(value)) return false;
  const isMixed = /[0-9]/.test(value) && /[A-Za-z]/.test(value);
  if (divider.includes(':')) return isMixed && value.length >= 8 && !/^\d{4}-\d\d-\d\d/.test(value);
  const tight = divider === '=';
  if (isMixed) return tight || value.length >= 8;
  if (!tight) return false;
  const before = text[start - 1];
  const after = text[end];
  const inQuery = before === '?' || before === '&' || before === ';';
  const ownLine =
    (start === 0 || before === '\n' || /(?:export|set) $/.test(text.slice(start - 7, start))) &&
    (after === undefined || after === '\n' || after === '\r');
  return inQuery || ownLine;
}
