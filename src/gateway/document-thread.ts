/** Reads operators' files on a thread of its own: a long one takes a second or two, and YAML cannot be read in steps. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { withGrammars } from '../arguments/with-grammars.ts';
import { flatten } from '../document/flat.ts';
import { type DocumentSource, parseDocument } from '../document/parse-document.ts';
import { revocationFile } from '../identity/revocation-list.ts';
import { policyDocument } from '../policy/document.ts';
import type { DocumentKind, ThreadAnswer } from './read-documents.ts';

/** Parts in one message: taking it in must not last. */
const partsPerMessage = 8192;

const schemas = { policy: policyDocument, revocations: revocationFile };
const { kind, sources, pieces } = workerData as {
  readonly kind: DocumentKind;
  readonly sources: readonly DocumentSource[];
  readonly pieces: MessagePort;
};
function read(source: DocumentSource): ThreadAnswer {
  const parsed = parseDocument<unknown>(source, schemas[kind]);
  return parsed.ok
    ? { ok: true, value: parsed.value, outline: parsed.outline() }
    : { ok: false, problems: parsed.problems };
}

const answers = await withGrammars(() => sources.map(read));
const flat = flatten(answers);
for (let start = 0; start < flat.length; start += partsPerMessage) {
  pieces.postMessage(flat.slice(start, start + partsPerMessage));
}
// Alive until all of it was taken.
parentPort!.on('message', () => parentPort!.close());
parentPort!.postMessage('written');
