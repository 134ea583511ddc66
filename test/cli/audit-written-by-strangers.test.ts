import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compilePolicy } from '../../src/policy/compile.ts';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { run } from './run-command.ts';

/** What a terminal would obey, or show as something else. */
const disguises = [
  '\u001b[2J\u001b[31m',
  '\u009b2J',
  'a\nNOW the same:',
  'a\r\u001b[K',
  '\u202etxt.exe',
  'a\u2028b',
  'a\u200bb',
  '# "x": [&a, *a]\n  - tools: ["*"]',
];
const acts = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const record = (more: object) => ({
  time: '2026-01-01T00:00:00.000Z',
  exchange: 'e1',
  who: { id: 'apikey:robot' },
  roles: ['r'],
  from: { address: '127.0.0.1' },
  upstream: 'warehouse',
  revision: '2025-11-25',
  method: 'tools/call',
  target: { kind: 'tool', name: 'a' },
  decision: { effect: 'allow', reason: 'allowed', rule: 'x' },
  code: 'ok',
  ...more,
});

describe('an audit file that strangers had a part in', () => {
  let folder: string;
  let gateway: GatewayFolder;
  let audit: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-audit-'));
    audit = join(folder, 'audit.jsonl');
    gateway = await prepareGateway({ upstreams: { warehouse: 'http://127.0.0.1:9/mcp' } });
    for (const name of ['open', 'closed']) mkdirSync(join(folder, name));
    const bound = 'bindings: [{ roles: [r], to: { apiKey: robot } }]\n';
    writeFileSync(
      join(folder, 'open/a.yaml'),
      `version: 1\nroles: { r: { allow: [{ tools: ["*"] }] } }\n${bound}`,
    );
    writeFileSync(join(folder, 'closed/a.yaml'), `version: 1\nroles: { r: {} }\n${bound}`);
  });
  afterAll(() => {
    gateway.remove();
    rmSync(folder, { recursive: true });
  });

  const write = (...records: readonly object[]) =>
    writeFileSync(audit, records.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const lines = (text: string) => text.split('\n').filter((line) => acts.test(line));

  it.each(disguises)('makes no command act on a terminal: %j', async (name) => {
    write(
      record({ target: { kind: 'tool', name } }),
      record({ upstream: name }),
      record({
        code: name,
        decision: { effect: 'allow', reason: name, rule: name },
        roles: [name],
        time: name,
      }),
    );
    const learnt = await run(['learn', audit, '--include-denied']);
    const compiled = compilePolicy([{ file: 'learnt.yaml', text: learnt.stdout }]);
    expect(compiled.ok || learnt.stdout === '').toBe(true);
    const told = [
      learnt,
      await run(['diff', join(folder, 'open'), join(folder, 'closed'), '--audit', audit]),
      await run(['diff', join(folder, 'open'), join(folder, 'closed'), '--audit', audit, '--json']),
    ];
    write(
      record({
        code: name,
        decision: { effect: 'allow', reason: name, rule: name },
        roles: [name],
        time: name,
      }),
    );
    for (const json of [[], ['--json']]) {
      told.push(
        await run(['explain', '--record', 'e1', '--audit', audit, '--config', gateway.file, ...json]),
      );
    }
    for (const { stdout, stderr } of told) expect(lines(`${stdout}\n${stderr}`)).toEqual([]);
    expect(told.at(-1)!.stdout).toContain('"now"');
    expect(told.at(-2)!.stdout.match(/^NOW/gm)).toHaveLength(1);
  });

  it('teaches nothing of callers and targets that were cut, redacted or forged, and says how many', async () => {
    write(
      record({}),
      record({ who: { id: 'token:https://i#somebod[truncated]' } }),
      record({ who: { id: 'apikey:%61dmin' } }),
      record({ target: { kind: 'tool', name: 'long[truncated]' } }),
      record({ target: { kind: 'resource', name: 'db:///x?token=[redacted]' }, method: 'resources/read' }),
    );
    const { code, stdout, stderr } = await run(['learn', audit]);
    expect(code).toBe(0);
    expect(stderr).toContain('left out: 4 records');
    expect(stdout).not.toMatch(/admin|somebod|long|redacted/);
  });

  it('cannot put a trace id in the place of an exchange id', async () => {
    write(
      record({ exchange: 'mine', trace: 'e1', code: 'forged' }),
      record({ trace: 'e1' }),
      record({ trace: 'e2' }),
    );
    const explain = (id: string) =>
      run(['explain', '--record', id, '--audit', audit, '--config', gateway.file]);
    const found = await explain('e1');
    expect(found.stdout).toContain('it ended with ok');
    expect(found.stdout).toContain('the first of 2 decisions');
    expect((await explain('mine')).stdout).not.toContain('the first of');
  });

  it('says where arguments were redacted, so that what is said now is of other values', async () => {
    const explain = async (args: object) => {
      write(record({ arguments: args }));
      return (await run(['explain', '--record', 'e1', '--audit', audit, '--config', gateway.file])).stdout;
    };
    expect(await explain({ a: { b: 'x [redacted] y' } })).toContain('redacted in the record');
    expect(await explain({ '[redacted]': 1 })).toContain('redacted in the record');
    expect(await explain({ a: 1 })).not.toContain('redacted in the record');
  });

  it('gives a caller whose address is not recorded no network to be in', async () => {
    const policy = (network: string) =>
      `version: 1\nroles: { r: { allow: [{ tools: [a], when: { network: [${network}] } }] } }\n` +
      'bindings: [{ roles: [r], to: { apiKey: robot } }]\n';
    const local = mkdtempSync(join(folder, 'local-'));
    writeFileSync(join(local, 'a.yaml'), policy('127.0.0.1'));
    write(record({ from: undefined }));
    const { stdout } = await run(['diff', join(folder, 'open'), local, '--audit', audit]);
    expect(stdout).toContain('recorded: apikey:robot: call tool a on warehouse: allow -> deny');
  });
});
