import { z } from 'zod';
import { bytes, duration } from '../document/units.ts';

/** Where the audit goes, and what happens to calls that cannot be recorded. */
export const auditOptions = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .meta({ title: 'file' })
      .describe('File that gets one JSON line per outcome. Created with mode 0600, only ever appended to.'),
    level: z
      .enum(['metadata', 'bare'])
      .prefault('metadata')
      .describe(
        'metadata: redacted arguments appear where a matching rule says `audit: arguments`. bare: never, whatever ' +
          'rules say. Default metadata, because rules ask for nothing unless their author wrote so.',
      ),
    onFailure: z
      .enum(['deny', 'drop'])
      .prefault('deny')
      .describe(
        'What happens while records cannot be written. deny: answers are withheld and new calls refused. drop: ' +
          'records are lost and counted. Default deny, because an unrecorded call is what an attacker wants.',
      ),
    sync: z
      .enum(['none', 'fdatasync'])
      .prefault('none')
      .describe(
        'fdatasync: an answer waits until its record is on the disk. none: until the kernel has it. Default none, ' +
          'because that survives the death of this process; only a power cut loses what the kernel holds.',
      ),
    maxRecordBytes: bytes({ min: 16_384, max: 1_048_576 })
      .prefault('64KiB')
      .describe(
        'Longest audit line; arguments that do not fit are replaced by `[truncated]`. 16KiB, which any record without arguments fits, to 1MiB. Default 64KiB, ' +
          'because log shippers commonly cut or drop longer lines.',
      ),
    pendingBytes: bytes({ min: 1_048_576, max: 1_073_741_824 })
      .prefault('16MiB')
      .describe(
        'Bytes that may wait for the disk. Beyond, onFailure decides. Default 16MiB, because that is some 20 000 ' +
          'records: a second of stalled disk at full load.',
      ),
    pendingRecords: z
      .int()
      .min(1)
      .max(1_000_000)
      .prefault(20_000)
      .describe('Records that may wait for the disk. Default 20000, as for pendingBytes.'),
    retry: duration({ min: 100, max: 60_000 })
      .prefault('1s')
      .describe(
        'Wait between attempts to write again after a failure. Default 1s, because a full disk does not clear ' +
          'sooner and each attempt costs a system call only.',
      ),
    timeout: duration({ min: 100, max: 600_000 })
      .prefault('5s')
      .describe(
        'How long one write, or one fdatasync, may take. Beyond, it counts as failed: with `deny`, who waits is refused, until the ' +
          'disk answers. Default 5s, because a disk that is merely busy answers sooner, and callers give up after 30 to 60 seconds.',
      ),
  })
  .describe('The audit trail: who did what, decided how, by which rule.');

export type AuditOptions = z.output<typeof auditOptions>;

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;

/** The process log: for operators, on standard error, never with arguments or results of calls. */
export const logOptions = z
  .strictObject({
    level: z
      .enum(logLevels)
      .prefault('info')
      .describe(
        'Least severe level that is written. Default info, because calls themselves go to the audit.',
      ),
  })
  .prefault({})
  .describe('The process log: JSON lines on standard error.');

export type LogOptions = z.output<typeof logOptions>;
