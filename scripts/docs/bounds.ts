import type { ErrorCode } from '../../src/errors.ts';
import type { definitions } from '../../src/observe/metric-definitions.ts';

/** What happens where an option that bounds a size, a count or a time is reached. */
export interface Bound {
  /** Paths of options, as the reference of the gateway file has them; `.*` at the end stands for all below. */
  readonly keys: readonly string[];
  readonly beyond: string;
  /** What the caller is told; none where no caller is concerned. */
  readonly codes?: readonly ErrorCode[];
  /** What counts it; codes are counted by `sallyport_exchanges_total` and `sallyport_refusals_total` anyway. */
  readonly metrics?: readonly (keyof typeof definitions)[];
}

const under = (prefix: string, ...names: readonly string[]): readonly string[] =>
  names.map((name) => `${prefix}.${name}`);

/** Every option that bounds something. */
export const bounds: readonly Bound[] = [
  // Connections and requests.
  {
    keys: under('listeners[].limits', 'headerBytes'),
    beyond: 'The request is refused.',
    codes: ['header-too-large'],
  },
  {
    keys: [...under('listeners[].limits', 'bodyBytes'), 'limits.frames.requestBytes'],
    beyond: 'The request is refused.',
    codes: ['body-too-large'],
  },
  {
    keys: under('listeners[].limits', 'headersTimeout', 'bodyTimeout'),
    beyond:
      'The request is refused, and its connection closed; without any byte of a request the connection just closes.',
    codes: ['request-timeout'],
  },
  {
    keys: under('listeners[].limits', 'connections', 'connectionsPerAddress'),
    beyond: 'The connection is closed at once.',
    codes: ['overloaded', 'flooded'],
    metrics: ['floods'],
  },
  {
    keys: ['listeners[].limits.rates.*'],
    beyond: 'Handshakes are cut off, requests are refused.',
    codes: ['flooded'],
    metrics: ['floods'],
  },
  {
    keys: under('listeners[].limits', 'connectionAge', 'requestsPerConnection', 'idleTimeout'),
    beyond: 'What is under way is finished, then the connection is closed. Nobody is refused.',
  },
  {
    keys: under('listeners[].limits', 'http2Streams'),
    beyond: 'The stream is refused by HTTP/2 itself (`REFUSED_STREAM`).',
  },
  {
    keys: under('listeners[].limits', 'stallTimeout', 'unsentBytes'),
    beyond: 'The connection of the client that takes nothing, or least, is cut.',
    metrics: ['floods'],
  },
  {
    keys: ['blocks.*'],
    beyond: 'The address is blocked for a while; the list forgets those with the fewest points.',
    codes: ['flooded'],
    metrics: ['blocks', 'blocksForgotten'],
  },

  // Who is calling.
  {
    keys: ['identity[].token.maxBytes', 'identity[].token.maxAge'],
    beyond: 'The token is refused.',
    codes: ['credential-invalid'],
  },
  {
    keys: under('identity[].token', 'introspection.concurrency', 'maxStale'),
    beyond: 'Tokens that cannot be checked are refused.',
    codes: ['credential-invalid'],
    metrics: ['outbound'],
  },
  {
    keys: ['identity[].token.dpop.window'],
    beyond: 'The proof is refused.',
    codes: ['credential-invalid'],
  },
  {
    keys: ['identity[].token.dpop.replay'],
    beyond: 'Proofs are refused until older ones have expired.',
    codes: ['credential-invalid'],
    metrics: ['replayMemoryFull'],
  },

  // JSON.
  ...(['request', 'result'] as const).map((side): Bound => {
    const upstream = side === 'result';
    return {
      keys: under(
        `limits.${side}`,
        'maxDepth',
        'maxNodes',
        'maxStringBytes',
        'maxArrayLength',
        'maxKeysPerObject',
        'maxBatch',
      ),
      beyond: upstream
        ? 'The answer is refused; on a standalone stream the message is dropped and counted.'
        : 'The request is refused.',
      codes: upstream
        ? ['upstream-invalid']
        : [
            'json-too-deep',
            'json-too-many-nodes',
            'json-string-too-long',
            'json-array-too-long',
            'json-too-many-keys',
            'batch-invalid',
          ],
      ...(upstream ? { metrics: ['dropped' as const] } : {}),
    };
  }),

  // Results and streams of upstreams.
  {
    keys: ['limits.frames.resultBytes', ...under('upstreams[].http.limits', 'resultBytes', 'eventBytes')],
    beyond: 'The call fails, and its connection is closed.',
    codes: ['result-too-large'],
  },
  {
    keys: [
      ...under('limits.frames', 'framesPerExchange', 'bytesPerExchange', 'framesPerStream', 'bytesPerStream'),
      ...under('upstreams[].http.limits', 'callBytes', 'streamBytes'),
    ],
    beyond: 'The call fails, or the stream ends, and its connection is closed.',
    codes: ['result-too-large'],
  },
  {
    keys: ['limits.memory.answerBytes'],
    beyond: 'The answer that grows is dropped, and its connection is closed. The call was made.',
    codes: ['answer-dropped'],
    metrics: ['bounds'],
  },
  {
    keys: under('upstreams[].http.timeouts', 'connect', 'headers', 'idle', 'total', 'stream'),
    beyond: 'The call fails, or the stream ends, and its connection is closed.',
    codes: ['upstream-timeout'],
  },
  {
    keys: ['upstreams[].http.timeouts.longest'],
    beyond: 'What a policy gives a call beyond it counts as this.',
    codes: ['upstream-timeout'],
  },
  {
    keys: under('upstreams[].http.limits', 'connections', 'queued', 'streams'),
    beyond:
      'Calls wait for a connection; those that may not even wait are refused. One caller has seven eighths of the places at most.',
    codes: ['overloaded'],
  },

  // Lists.
  {
    keys: under('limits.lists', 'tools'),
    beyond: 'The list ends. Tools beyond are not known: a call to one is refused where schemas are enforced.',
    codes: ['definition-unknown'],
    metrics: ['bounds', 'findings'],
  },
  {
    keys: under('limits.lists', 'schemaBytes'),
    beyond: 'The tool is taken out of the list, and not known.',
    codes: ['definition-unknown'],
    metrics: ['bounds', 'findings'],
  },
  {
    keys: under('limits.lists', 'bytes'),
    beyond: 'The look has failed: what was learnt before stays, and what is unknown is refused.',
    codes: ['definition-unknown'],
    metrics: ['bounds'],
  },

  // Sessions, streams, subscriptions.
  {
    keys: under('limits.sessions', 'total', 'perPrincipal', 'idle'),
    beyond: '`initialize` is refused, with `Retry-After`. Sessions that live are served.',
    codes: ['sessions-exhausted'],
    metrics: ['bounds'],
  },
  {
    keys: under('limits.sessions', 'streamsPerSession', 'streamsPerPrincipal'),
    beyond: 'The stream is refused.',
    codes: ['streams-exhausted'],
    metrics: ['bounds'],
  },
  {
    keys: under('limits.sessions', 'subscriptions', 'subscriptionsPerSession', 'subscriptionsPerPrincipal'),
    beyond: 'The subscription is refused.',
    codes: ['subscriptions-exhausted'],
    metrics: ['bounds'],
  },
  {
    keys: ['session.maxAge'],
    beyond: 'The id opens no more.',
    codes: ['session-unknown'],
  },
  {
    keys: under('limits.handles', 'taskAge', 'cursorAge'),
    beyond: 'The handle opens no more.',
    codes: ['handle-unknown'],
  },
  {
    keys: under('limits.requestState', 'maxAge', 'maxBytes', 'maxQuestions'),
    beyond: 'An old state opens no more; a result with a larger one, or with more questions, is refused.',
    codes: ['state-unknown', 'upstream-invalid'],
  },

  // Memory of checks.
  {
    keys: under('limits.memory', 'rateKeys', 'quotaKeys', 'concurrencyKeys'),
    beyond: 'A call that needs a new key is refused.',
    codes: ['limits-unavailable', 'overloaded'],
    metrics: ['limitStoreFull'],
  },
  {
    keys: under('limits.memory', 'requests', 'requestsPerSession'),
    beyond: 'Requests whose stream broke are forgotten first; then new ones are refused.',
    codes: ['overloaded'],
  },
  {
    keys: under('limits.memory', 'lateAnswers'),
    beyond: "The answer is nobody's any more, and is dropped.",
    metrics: ['dropped'],
  },
  {
    keys: under('limits.memory', 'questions', 'questionsPerSession', 'questionAge'),
    beyond: "A server's question is refused; an answer to one that is too old is refused.",
    codes: ['overloaded', 'answer-unexpected'],
    metrics: ['questions'],
  },
  {
    keys: ['flows.principals'],
    beyond: 'All callers are held back.',
    codes: ['flow-refused'],
    metrics: ['findings'],
  },
  {
    keys: ['definitions.maxAge'],
    beyond: 'The gateway looks at the list again, beside the call.',
  },

  // What the gateway asks for itself.
  {
    keys: under('outbound', 'timeout', 'maxBytes', 'concurrency'),
    beyond: 'The question has failed; a token that then cannot be checked is refused.',
    codes: ['credential-invalid', 'credential-unavailable'],
    metrics: ['outbound'],
  },
  {
    keys: under(
      'upstreams[].http.credential',
      'clientCredentials.timeout',
      'tokenExchange.timeout',
      'tokenExchange.cached',
    ),
    beyond: 'The call is refused and not sent. Of the tokens that are kept, the one used longest ago goes.',
    codes: ['credential-unavailable'],
    metrics: ['outbound'],
  },
  {
    keys: under('lookups.dns', 'timeout', 'maxConcurrent', 'cache.entries'),
    beyond: 'The name counts as unresolved, and the argument is refused; the oldest remembered answer goes.',
    codes: ['arguments-refused'],
    metrics: ['findings'],
  },
  {
    keys: under('store.redis', 'timeout', 'pending'),
    beyond: 'The store counts as lost, and each limit does what its `onStoreLoss` says.',
    codes: ['limits-unavailable'],
    metrics: ['storeUp'],
  },

  // The gateway itself.
  {
    keys: ['audit.maxRecordBytes'],
    beyond: 'Arguments and findings are left out of the record, and it says so.',
  },
  {
    keys: ['audit.pendingBytes', 'audit.pendingRecords', 'audit.timeout'],
    beyond: 'Calls are refused, or records are lost, as `audit.onFailure` says.',
    codes: ['audit-unavailable'],
    metrics: ['auditAccepting', 'auditLost', 'auditFailures'],
  },
  {
    keys: under('overload', 'inFlight', 'share', 'delay', 'wait', 'memory'),
    beyond:
      'Work is refused, the least important first; beyond `share` that of one caller, beyond `inFlight` that of everybody.',
    codes: ['overloaded'],
    metrics: ['shed'],
  },
  {
    keys: ['drain.deadline'],
    beyond: 'What still runs is ended.',
    codes: ['draining'],
  },
];

/** Options that are numbers or times and bound nothing: how often, how soon, how many of a kind. */
export const paces: readonly string[] = [
  'listeners[].limits.streamKeepAlive',
  'identity[].token.introspection.cache',
  'identity[].token.introspection.negativeCache',
  'identity[].token.clockSkew',
  'identity[].token.refreshInterval',
  'identity[].token.cooldown',
  'upstreams[].http.health.*',
  'upstreams[].http.panic',
  'upstreams[].http.ejection.*',
  'upstreams[].http.breaker.*',
  'upstreams[].http.retries.*',
  'upstreams[].http.credential.clientCredentials.skew',
  'upstreams[].http.credential.tokenExchange.skew',
  'lookups.dns.cache.ttl',
  'lookups.dns.cache.negativeTtl',
  'store.redis.replicas',
  'store.redis.placeLease',
  'audit.retry',
  'overload.retryAfter',
  'drain.delay',
  'reload.settle',
  'reload.poll',
  'workers',
];
