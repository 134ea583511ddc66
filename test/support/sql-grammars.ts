/** Imported by tests that compile rules with the role `sql` themselves. A gateway loads what its policy needs. */

import { loadGrammar } from '../../src/sql/grammars.ts';

await loadGrammar('postgresql');
await loadGrammar('sqlite');
