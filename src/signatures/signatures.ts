import { type Measured, measured } from './measured.ts';

export type SignatureClass = 'traversal' | 'sql' | 'shell' | 'ssrf' | 'template' | 'pollution';

/**
 * A mark that attacks leave in text. Noticed, never refused: whoever knows it avoids it, and honest text about attacks
 * has it too. What must not pass is kept out by roles.
 */
export interface Signature {
  readonly name: string;
  readonly class: SignatureClass;
  /** In linear time. */
  test(text: string): boolean;
  /** How often it notices honest calls, as measured on the two corpora of this project. */
  readonly falsePositives: string;
  /** Whether it is on unless configured otherwise: where the rate is at most 0.1 % on each corpus. */
  readonly enabled: boolean;
}

/**
 * Patterns run in linear time in an engine that backtracks: each begins with a fixed text or one character class, has
 * no repetition inside another, and repeats over a bounded number of characters what can be followed by itself.
 */
const patterns: readonly (readonly [name: string, of: SignatureClass, pattern: RegExp])[] = [
  // Two steps up that are disguised. One plain step is in every second import.
  [
    'traversal-encoded',
    'traversal',
    /(?:\.\.|%2e%2e|\.%2e|%2e\.)(?:%2f|%5c)|%2e%2e[\\/]|%252e%252e|%252f\.\.|\.\.%25(?:2f|5c)|%c0%a[ef]|%c1%9c|%e0%80%af/i,
  ],
  [
    'traversal-disguised',
    'traversal',
    /[.\u2024\uff0e]{2}[\u2215\u2044\uff0f]|(?:\u2024\u2024|\uff0e\uff0e)[\\/]/,
  ],
  ['traversal-deep', 'traversal', /(?:\.\.[\\/]{1,4}){4}/],
  ['traversal-plain', 'traversal', /\.\.[\\/]/],
  [
    'traversal-to-secret',
    'traversal',
    /(?:\.\.[\\/]|%2f|%5c|file:\/\/)[\w./\\%-]{0,64}(?:etc[\\/%]\w{0,4}(?:passwd|shadow)|win\.ini|boot\.ini|proc[\\/%]\w{0,4}self)/i,
  ],

  ['sql-tautology', 'sql', /\b(?:or|and)\s{1,8}(['"]?)(\w{1,16})\1\s{0,8}(?:=|like)\s{0,8}['"]?\2\b/i],
  ['sql-always-true', 'sql', /['"]\s{0,8}(?:\|\||or)\s{1,8}(?:true\b|\d{1,6}\s{0,8}[<=]\s{0,8}\d)/i],
  [
    'sql-union-probe',
    'sql',
    /\bunion(?:\s|\/\*|%20|\+){1,8}\S{0,8}(?:\s|\+|%20)?(?:all\s{1,8})?select\W{1,8}(?:null|\d{1,3}\s{0,4},|@@|version\(|user\(|concat\(|table_name)/i,
  ],
  [
    'sql-stacked',
    'sql',
    /['")\d`%]\s{0,8};\s{0,8}(?:drop\s{1,8}(?:table|database)|delete\s{1,8}from|insert\s{1,8}into|update\s{1,8}\w{1,64}\s{1,8}set|truncate|shutdown|exec(?:ute)?)\b/i,
  ],
  [
    'sql-delay',
    'sql',
    /\b(?:pg_sleep|waitfor\s{1,8}delay|dbms_pipe\.receive_message|dbms_lock\.sleep)\b|\b(?:and|or|select|if\()\s{0,8}\(?(?:sleep|benchmark)\s{0,4}\(/i,
  ],
  [
    'sql-extract',
    'sql',
    /\b(?:extractvalue|updatexml|load_file|xp_cmdshell)\s{0,4}\(|\binto\s{1,8}(?:out|dump)file\b|\b(?:ascii|ord)\s{0,4}\(\s{0,4}sub(?:str|string)\b/i,
  ],
  ['sql-comment-after-quote', 'sql', /['"]\)?\s{0,4}(?:--|#|\/\*)/],

  [
    'shell-reverse',
    'shell',
    /\/dev\/(?:tcp|udp)\/|\bnc(?:at)?\s{1,4}-[a-z]{0,4}[ec]\s|\bbash\s{1,4}-i\s{0,4}[>&]|\bmkfifo\s{1,4}\/tmp/i,
  ],
  ['shell-ifs', 'shell', /\$\{?IFS\b/],
  [
    'shell-encoded',
    'shell',
    /\bpowershell(?:\.exe)?\s{1,4}-e(?:nc|ncodedcommand)?\s|\bbase64\s{1,4}(?:-d|--decode)\s{0,4}\|\s{0,4}(?:ba)?sh\b|%0a(?:id|cat|whoami|curl|wget|nc)\b/i,
  ],
  [
    'shell-download-and-run',
    'shell',
    /\b(?:curl|wget)\s[^|\n;]{1,200}\|\s{0,4}(?:sudo\s{1,4})?(?:ba|z)?sh\b/i,
  ],
  [
    'shell-chained-probe',
    'shell',
    /(?:[;|&`]|\$\()\s{0,4}(?:whoami|id|uname\s{1,4}-a|cat\s{1,4}\/etc\/(?:passwd|shadow)|rm\s{1,4}-rf\s{1,4}\/(?:\s|$))(?:[\s;|&`)]|$)/,
  ],
  ['shell-substitution', 'shell', /\$\([^()\n]{1,200}\)/],
  ['shell-chaining', 'shell', /(?:&&|\|\||[;|])\s{0,4}[a-z]{2,16}\b/],

  [
    'ssrf-metadata',
    'ssrf',
    /\b169\.254\.169\.254\b|\b(?:2852039166|0xa9fea9fe)\b|a9fe:a9fe|\bmetadata\.google\.internal\b|\b100\.100\.100\.200\b|fd00:ec2::254|\/latest\/meta-data\b|\/computeMetadata\//i,
  ],
  [
    'ssrf-odd-address',
    'ssrf',
    /:\/\/(?:[^\s/@]{1,64}@)?(?:0x[0-9a-f]{1,8}|0\d{1,11}|\d{8,10})(?:[.:/?#]|$)|:\/\/\[?(?:::ffff:|64:ff9b::|2002:)/i,
  ],
  ['ssrf-odd-scheme', 'ssrf', /\b(?:gopher|dict|ldap|tftp|phar|netdoc|jar|expect):\/\/|\bjar:https?:/i],
  [
    'ssrf-disguised-name',
    'ssrf',
    /:\/\/[^\s/]{0,64}[\u2460-\u249b\u24b6-\u24ea\uff10-\uff19\u3002\uff0e\uff61]/,
  ],
  [
    'ssrf-private-address',
    'ssrf',
    /:\/\/(?:[^\s/@]{1,64}@)?(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|0\.0\.0\.0|\[::1?\])/i,
  ],

  [
    'template-arithmetic',
    'template',
    /(?:\{\{=?|\$\{|<%=|#\{|\*\{|@\(|\[\[|\{%)\s{0,4}\d{1,6}\s{0,4}[*+]\s{0,4}'?\d{1,6}'?\s{0,4}(?:\}|%>|\)|\]\]|%\})/,
  ],
  [
    'template-internals',
    'template',
    /__(?:class|mro|subclasses|globals|builtins|bases?)__(?:\W[^\n]{0,64}__(?:mro|subclasses|globals|bases?)__|\(\))|\{\{\s{0,4}(?:lipsum|cycler|get_flashed_messages|url_for)\b[^}\n]{0,64}__|\|\s{0,4}attr\(\s{0,4}['"]__/,
  ],
  [
    'template-runtime',
    'template',
    /\bgetRuntime\(\)\s{0,4}\.\s{0,4}exec\b|\bT\(java\.|freemarker\.template\.utility|\bconstructor\.constructor\(|\bmainModule\.require\b|\bforName\(\s{0,4}['"]java\.lang/,
  ],
  ['template-lookup', 'template', /\$\{(?:jndi:|::-|lower:|upper:|env:)/i],
  ['template-any', 'template', /\{\{|<%=|\$\{/],

  [
    'pollution-path',
    'pollution',
    /(?:\b|\[|['".%])__proto__(?:\]|\.|\[|'|"|%5b)|\bconstructor(?:\.|\[|\['|\["|%5b)prototype\b/i,
  ],
  [
    'pollution-json',
    'pollution',
    /"(?:__proto__|(?:\\u005f|_){2}proto(?:\\u005f|_){2})"\s{0,4}:|"constructor"\s{0,4}:\s{0,4}\{\s{0,4}"prototype"/i,
  ],
  ['pollution-assignment', 'pollution', /\bObject\.prototype\.\w{1,64}\s{0,4}=[^=]/],
];

/** Every signature, by name. */
export const signatures: ReadonlyMap<string, Signature> = new Map(
  patterns.map(([name, of, pattern]) => {
    const rates = rateOf(name);
    const signature: Signature = {
      name,
      class: of,
      test: (text) => pattern.test(text),
      falsePositives: rates.map(({ hits, calls }) => `${hits} of ${calls} honest calls`).join(', '),
      enabled: rates.every(({ hits, calls }) => hits / calls <= 0.001),
    };
    return [name, signature];
  }),
);

/** One that was never measured is not on. */
function rateOf(name: string): readonly Measured[] {
  return measured.get(name) ?? [{ hits: 1, calls: 1 }];
}

/**
 * The signatures that are looked for.
 *
 * @param names undefined: those that are on by default
 * @throws TypeError for a name that there is not
 */
export function selectSignatures(names: readonly string[] | undefined): readonly Signature[] {
  if (names === undefined) return [...signatures.values()].filter(({ enabled }) => enabled);
  return [...new Set(names)].map((name) => {
    const signature = signatures.get(name);
    if (signature === undefined) throw new TypeError(`there is no signature ${JSON.stringify(name)}`);
    return signature;
  });
}
