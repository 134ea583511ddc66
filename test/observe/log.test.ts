import { describe, expect, test } from 'vitest';
import { createLog } from '../../src/observe/log.ts';
import { createRedactor, hiddenOf } from '../../src/observe/redact.ts';

function capture(level: 'debug' | 'info' | 'warn' | 'silent' = 'info') {
  const lines: string[] = [];
  const log = createLog({ level }, createRedactor(['held-secret']), {
    write: (line) => void lines.push(line),
  });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> };
}

describe('a log line', () => {
  test('is one line of JSON with time, level, event and fields', () => {
    const { log, lines, last } = capture();
    log.warn('the upstream does not answer', { upstream: 'warehouse', attempt: 3 });
    expect(lines).toHaveLength(1);
    expect(last()).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      event: 'the upstream does not answer',
      upstream: 'warehouse',
      attempt: 3,
    });
  });

  test.each(['\n', '\r', '\u001b[31m', '\u009b', '\u202e', '\u2028', '\ufeff', '\u0000', '\u007f'])(
    'never holds %j raw',
    (character) => {
      const { log, lines, last } = capture();
      log.info('x', { name: `a${character}b` });
      expect(lines.join('').slice(0, -1)).toMatch(/^[\x20-\x7e]*$/);
      expect(last()['name']).toMatch(/^a<U\+[0-9A-F]{4}>.*b$/);
    },
  );

  test('hides what is secret in one exchange only', () => {
    const { log, lines } = capture();
    const cause = new Error('no user pumpernickel-47');
    log.warn('x', { cause, note: 'pumpernickel-47' }, hiddenOf(['pumpernickel-47']));
    expect(lines.join('')).not.toContain('pumpernickel');
    log.warn('x', { note: 'pumpernickel-47' });
    expect(lines.join('')).toContain('pumpernickel');
  });

  test('cannot be given another level, time or event by a field', () => {
    const { log, last } = capture();
    log.error('broken', { level: 'info', event: 'all well', time: 0 });
    expect(last()).toMatchObject({
      level: 'error',
      event: 'broken',
      level_: 'info',
      event_: 'all well',
      time_: 0,
    });
  });

  test('shows no secret, not even inside an error', () => {
    const { log, lines, last } = capture();
    const error = new Error('refused: Bearer abcdef0123456789 and held-secret', {
      cause: new TypeError('inner'),
    });
    log.error('failed', { cause: error, header: 'password=hunter2' });
    expect(lines.join('')).not.toMatch(/abcdef0123456789|held-secret|hunter2/);
    expect(last()['cause']).toMatchObject({
      class: 'Error < TypeError',
      message: 'refused: [redacted] and [redacted]',
      frames: expect.arrayContaining([expect.stringMatching(/^at /)]),
    });
  });

  test('never shows a structure: it may be the arguments of a call', () => {
    const { log, lines } = capture();
    log.info('called', { arguments: { sql: 'select secret from t' }, nested: { deep: { value: 'select' } } });
    expect(lines.join('')).not.toContain('select');
  });

  test('stays short whatever a peer sent', () => {
    const { log, lines } = capture();
    log.info('x', {
      text: 'y'.repeat(1_000_000),
      list: Array.from({ length: 10_000 }, () => 'z'.repeat(5000)),
    });
    expect(lines.join('').length).toBeLessThan(60_000);
  });

  test('below the level is not written', () => {
    const { log, lines } = capture('warn');
    log.info('quiet');
    log.debug('quieter');
    expect(lines).toEqual([]);
  });
});
