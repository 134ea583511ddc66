import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { read, root } from './pages.ts';

/** Reasons as the source writes them: the audit shows these words, so the page explains each. */
const written = readdirSync(join(root, 'src/identity'))
  .filter((name) => /^(?:token|dpop)/.test(name))
  .flatMap((name) => [...read(`src/identity/${name}`).matchAll(/'((?:token|dpop)-[a-z-]+)'/g)])
  .map(([, reason]) => reason!);

test('docs/tokens.md explains every reason, each once, and no other', () => {
  const explained = [...read('docs/tokens.md').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, reason]) => reason!);
  const known = new Set([...written, 'authorization-unclaimed']);
  expect(known.size).toBeGreaterThan(40);
  expect(explained.toSorted()).toEqual([...known].toSorted());
});
