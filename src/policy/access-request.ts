/**
 * The question and the answer of the policy decision point.
 *
 * Knows neither MCP nor HTTP: callers translate into these words.
 */

/** A JSON value as conditions read it. Kept apart from the decoder's type so that policy imports nothing. */
export type ConditionValue = unknown;

/** Structurally what identity/ calls a Principal. */
export interface Subject {
  readonly id: string;
  readonly credentials: readonly SubjectCredential[];
}

export type SubjectCredential =
  | {
      readonly kind: 'certificate';
      readonly fingerprint256: string;
      readonly commonName: string | undefined;
      readonly uris: readonly string[];
      readonly dns: readonly string[];
    }
  | {
      readonly kind: 'token';
      readonly issuer: string;
      readonly subject: string;
      readonly scopes: readonly string[];
      readonly claims: { readonly [name: string]: ConditionValue };
      readonly clientId?: string | undefined;
      /** What the holder proved beside it; undefined: a bearer token, good in anybody's hands. */
      readonly bound?: 'certificate' | 'dpop' | undefined;
    }
  | { readonly kind: 'apiKey'; readonly name: string; readonly roles?: readonly string[] }
  | { readonly kind: 'anonymous' };

/**
 * What may be asked of a target: `call` a tool; `read` or `subscribe` a resource; `get` a prompt;
 * `complete` the arguments of a prompt or resource template; `use` a method that has no target of its own;
 * `ask` the client (sampling, elicitation, roots): the server is the one who acts, the client's principal decides.
 */
export type Action = 'call' | 'read' | 'subscribe' | 'get' | 'complete' | 'use' | 'ask';

export type ResourceKind = 'tool' | 'resource' | 'prompt' | 'method';

export interface AccessRequest {
  readonly subject: Subject;
  readonly action: Action;
  readonly resource: {
    readonly upstream: string;
    readonly kind: ResourceKind;
    /** Tool or prompt name, normalised resource URI, or method name. Exact code points. */
    readonly name: string;
    /**
     * For methods that reveal and do nothing of their own (`initialize`, `ping`, lists whose entries are decided one
     * by one): allowed as soon as any allow rule of the subject covers this upstream. A deny still wins.
     */
    readonly implied?: boolean;
  };
  readonly context: {
    /** Arguments of the call. Undefined when the question is asked without a call, for lists. */
    readonly arguments?: { readonly [name: string]: ConditionValue } | undefined;
    /** Source address of the peer. */
    readonly address: string;
    /** Milliseconds since the epoch. */
    readonly time: number;
  };
}

/** Why a decision came out as it did, one word, the same in logs, metrics, audit and `explain`. */
export type ReasonCode =
  | 'allowed' // an allow rule matched
  | 'implied' // allowed because the subject may use something on this upstream
  | 'denied-by-rule' // a deny rule matched, or could not be evaluated
  | 'denied-by-acl' // the object has ACL entries, and none of them lets the subject in
  | 'condition-failed' // a rule names this target, but its `when` does not hold
  | 'no-role' // no binding gives the subject any role
  | 'no-rule' // no rule of the subject's roles names this target
  | 'scope-missing'; // rules allow it, but `scopes:` asks for a scope that the subject's token does not have

export interface Reason {
  readonly code: ReasonCode;
  /** Rule id, e.g. `roles.analyst.allow[0]`; undefined for `no-role` and `no-rule`. */
  readonly rule: string | undefined;
  /** `file:line` of the rule. */
  readonly location: string | undefined;
  /** For `condition-failed`: which condition, e.g. `args.limit.max`; for `scope-missing`: `scopes.NAME`. Never a value. */
  readonly condition?: string;
}

export interface Decision {
  readonly effect: 'allow' | 'deny';
  /** The reason that settled it first, then others that agree. Never empty. */
  readonly reasons: readonly [Reason, ...Reason[]];
  /**
   * Whether the subject may know that this target exists: true for every allow, and for a deny that is owed to
   * arguments, time or network alone, or to a missing scope. An invisible target must be answered exactly as an unknown one.
   */
  readonly visible: boolean;
  /** Whether an allow or deny rule that matched asks for redacted arguments in the audit (`audit: arguments`). */
  readonly obligations: { readonly auditArguments: boolean };
  /** What rules in `mode: shadow` would have changed; undefined where nothing would. */
  readonly shadow?: { readonly effect: 'allow' | 'deny'; readonly reason: Reason };
}
