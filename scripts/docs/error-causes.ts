import type { ErrorCode } from '../../src/errors.ts';

/** What stands in docs/errors.md beside the columns of the table in src/errors.ts. */
interface Cause {
  /** When this code is given. */
  readonly when: string;
  /** What the caller can do about it. */
  readonly help: string;
}

const fixClient = 'Correct the client: the same bytes will be refused again.';
const smaller = 'Send less, or ask the operator to raise the bound.';
const askPolicy = 'Ask whoever writes the policies. `sallyport explain` tells them why.';
const askUpstream = 'Try again; if it stays, the operator looks at the process log and at the server.';

/** One row for each code: a code without one does not compile. */
export const errorCauses: Readonly<Record<ErrorCode, Cause>> = {
  'body-empty': { when: 'A POST without a body.', help: fixClient },
  'body-too-large': {
    when: 'The body is above `listeners[].limits.bodyBytes`, or the frame above `limits.frames.requestBytes`.',
    help: smaller,
  },
  'json-invalid': { when: 'The body is not JSON by the grammar of RFC 8259.', help: fixClient },
  'json-encoding': { when: 'Bytes that are not UTF-8, or a byte order mark.', help: fixClient },
  'json-repeated-key': {
    when: 'An object has a key twice, compared after escapes are resolved: parsers disagree about which one counts.',
    help: fixClient,
  },
  'json-forbidden-key': { when: 'A key `__proto__`, at any depth.', help: 'Rename the key.' },
  'json-ambiguous-key': {
    when: 'A key of a protocol object that reads like one of its keys without being it, such as `Method`: a lenient server would take it for that key.',
    help: fixClient,
  },
  'json-lone-surrogate': { when: 'A text holds half of a surrogate pair.', help: fixClient },
  'json-number': { when: 'A number that is not finite, or has too many digits.', help: fixClient },
  'json-too-deep': { when: 'Nesting above `limits.request.maxDepth`.', help: smaller },
  'json-too-many-nodes': { when: 'More values than `limits.request.maxNodes`.', help: smaller },
  'json-too-many-keys': {
    when: 'An object with more keys than `limits.request.maxKeysPerObject`.',
    help: smaller,
  },
  'json-string-too-long': { when: 'A text above `limits.request.maxStringBytes`.', help: smaller },
  'json-array-too-long': { when: 'A list longer than `limits.request.maxArrayLength`.', help: smaller },
  'frame-invalid': {
    when: 'JSON, but not a JSON-RPC 2.0 request, notification or answer; or an answer posted in revision 2026-07-28.',
    help: fixClient,
  },
  'frame-id-invalid': {
    when: 'The id is `null`, a fraction, beyond 2^53, or a text of more than 128 characters.',
    help: fixClient,
  },
  'frame-params-invalid': {
    when: 'A member that the gateway decides on is missing or has another type, or a URI has no single normal form.',
    help: fixClient,
  },
  'batch-not-allowed': {
    when: 'A batch in another revision than 2025-03-26, or one with `initialize` in it.',
    help: 'Send the messages one by one.',
  },
  'batch-invalid': { when: 'A batch that is empty, too long, or repeats an id.', help: fixClient },
  'meta-missing': {
    when: 'A request of 2026-07-28 without protocol version or client capabilities in `params._meta`.',
    help: fixClient,
  },
  'header-mismatch': {
    when: '`Mcp-Method`, `Mcp-Name`, `Mcp-Param-*` or the version header says something else than the body, or names arguments of a tool that the gateway does not know.',
    help: 'Make the headers from the body that is sent. After a change of tools, list them again.',
  },
  'capability-missing': {
    when: 'The server asked what the client did not declare that it can answer (2026-07-28). `data.requiredCapabilities` names it.',
    help: 'Declare the capability, where the client has it. Otherwise the server must not ask.',
  },
  'revision-unsupported': {
    when: 'A protocol revision that the gateway does not know, or that `revisions` leaves out. `data.supported` names the modern ones that it serves.',
    help: 'Use one of them, or `initialize` for a legacy one.',
  },
  'method-unknown': {
    when: 'The method does not exist in this revision and direction. Unknown methods are never forwarded.',
    help: 'Check spelling and revision.',
  },

  'header-invalid': {
    when: 'A header that must stand once is repeated; framing that two parsers could read in two ways; a version header that is not that of the session.',
    help: 'Correct the client, or the proxy between.',
  },
  'header-too-large': {
    when: 'Headers above `listeners[].limits.headerBytes`, or too many of them.',
    help: smaller,
  },
  'media-type': { when: 'Another content type, another charset, or a content encoding.', help: fixClient },
  'not-acceptable': {
    when: 'POST without both media types in `Accept`; GET without `text/event-stream`.',
    help: fixClient,
  },
  'host-refused': {
    when: 'The `Host` is not in `listeners[].hosts`.',
    help: 'Use the name that the operator gave; the operator adds names under `hosts`.',
  },
  'origin-refused': {
    when: 'The `Origin` is not in `listeners[].origins`: a web page that nobody named.',
    help: 'The operator adds origins that are meant.',
  },
  'route-unknown': { when: 'No upstream has this path.', help: 'Check the URL: paths are compared exactly.' },
  'token-in-query': {
    when: 'The query has an `access_token`, at a route with `authorization`: URLs stand in logs and histories.',
    help: 'Send it as `Authorization: Bearer …`, and have the one that was sent revoked.',
  },
  'http-method': {
    when: 'Another method than POST, GET and DELETE; GET or DELETE in 2026-07-28; GET or DELETE that the upstream does not serve.',
    help: 'See the `Allow` header.',
  },
  'tls-handshake': {
    when: 'The handshake failed: no common version or suite, or a client certificate that does not verify. Stands in the audit only; the client sees a TLS alert.',
    help: 'Check the certificate, its chain, its dates and its revocation.',
  },
  'request-timeout': {
    when: 'Headers or body were not there in time.',
    help: 'Try again on a better network.',
  },

  'credential-missing': {
    when: 'Nothing was presented, or less than `require` asks for.',
    help: 'Authenticate as `WWW-Authenticate` says.',
  },
  'credential-invalid': {
    when: 'Something that was presented is not good, whatever else was proven; or it expired while a stream was open, or was revoked. The reason is not told.',
    help: 'Renew the credential.',
  },
  'scope-insufficient': {
    when: 'The token was good, but lacks a scope that this method and target need. `WWW-Authenticate` lists every scope of the operation.',
    help: 'Ask the authorization server for a token with the listed scopes; official clients do so by themselves.',
  },
  'session-missing': { when: 'DELETE without `Mcp-Session-Id`.', help: fixClient },
  'session-unknown': {
    when: "The session id is stale, forged, another caller's, another upstream's, or sealed with a key that is gone; or the upstream has forgotten the session, or the endpoint that had it is gone or does not answer. All look alike. Also an event id that does not belong to the session.",
    help: '`initialize` anew.',
  },

  denied: {
    when: 'Policy does not allow it, or the target does not exist for this caller, or nobody approved its definition. All look alike. `stream-open` and `session-end` are judged too.',
    help: askPolicy,
  },
  'arguments-refused': {
    when: 'The caller may use the target, but a rule on arguments refuses, an argument has no name in schema or rules (`role: unknown`), or a condition on arguments, time or network does not hold. `data` has `rule`, `path`, `role`, `fault` and `allow` (how to allow it), or `rule` and `condition`; never a value.',
    help: 'Change the arguments accordingly, or ask for what `data.allow` says.',
  },
  'arguments-invalid': {
    when: "The arguments do not fit the tool's own `inputSchema`: `data.path` and `data.keyword` say where. With `keyword: schema` the schema itself cannot be enforced, and `data.fault` says why.",
    help: 'Correct the arguments, or list the tools again: the definition may have changed.',
  },
  'definition-unknown': {
    when: 'No list of the upstream has shown this tool, and asking for one brought nothing: there is no schema to hold the call to.',
    help: askUpstream,
  },
  'flow-refused': {
    when: 'A tool marked `egress` was called while content of a tool marked `untrusted` counts as read. `data.retryAfterMs` says for how long; `data.approval` names the call to whoever may approve it.',
    help: 'Wait, or have the call approved.',
  },
  'content-refused': {
    when: 'The message holds a canary value, which must never leave.',
    help: 'Find out how the value came into this conversation: it was put there to be noticed.',
  },
  'rate-limited': {
    when: 'A rate of the policy is used up. `data.limit` names it.',
    help: 'Wait for `data.retryAfterMs`.',
  },
  'concurrency-limited': {
    when: 'As many calls are running as the limit `data.limit` allows.',
    help: 'Wait until one has ended.',
  },
  'sessions-exhausted': {
    when: 'As many legacy sessions live as `limits.sessions` allows, of this caller or in all; `data.bound` tells which.',
    help: 'End sessions that nobody needs (`DELETE`), or wait for `data.retryAfterMs`.',
  },
  'streams-exhausted': {
    when: 'As many streams that stay open as `limits.sessions` allows; `data.bound` tells which.',
    help: 'Close a stream first.',
  },
  'subscriptions-exhausted': {
    when: 'As many subscriptions as `limits.sessions` allows; `data.bound` tells which.',
    help: 'Unsubscribe from something first.',
  },
  'quota-exhausted': {
    when: "A limit's `quota` or `sum` is used up; `limit` names it, `retryAfterMs` tells when the next hour, day or month begins.",
    help: 'Wait, or ask the operator for more.',
  },
  'cost-too-high': {
    when: "The call's `cost` or amount is more than its limit ever allows; `limit` names it. No waiting helps.",
    help: 'Ask for less in one call.',
  },
  'cost-unknown': {
    when: 'A limit takes `cost` or `sum` from arguments, and these are missing, no numbers, negative or too large, or a key looks like theirs; `limit` names it.',
    help: 'Send the arguments that the limit reads, as numbers.',
  },
  flooded: {
    when: 'Too many requests or connections of one address or in all, too many requests pipelined on one connection, or the address is blocked because it kept failing.',
    help: 'Wait as long as `Retry-After` says. [Floods](floods.md) has what is counted.',
  },
  'answer-unexpected': {
    when: 'An answer to a question that nobody asked, that was answered already, or that has expired.',
    help: fixClient,
  },
  'request-id-in-use': {
    when: 'A request of this session with the same id has not ended.',
    help: 'Use each id once.',
  },
  'handle-unknown': {
    when: 'A task id or cursor that this gateway did not give to this caller for this upstream, or that is too old. Foreign, forged and expired ones look alike.',
    help: 'Begin again: list from the start, or call the tool anew.',
  },
  'state-unknown': {
    when: "`requestState` is stale, altered, or another caller's, method's or target's; or `inputResponses` answers what was not asked.",
    help: 'Send the request again without state.',
  },

  'upstream-unreachable': {
    when: 'No connection, or no TLS, to the server; or its breaker is open because there was none before; or its name has addresses that are not dialled.',
    help: '[Upstreams](upstreams.md). Try again; if it stays, ask the operator.',
  },
  'credential-unavailable': {
    when: "The upstream's credential is a token that has to be asked for, and none could be had: the authorization server is away, slow or says no; or the caller came without a token to exchange. For a second after a failure nothing is asked for. The cause is in the process log.",
    help: '[Credentials for upstreams](upstream-credentials.md). Try again; if it stays, ask the operator.',
  },
  'upstream-invalid': {
    when: 'The server sent something that is not valid, not decodable, or not an answer to this request.',
    help: askUpstream,
  },
  'upstream-refused': {
    when: "The server answered with an HTTP error. Its own words stay behind; the status is in the process log's cause.",
    help: askUpstream,
  },
  'upstream-closed': {
    when: 'The connection or stream ended without an answer. The server may have acted on the request.',
    help: 'Look at what the server did before trying again.',
  },
  'upstream-timeout': {
    when: 'One of `upstreams[].http.timeouts` ran out. The server may have acted on the request.',
    help: 'Look at what the server did before trying again.',
  },
  'result-too-large': {
    when: 'The answer is above `upstreams[].http.limits`, `limits.result`, `limits.frames`, or `maxBytes` of a rule of `results:`. Nothing of it is relayed.',
    help: 'Ask for less, or by pages.',
  },
  'answer-dropped': {
    when: 'All answers that are under way hold `limits.memory.answerBytes`. The call was made.',
    help: 'Look whether the call had its effect before repeating it.',
  },
  'result-invalid': {
    when: "`structuredContent` does not fit the tool's own `outputSchema`.",
    help: askUpstream,
  },
  'result-refused': {
    when: 'The result asks the client a question, or carries a resource, that policy does not allow; or a rule of `results:` refuses its type, size, links, characters or secrets. `data` then has `rule`, `fault` and `path`.',
    help: askPolicy,
  },

  'audit-unavailable': {
    when: 'Records cannot be written and `audit.onFailure` is `deny`.',
    help: 'Try again later. If the call had reached the server already, its answer was withheld.',
  },
  overloaded: {
    when:
      'There is more to do than can be done and this was shed, or a bound on connections, queued calls, streams, or remembered ' +
      'keys, requests and questions is reached.',
    help: 'Try again later; wait as long as `Retry-After` says, where there is one.',
  },
  'limits-unavailable': {
    when: 'The shared store of limits cannot be asked, and a limit says `onStoreLoss: deny`.',
    help: 'Try again in a few seconds; the operator looks at the store.',
  },
  draining: {
    when: 'The gateway stops, and this call or stream was still open at its deadline.',
    help: 'Try again.',
  },
  internal: {
    when: 'A fault of the gateway. A check that breaks refuses.',
    help: 'Report it, with the time; the process log has the cause.',
  },
};

/** How docs/errors.md groups them. A test holds that each code stands in exactly one group. */
export const errorGroups: readonly { readonly title: string; readonly codes: readonly ErrorCode[] }[] = [
  { title: 'What the bytes mean', codes: between('body-empty', 'method-unknown') },
  { title: 'The HTTP request around them', codes: between('header-invalid', 'request-timeout') },
  { title: 'Who is calling', codes: between('credential-missing', 'session-unknown') },
  { title: 'What policy and limits say', codes: between('denied', 'state-unknown') },
  { title: 'What the upstream did', codes: between('upstream-unreachable', 'result-refused') },
  { title: 'The gateway itself', codes: between('audit-unavailable', 'internal') },
];

function between(first: ErrorCode, last: ErrorCode): readonly ErrorCode[] {
  const codes = Object.keys(errorCauses) as ErrorCode[];
  return codes.slice(codes.indexOf(first), codes.indexOf(last) + 1);
}
