import { auditDefinitions } from './audit-metric-definitions.ts';
import { limitDefinitions } from './limit-definitions.ts';
import type { MetricDefinition } from './metric-family.ts';
import { overloadDefinitions } from './overload-metric-definitions.ts';
import { storeDefinitions } from './store-metrics.ts';
import { upstreamDefinitions } from './upstream-metric-definitions.ts';
import { workerDefinitions } from './worker-metric-definitions.ts';

/** Seconds. OpenTelemetry's advice for `mcp.server.operation.duration`, so that both kinds of data agree. */
export const durationBuckets: readonly number[] = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300,
];

/**
 * Every metric of the gateway's own. Values of labels are bounded: `upstream` and `limit` come from configuration,
 * `method` from the table of MCP methods, `code` and `reason` from their tables, and names of tools and prompts
 * appear only where policy or the upstream's own list knows them. All else is `_other`.
 */
export const definitions = {
  exchanges: {
    name: 'sallyport_exchanges_total',
    type: 'counter',
    help: 'Exchanges that ended, by outcome code.',
    labels: ['upstream', 'method', 'code'],
  },
  calls: {
    name: 'sallyport_target_exchanges_total',
    type: 'counter',
    help: 'Exchanges about a tool or prompt, by its name and by outcome code.',
    labels: ['upstream', 'kind', 'name', 'code'],
  },
  refusals: {
    name: 'sallyport_refusals_total',
    type: 'counter',
    help: 'Requests refused before an exchange began, by code.',
    labels: ['upstream', 'code'],
  },
  floods: {
    name: 'sallyport_flood_refusals_total',
    type: 'counter',
    help:
      'Connections and requests that were turned away before anything of them was looked at, by what there was too much of: ' +
      '`handshakes`, `connections` or `requests` in all, the same with `-per-address`, `blocked` (the address is), ' +
      '`control-frames` (of one HTTP/2 connection, which was closed). `unsent`: an answer was cut off because clients had ' +
      'not taken too much in all (`unsentBytes`).',
    labels: ['kind'],
  },
  blockedAddresses: {
    name: 'sallyport_blocked_addresses',
    type: 'gauge',
    help: 'Addresses that are blocked now.',
    labels: [],
    aggregate: 'max',
  },
  blocks: {
    name: 'sallyport_address_blocks_total',
    type: 'counter',
    help: 'Blocks of addresses that kept failing.',
    labels: [],
  },
  blocksForgotten: {
    name: 'sallyport_address_blocks_forgotten_total',
    type: 'counter',
    help: 'Blocks that ended early because all places of the list were taken by worse ones (`blocks.entries`).',
    labels: [],
  },
  denials: {
    name: 'sallyport_denials_total',
    type: 'counter',
    help: 'Policy denials, by reason.',
    labels: ['upstream', 'reason'],
  },
  shadow: {
    name: 'sallyport_shadow_decisions_total',
    type: 'counter',
    help: 'Decisions that rules in shadow mode would have changed, by the effect that they would have had.',
    labels: ['upstream', 'effect', 'reason'],
  },
  wouldDeny: {
    name: 'sallyport_would_deny_total',
    type: 'counter',
    help:
      'What rules in shadow mode would have refused, by the id of the rule: roles, protected objects, `scopes`, `arguments`, ' +
      '`results`, `flows`; of limits `limits.` and the name.',
    labels: ['upstream', 'rule'],
  },
  ...limitDefinitions,
  findings: {
    name: 'sallyport_findings_total',
    type: 'counter',
    help: 'What checks of content found, by check and effect; `_other` beyond those that are kept for one exchange.',
    labels: ['check', 'effect', 'upstream'],
  },
  pinEvents: {
    name: 'sallyport_definitions_changed_total',
    type: 'counter',
    help: 'Tool definitions and instructions that are not the approved ones, by how they stand: `new`, `changed`, `vanished`, `ambiguous`, `look-alike`.',
    labels: ['upstream', 'standing'],
  },
  bounds: {
    name: 'sallyport_bounds_total',
    type: 'counter',
    help: 'How often a bound was reached that no error code tells by itself, by its word in [limits](limits.md).',
    labels: ['upstream', 'bound'],
  },
  dropped: {
    name: 'sallyport_dropped_frames_total',
    type: 'counter',
    help: 'Frames from upstreams that were not relayed, by the word for what stopped them.',
    labels: ['upstream', 'reason'],
  },
  questions: {
    name: 'sallyport_questions_total',
    type: 'counter',
    help: 'Requests of upstreams to clients (sampling, elicitation, roots), by outcome code.',
    labels: ['upstream', 'method', 'code'],
  },
  requestBytes: {
    name: 'sallyport_request_bytes_total',
    type: 'counter',
    help: 'Bytes of frames from clients.',
    labels: ['upstream'],
  },
  replyBytes: {
    name: 'sallyport_reply_bytes_total',
    type: 'counter',
    help: 'Bytes relayed to clients.',
    labels: ['upstream'],
  },
  duration: {
    name: 'sallyport_exchange_duration_seconds',
    type: 'histogram',
    help: 'Time from the arrival of a frame to its outcome. Long-lived streams are not in here.',
    labels: ['upstream', 'method'],
  },
  upstreamDuration: {
    name: 'sallyport_upstream_duration_seconds',
    type: 'histogram',
    help: "Time until the upstream's answer began. Long-lived streams are not in here.",
    labels: ['upstream'],
  },
  ...upstreamDefinitions,
  ...storeDefinitions,
  streams: {
    name: 'sallyport_streams_active',
    type: 'gauge',
    help: 'Long-lived streams that are open.',
    labels: ['upstream'],
  },
  active: {
    name: 'sallyport_exchanges_active',
    type: 'gauge',
    help: 'Exchanges under way, long-lived streams included.',
    labels: [],
  },
  ...overloadDefinitions,
  ...auditDefinitions,
  replayMemoryFull: {
    name: 'sallyport_dpop_replay_memory_full_total',
    type: 'counter',
    help: 'DPoP proofs refused because no further one can be remembered: `dpop.replay` is too small, or somebody floods.',
    labels: ['upstream'],
  },
  outbound: {
    name: 'sallyport_outbound_requests_total',
    type: 'counter',
    help:
      'Requests that the gateway made for itself, by purpose (jwks, discovery, introspection, token, other) and outcome: ' +
      'ok, malformed (a 2xx that is no answer to what was asked), status (another than 2xx), or the code of what was refused or failed.',
    labels: ['purpose', 'outcome'],
  },
  reloads: {
    name: 'sallyport_reloads_total',
    type: 'counter',
    help: 'Attempts to reload configuration, policies, certificates or keys, by result (success, failure).',
    labels: ['result'],
  },
  reloadsJoined: {
    name: 'sallyport_reloads_joined_total',
    type: 'counter',
    help: 'Reloads that were asked for while another one waited already, and went with it.',
    labels: [],
  },
  reloadedAt: {
    name: 'sallyport_reload_last_success_timestamp_seconds',
    type: 'gauge',
    help: 'When what is in force was loaded. Unix time.',
    labels: [],
    aggregate: 'min',
  },
  certificateExpiry: {
    name: 'sallyport_certificate_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When a certificate that the gateway uses expires, by its role. Unix time.',
    labels: ['certificate'],
    aggregate: 'min',
  },
  revocations: {
    name: 'sallyport_revocations_entries',
    type: 'gauge',
    help: 'Entries of the deny list in force, by kind: `tokens`, `subjects`, `apiKeys`, `certificates`.',
    labels: ['kind'],
    aggregate: 'max',
  },
  crlNextUpdate: {
    name: 'sallyport_crl_next_update_timestamp_seconds',
    type: 'gauge',
    help: 'When a revocation list must have been replaced: after that every client of its CA is refused. Unix time.',
    labels: ['list'],
    aggregate: 'min',
  },
  overflows: {
    name: 'sallyport_metric_overflows_total',
    type: 'counter',
    help: 'Observations counted as `_other` because the metric has all the label combinations it may have.',
    labels: ['metric'],
  },
  ...workerDefinitions,
  build: {
    name: 'sallyport_build_info',
    type: 'gauge',
    help: 'Always 1; the version is in the label.',
    labels: ['version'],
    aggregate: 'max',
  },
} as const satisfies Record<string, MetricDefinition>;

/** The same as a list, for documentation. Process metrics (`process_*`, `nodejs_*`) come on top. */
export const metricDefinitions: readonly MetricDefinition[] = Object.values(definitions);
