import { type DestinationStream, destination, pino } from 'pino';
import { causeClass } from './cause-class.ts';
import type { LogOptions } from './options.ts';
import { createRedactor, type Hidden, type Redactor } from './redact.ts';

/** What a log line says beside its event. Never arguments or results of calls. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The process log. `event` is a fixed sentence: what varies goes into fields. `hidden` is what is secret in them. */
export interface Log {
  debug(event: string, fields?: LogFields, hidden?: Hidden): void;
  info(event: string, fields?: LogFields, hidden?: Hidden): void;
  warn(event: string, fields?: LogFields, hidden?: Hidden): void;
  error(event: string, fields?: LogFields, hidden?: Hidden): void;
  fatal(event: string, fields?: LogFields, hidden?: Hidden): void;
}

const longestText = 1000;
const mostEntries = 50;
const mostFrames = 12;

/**
 * Makes the process log: JSON lines on standard error, written at once, so that the last words of a dying process
 * are there.
 *
 * @param to where lines go instead, for tests
 */
export function createLog(
  options: LogOptions,
  redactor: Redactor = createRedactor(),
  to: DestinationStream = destination({ dest: 2, sync: true }),
): Log {
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'event',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    to,
  );
  const level =
    (name: 'debug' | 'info' | 'warn' | 'error' | 'fatal') =>
    (event: string, fields: LogFields = {}, hidden?: Hidden): void => {
      if (!logger.isLevelEnabled(name)) return;
      logger[name](cleanFields(fields, hidden === undefined ? redactor : hiding(redactor, hidden)), event);
    };
  return {
    debug: level('debug'),
    info: level('info'),
    warn: level('warn'),
    error: level('error'),
    fatal: level('fatal'),
  };
}

function hiding(redactor: Redactor, hidden: Hidden): Redactor {
  return { ...redactor, text: (text, max) => redactor.text(text, max, hidden) };
}

/** Members that pino writes itself: a second one of that name would make the line ambiguous. */
const reserved: ReadonlySet<string> = new Set(['level', 'time', 'event']);

function cleanFields(fields: LogFields, redactor: Redactor): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    clean[reserved.has(name) ? `${name}_` : name] = cleanValue(value, redactor);
  }
  return clean;
}

function cleanValue(value: unknown, redactor: Redactor): unknown {
  if (typeof value === 'string') return cleanText(value, redactor);
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined) return value;
  if (value instanceof Error) return describeError(value, redactor);
  if (Array.isArray(value))
    return value.slice(0, mostEntries).map((entry) => cleanText(String(entry), redactor));
  // A structure may be the arguments of a call: only its class is told.
  return causeClass(value) ?? null;
}

/** Frames of our own code help; the message is for operators only and may quote a peer, so it is redacted and cut. */
function describeError(error: Error, redactor: Redactor): Record<string, unknown> {
  const frames = (typeof error.stack === 'string' ? error.stack : '')
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, mostFrames)
    .map((line) => cleanText(line.trim(), redactor));
  return { class: causeClass(error), message: cleanText(String(error.message), redactor), frames };
}

/** Characters that a terminal acts upon or does not show, written out. */
const invisible = /[\p{C}\p{Zl}\p{Zp}]/gu;

function cleanText(text: string, redactor: Redactor): string {
  return redactor
    .text(text, longestText)
    .replace(
      invisible,
      (character) => `<U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}>`,
    );
}
