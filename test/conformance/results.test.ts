import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { clientExpectations, serverExpectations } from './expectations.ts';
import { hasPassed, readResults } from './results.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-results-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, checks: readonly object[]): Promise<void> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, 'checks.json'), JSON.stringify(checks));
}

const good = { id: 'good', status: 'SUCCESS' };

it.each([
  ['a success', [good], true],
  [
    'a success beside skipped and informing checks',
    [good, { id: 'b', status: 'SKIPPED' }, { id: 'c', status: 'INFO' }],
    true,
  ],
  ['a warning that is known', [good, { id: 'sep-2322-ignore-unexpected-params', status: 'WARNING' }], true],
  ['no check at all', [], false],
  ['skipped checks only', [{ id: 'b', status: 'SKIPPED' }], false],
  ['a failure beside a success', [good, { id: 'b', status: 'FAILURE', errorMessage: 'why' }], false],
  ['an unknown warning', [good, { id: 'b', status: 'WARNING' }], false],
  [
    'a known warning that became a failure',
    [good, { id: 'sep-2322-ignore-unexpected-params', status: 'FAILURE' }],
    false,
  ],
])('judges a scenario with %s', async (_name, checks, passed) => {
  await write('server-tools-list-2026-11-20T10-00-00-000Z', checks);
  expect((await readResults(folder, 'server-')).map(hasPassed)).toEqual([passed]);
});

it('takes the name of the scenario from the folder, and leaves other folders alone', async () => {
  await write('server-server-stateless-2026-11-20T10-00-00-000Z', [good]);
  await mkdir(join(folder, 'something-else'));
  expect((await readResults(folder, 'server-')).map(({ scenario }) => scenario)).toEqual([
    'server-stateless',
  ]);
});

it('expects the whole of both requirement sets and every client scenario without OAuth', () => {
  expect(
    serverExpectations.map(({ requirements, scored, unscored }) => [requirements, scored, unscored.length]),
  ).toEqual([
    ['2025-11-25', 30, 3],
    ['2026-07-28', 37, 3],
  ]);
  expect(new Set(clientExpectations.map(({ scenario }) => scenario)).size).toBe(10);
});
