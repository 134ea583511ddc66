import { extname } from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { withGrammars } from '../arguments/with-grammars.ts';
import { type Flat, inflate } from '../document/flat.ts';
import {
  type DocumentSource,
  type Outline,
  type ParsedDocument,
  parseDocument,
  toParsedDocument,
} from '../document/parse-document.ts';
import type { Problem } from '../document/problems.ts';
import { type RevocationFile, revocationFile } from '../identity/revocation-list.ts';
import { type PolicyDocument, policyDocument } from '../policy/document.ts';
import { finishInTurns } from '../values/steps.ts';

/** What a thread can read. */
export type DocumentKind = 'policy' | 'revocations';

export type ThreadAnswer =
  | { readonly ok: true; readonly value: unknown; readonly outline: Outline }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** 8 Ki characters: some ten milliseconds. Longer files are read on a thread of their own. */
const longestAtOnce = 8192;

/** Reads policy files while calls are served: as `parseDocument` of each. */
export function readPolicyDocuments(
  sources: readonly DocumentSource[],
): Promise<readonly ParsedDocument<PolicyDocument>[]> {
  return isShort(sources)
    ? withGrammars(() => sources.map((source) => parseDocument(source, policyDocument)))
    : (readApart('policy', sources) as Promise<readonly ParsedDocument<PolicyDocument>[]>);
}

/** Reads a deny list while calls are served: as `parseDocument` of it. */
export async function readRevocationDocument(
  source: DocumentSource,
): Promise<ParsedDocument<RevocationFile>> {
  if (isShort([source])) return parseDocument(source, revocationFile);
  const [parsed] = await readApart('revocations', [source]);
  return parsed as ParsedDocument<RevocationFile>;
}

function isShort(sources: readonly DocumentSource[]): boolean {
  return sources.reduce((sum, { text }) => sum + text.length, 0) <= longestAtOnce;
}

/** The module beside this one, in source as in what was built of it. */
const thread = new URL(`./document-thread${extname(import.meta.url)}`, import.meta.url);

async function readApart(
  kind: DocumentKind,
  sources: readonly DocumentSource[],
): Promise<readonly ParsedDocument<unknown>[]> {
  const { port1: here, port2: pieces } = new MessageChannel();
  const worker = new Worker(thread, { workerData: { kind, sources, pieces }, transferList: [pieces] });
  try {
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the thread that reads files ended before it was done')));
    });
    const taken: Flat[] = [];
    // Asked for one at a time: left to themselves, all of them would arrive in one turn.
    for (let next = receiveMessageOnPort(here); next !== undefined; next = receiveMessageOnPort(here)) {
      taken.push(next.message as Flat);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answers = (await finishInTurns(inflate(taken))) as readonly ThreadAnswer[];
    return answers.map((answer, index) =>
      answer.ok ? toParsedDocument(sources[index]!.file, answer.value, answer.outline) : answer,
    );
  } finally {
    here.close();
    await worker.terminate();
  }
}
