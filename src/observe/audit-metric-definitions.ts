import type { MetricDefinition } from './metric-family.ts';

/** What became of audit records. */
export const auditDefinitions = {
  auditWritten: {
    name: 'sallyport_audit_records_total',
    type: 'counter',
    help: 'Audit records that reached the file.',
    labels: [],
  },
  auditFailures: {
    name: 'sallyport_audit_failures_total',
    type: 'counter',
    help: 'Failed attempts to write, sync or open the audit file.',
    labels: [],
  },
  auditLost: {
    name: 'sallyport_audit_lost_total',
    type: 'counter',
    help: 'Audit records that never reached the file.',
    labels: [],
  },
  auditTorn: {
    name: 'sallyport_audit_torn_lines_total',
    type: 'counter',
    help: 'Torn lines that were found at the end of the audit file and closed off.',
    labels: [],
  },
  auditPending: {
    name: 'sallyport_audit_pending_records',
    type: 'gauge',
    help: 'Audit records that wait for the disk.',
    labels: [],
  },
  auditPendingBytes: {
    name: 'sallyport_audit_pending_bytes',
    type: 'gauge',
    help: 'Bytes of audit records that wait for the disk.',
    labels: [],
  },
  auditAccepting: {
    name: 'sallyport_audit_accepting',
    type: 'gauge',
    help: '1 while calls are accepted as far as the audit is concerned, 0 while they are refused for its sake.',
    labels: [],
    aggregate: 'min',
  },
} as const satisfies Record<string, MetricDefinition>;
