/** What a full run must show. Literals on purpose: a new version of the suite should make someone look. */

export interface ServerExpectation {
  readonly requirements: string;
  /** Scenarios that decide about conformance. */
  readonly scored: number;
  /** Run and reported by the suite without counting; here they count. */
  readonly unscored: readonly string[];
  /** Scenarios of an extension that the fixture does not offer: run by the suite, not looked at here. */
  readonly notOffered: readonly string[];
}

/**
 * Warnings of the suite that are known and meant, each with its reason. The suite itself counts no warning against a
 * server; here every other one fails the run.
 */
export const knownWarnings: ReadonlyMap<string, string> = new Map([
  ...['sep-2322-missing-response-rerequests', 'sep-2322-ignore-unexpected-params'].map(
    (check) =>
      [
        check,
        'An answer to a question that was not relayed to this caller is refused, not passed on.',
      ] as const,
  ),
]);

export const serverExpectations: readonly ServerExpectation[] = [
  {
    requirements: '2025-11-25',
    scored: 30,
    unscored: ['server-session-lifecycle', 'json-schema-2020-12', 'server-sse-polling'],
    notOffered: [],
  },
  {
    requirements: '2026-07-28',
    scored: 37,
    unscored: ['json-schema-2020-12', 'http-header-validation', 'http-custom-header-server-validation'],
    notOffered: [
      'tasks-lifecycle',
      'tasks-capability-negotiation',
      'tasks-wire-fields',
      'tasks-request-state-removal',
      'tasks-mrtr-input',
      'tasks-request-headers',
      'tasks-dispatch-and-envelope',
      'tasks-status-notifications',
      'tasks-required-task-error',
      'tasks-mrtr-composition',
    ],
  },
];

export interface ClientExpectation {
  readonly scenario: string;
  readonly revision: string;
  /** Checks that must have succeeded: a client that never reached the server leaves fewer behind. */
  readonly checks: number;
}

/** Every client scenario without OAuth. Those with OAuth bind the token to the harness's own address. */
export const clientExpectations: readonly ClientExpectation[] = [
  { scenario: 'initialize', revision: '2025-11-25', checks: 1 },
  { scenario: 'tools_call', revision: '2025-11-25', checks: 2 },
  { scenario: 'tools_call', revision: '2026-07-28', checks: 2 },
  { scenario: 'elicitation-sep1034-client-defaults', revision: '2025-11-25', checks: 5 },
  { scenario: 'sse-retry', revision: '2025-11-25', checks: 3 },
  { scenario: 'request-metadata', revision: '2026-07-28', checks: 8 },
  { scenario: 'http-standard-headers', revision: '2026-07-28', checks: 9 },
  { scenario: 'http-custom-headers', revision: '2026-07-28', checks: 18 },
  { scenario: 'http-invalid-tool-headers', revision: '2026-07-28', checks: 12 },
  { scenario: 'json-schema-ref-no-deref', revision: '2026-07-28', checks: 1 },
  { scenario: 'sep-2322-client-request-state', revision: '2026-07-28', checks: 5 },
];
