import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import { revocationListExpiries } from '../../src/gateway/revocation-list-expiries.ts';
import { makeCrl, makeParty } from '../support/odd-certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'lists-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the first list that must be replaced counts, in either form of time; what cannot be read has no entry', async () => {
  const ca = await makeParty({ cn: 'ca', ca: true });
  const times = ['2031-02-03T04:05:06Z', '2031-02-03T04:05:05Z', '2051-02-03T04:05:06Z'].map(
    (text) => new Date(text),
  );
  const lists = await Promise.all(times.map((nextUpdate) => makeCrl(ca, { nextUpdate })));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const crl = [
    file('both.crl', lists.slice(0, 2).join('')),
    file('generalized.crl', lists[2]!),
    file('broken.crl', lists[0]!.replace('MII', 'MIX').replace('MIH', 'MIX')),
    join(folder, 'missing.crl'),
  ];
  const config = { listeners: [{ tls: { clients: { ca: [], crl } } }] } as unknown as Config;
  expect(revocationListExpiries(config)).toEqual([
    { role: 'listeners[0].tls.clients.crl[0]', expiresAt: times[1]!.getTime() },
    { role: 'listeners[0].tls.clients.crl[1]', expiresAt: times[2]!.getTime() },
  ]);
});
