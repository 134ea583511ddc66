import { isJsonObject, type JsonObject, type JsonValue } from '../../src/values/json.ts';

/**
 * The role that a value of a class has when its line declares none. What is honest of a class and what attacks it are
 * held to the same role: rates of the one without the other mean nothing.
 */
const rolesByClass: readonly (readonly [RegExp, JsonObject])[] = [
  [/trav|path|lfi|dir/i, { path: { within: ['/workspace'], base: '/workspace' } }],
  [/ssrf|ur[il]|address|metadata|\bip\b|host/i, { url: { schemes: ['http', 'https'], ports: 'any' } }],
  [/shell|command|cmd|os.?inj|rce|\bid\b|ident|option|name/i, { id: {} }],
  [/sql/i, { sql: { dialect: 'postgresql' } }],
  [/uuid/i, { uuid: {} }],
  [/mail/i, { email: {} }],
  [/date|time/i, { date: {} }],
  [/cidr|subnet/i, { cidr: {} }],
  [/semver|version/i, { semver: {} }],
  [/markdown/i, { markdown: {} }],
  [/code|script/i, { code: {} }],
];

/** What no role claims to stop: free text is never judged by its content. */
const freeText: JsonObject = { text: {} };

/** @returns the specification of one argument, as `arguments[].args` holds it */
export function roleOf(about: { readonly class: string; readonly role: JsonValue | undefined }): JsonObject {
  const { role } = about;
  if (isJsonObject(role)) return role;
  if (typeof role === 'string') return defaultsOf(role);
  return rolesByClass.find(([name]) => name.test(about.class))?.[1] ?? freeText;
}

/** Options of a role that is only named: those of its class, where it has any. */
export function defaultsOf(role: string): JsonObject {
  const known = rolesByClass.find(([, spec]) => Object.hasOwn(spec, role))?.[1];
  return known ?? { [role]: {} };
}

/** Whether the class is one that no role decides: prose, templates, markup. */
export function isFreeText(spec: JsonObject): boolean {
  return ['text', 'code', 'markdown', 'json'].some((role) => Object.hasOwn(spec, role));
}
