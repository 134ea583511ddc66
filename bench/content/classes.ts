/** What is done with a class of values: the role of the argument that they are judged as. */
export type ClassRole =
  | 'path'
  | 'url'
  | 'id'
  | 'sql'
  | 'uuid'
  | 'email'
  | 'date'
  | 'cidr'
  | 'semver'
  | 'base64'
  | 'host'
  /** What a shell acts on. Attacks are held to `id`; an honest shell command is no identifier, and nobody declared it. */
  | 'shell'
  /** Free text: no role decides it, whatever it says. */
  | 'text';

/**
 * Classes by the words in their name, split at case and separators and joined by `_`. The first row that matches counts,
 * so what names an attack stands before what names a kind of value.
 */
const classes: readonly (readonly [pattern: RegExp, role: ClassRole])[] = [
  // What only free text can hold comes first: an indirect prompt injection about paths is prose.
  [/prompt|jailbreak|poison|social|phish|toxic|pii|hallucinat|exfil/, 'text'],
  [/xss|cross_site|cwe_79$|cwe_80$|html_inj|script_inj|csti/, 'text'],
  [/ssti|template|cwe_1336|^tpl/, 'text'],
  [/proto(?:type)?_?pollution|pollution|cwe_1321|__proto__/, 'text'],
  [/xxe|xml|cwe_611|redos|regex|billion|deseriali[sz]|cwe_502|graphql|xslt|yaml/, 'text'],
  [
    /ssrf|server_side_request|cwe_918|internal_(?:address|host|ip|url)|metadata_(?:service|endpoint|ip)|dns_rebind|private_(?:ip|address)|non_public|nonpublic|loopback|link_local|open_redirect/,
    'url',
  ],
  [
    /nosql|no_sql|mongo|cwe_943|ldap|cwe_90$|crlf|header_inj|response_split|cwe_93$|cwe_113$|xpath|log_inj/,
    'shell',
  ],
  [/sql|cwe_89$/, 'sql'],
  [
    /travers|dot_dot|dotdot|path|cwe_2[2-9]$|cwe_3[5-7]$|lfi|rfi|file_incl|directory|dir_|zip_?slip|arbitrary_file|file_(?:read|write|access)|sandbox_escape|^dir$|^escapes?$/,
    'path',
  ],
  [
    /shell|command_inj|cmd_?i|cmdi|os_command|os_inj|command_exec|metachar|cwe_7[78]$|^rce$|remote_code|remote_command|argument_inj|arg_inj|option_inj|flag_inj|cwe_88$|identifier_inj/,
    'shell',
  ],
  [/code_inj|eval|cwe_9[45]$|python|javascript/, 'text'],

  [/(?:^|_)u(?:ui|gui)ds?(?:_|$)|(?:^|_)guids?(?:_|$)/, 'uuid'],
  [/(?:^|_)e?_?mails?(?:_|$)/, 'email'],
  [/(?:^|_)(?:cidrs?|subnets?)(?:_|$)/, 'cidr'],
  [/(?:^|_)sem_?ver(?:_|$)/, 'semver'],
  [/(?:^|_)base_?64(?:_|$)/, 'base64'],
  [/(?:^|_)(?:date|date_?time|timestamp|rfc_?3339)s?(?:_|$)/, 'date'],
  [/(?:^|_)(?:ur[il]s?|links?|hrefs?|web_?hooks?|websites?)(?:_|$)/, 'url'],
  [/(?:^|_)(?:ip|ipv4|ipv6|ips|address|addresses|host|hosts|hostname|hostnames|domains?)(?:_|$)/, 'host'],
  [/(?:^|_)(?:files?|file_?names?|file_?paths?|folders?|dirs?)(?:_|$)/, 'path'],
  [
    /(?:^|_)(?:ids?|identifiers?|idents?|slugs?|branch|branches|repos?|repository|tags?|refs?|handles?)(?:_|$)/,
    'id',
  ],
  [/(?:^|_)(?:commands?|cmds?|bash|argv|cli)(?:_|$)/, 'shell'],
  [
    /(?:^|_)(?:text|prose|code|markdown|json|html|free_?text|search|chat|message|template|document|docs?|number|math|misc|other|general|natural_language)(?:_|$)/,
    'text',
  ],
];

/** @returns undefined where nothing in the name says anything */
export function classRole(name: string): ClassRole | undefined {
  const words = toWords(name);
  return classes.find(([pattern]) => pattern.test(words))?.[1];
}

/** Whether the class is one of attacks by its name: its honest twin may be any text that looks like one. */
export function isInjection(name: string): boolean {
  return /inj|sqli|cwe_|attack|exploit|nosql|ldap|crlf/.test(toWords(name));
}

/** `PathTraversal`, `path-traversal` and `Path Traversal` are the same words. */
export function toWords(name: string): string {
  return name
    .slice(0, 128)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
}

/** Names of roles as others write them. */
const roleWords: ReadonlyMap<string, string> = new Map([
  ['identifier', 'id'],
  ['integer', 'int'],
  ['float', 'number'],
  ['decimal', 'number'],
  ['boolean', 'bool'],
  ['string', 'text'],
  ['freetext', 'text'],
  ['free_text', 'text'],
  ['prose', 'text'],
  ['uri', 'url'],
  ['file', 'path'],
  ['filepath', 'path'],
  ['file_path', 'path'],
  ['mail', 'email'],
  ['e_mail', 'email'],
  ['guid', 'uuid'],
  ['datetime', 'date'],
  ['date_time', 'date'],
  ['version', 'semver'],
  ['shell', 'command'],
  ['shell_arg', 'id'],
  ['host', 'host'],
  ['hostname', 'host'],
  ['ip', 'host'],
  ['md', 'markdown'],
  ['source_code', 'code'],
  ['bytes', 'blob'],
  ['password', 'secret'],
]);

/** The name of a role, in this gateway's words. Unknown ones come back as they are. */
export function roleWord(name: string): string {
  const words = toWords(name);
  return roleWords.get(words) ?? words;
}
