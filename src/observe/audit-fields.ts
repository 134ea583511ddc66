/** One field of an audit record, for the documentation and for the test that compares it with real records. */
export interface AuditField {
  /** Dotted path; `[]` stands for each entry of a list, `*` for any name. */
  readonly name: string;
  /** Whether each record has it. */
  readonly always: boolean;
  readonly description: string;
}

export const auditSchema = 'sallyport.audit/v1';

function always(name: string, description: string): AuditField {
  return { name, always: true, description };
}

function sometimes(name: string, description: string): AuditField {
  return { name, always: false, description };
}

/** Every field that a record can have, in the order in which they are written. */
export const auditFields: readonly AuditField[] = [
  always('schema', `\`${auditSchema}\`.`),
  always('time', 'When the exchange began, or was refused: ISO 8601, UTC, milliseconds.'),
  always('run', 'Random name of this process start.'),
  always('sequence', 'Counts records of this run from 1. A gap is a lost record.'),
  always('event', '`exchange`, `stream-opened`, `stream-ended`, `question`, `refusal` or `definition`.'),
  sometimes('exchange', 'Id of the exchange. A stream and the questions inside it share one.'),
  sometimes('who.id', 'Canonical id of the principal. Absent where nobody was authenticated.'),
  sometimes('who.credentials[].kind', '`certificate`, `token`, `apiKey` or `anonymous`.'),
  sometimes('who.credentials[].fingerprint', 'SHA-256 of the client certificate, hex.'),
  sometimes('who.credentials[].issuer', 'Issuer of the token.'),
  sometimes('who.credentials[].id', 'Id of the token (`jti`), as the deny list names it. Never the token.'),
  sometimes('who.credentials[].client', 'OAuth client of the token.'),
  sometimes(
    'who.credentials[].bound',
    '`certificate` or `dpop`, where the holder proved that the token is its own.',
  ),
  sometimes('who.credentials[].name', 'Name of the API key. Never the key.'),
  sometimes('who.credentials[].prefix', 'Prefix of the API key, without `spk_`, as the deny list names it.'),
  always('from.address', 'Source address as the kernel gives it.'),
  sometimes('from.tls', 'TLS version. Absent on a plain-text listener.'),
  sometimes('upstream', 'Name of the upstream.'),
  always('verb', 'HTTP method.'),
  sometimes('era', '`legacy` or `modern`.'),
  sometimes('revision', 'MCP revision that the frame speaks.'),
  sometimes('method', 'JSON-RPC method. Absent for streams, session ends and answers.'),
  sometimes('target.kind', '`tool`, `resource`, `prompt` or `method`.'),
  sometimes('target.name', 'Name of the target. Secrets inside a URI are redacted.'),
  sometimes('decision.effect', '`allow` or `deny`. Absent where policy was not reached.'),
  sometimes('decision.reason', 'The reason that settled the decision, one word.'),
  sometimes('decision.rule', 'Id of the rule that settled it.'),
  sometimes('decision.location', '`file:line` of that rule.'),
  sometimes('decision.condition', 'The condition that did not hold.'),
  sometimes('roles[]', 'Roles of the caller under this policy; at most 16.'),
  sometimes('policy', 'Hash of the policy set that decided.'),
  sometimes('shadow.effect', 'What rules in shadow mode would have decided instead.'),
  sometimes('shadow.reason', 'Their reason.'),
  sometimes('shadow.rule', 'Their rule.'),
  sometimes('shadow.location', '`file:line` of that rule.'),
  sometimes('limits[]', 'Names of the limits that counted this exchange; at most 16.'),
  sometimes('limitedBy', 'Name of the limit that refused it.'),
  sometimes('timeout.ms', 'Milliseconds that policy gave this call.'),
  sometimes('timeout.rule', 'Id of the entry of `timeouts` that says so.'),
  sometimes('question.method', 'For `question`: the method that the server asked of the client.'),
  sometimes('question.rule', 'For `question`: the rule that decided about it.'),
  sometimes('findings[].check', 'What checks of content found, at most 32: the check.'),
  sometimes(
    'findings[].effect',
    '`refused`, `would-refuse` (shadow), `alert`, `rewritten`, `redacted` or `stripped`.',
  ),
  sometimes('findings[].rule', 'Id of the rule that asked for it.'),
  sometimes('findings[].path', 'Which argument, or which part of a result.'),
  sometimes('findings[].detail', 'The fault, the rewrite or the class of secret, one word.'),
  sometimes('findings[].before', 'Hash of the value before a rewrite.'),
  sometimes('findings[].after', 'Hash of the value after it.'),
  sometimes('findings[].count', 'How often, where it was more than once.'),
  sometimes('findingsMore', 'Findings beyond those listed.'),
  sometimes('upstreamError', "The server's own error text, which the client did not get, redacted."),
  sometimes(
    'definition.standing',
    'For `definition`: a tool or the instructions of a server are not what was approved. Such a record has the fields ' +
      'down to `event`, `upstream`, and these. `new`, `changed`, `vanished`, `ambiguous` or `look-alike`.',
  ),
  sometimes('definition.quarantined', 'Whether it is held back.'),
  sometimes('definition.tool', "Name of the tool. Absent for the server's instructions."),
  sometimes('definition.hash', 'Hash of what the server says now.'),
  sometimes('definition.pinned', 'Hash of what was approved.'),
  sometimes('definition.difference[]', 'What differs, as lines, redacted; at most 16.'),
  sometimes('definition.more', 'Lines beyond those; the process log has up to 60.'),
  always('bytes.request', "Bytes of the client's frame."),
  always('bytes.reply', 'Bytes of what was relayed back.'),
  always('frames', 'Frames relayed to the client.'),
  sometimes(
    'dropped.*',
    'Frames of either side that were not relayed: count by the word for what stopped them; at most 16 words.',
  ),
  always('duration.total', 'Milliseconds from the arrival of the frame to the outcome.'),
  sometimes('duration.upstream', "Milliseconds until the upstream's answer began."),
  always('status', 'HTTP status that the client saw.'),
  always('code', '`ok`, `tool-error`, `rpc-error`, `cancelled`, or the code of the error.'),
  sometimes('rpc', 'JSON-RPC error code that the client saw.'),
  sometimes(
    'times',
    'For `refusal`: how many like it this record stands for, where a flood makes too many to record each. It is the last of them.',
  ),
  sometimes('trace', 'Trace id.'),
  sometimes('cause', 'Classes and codes of what went wrong inside. Never text from a peer.'),
  sometimes('arguments', 'Arguments of the call, redacted, where a rule says `audit: arguments`.'),
];
