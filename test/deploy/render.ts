import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

/** A rendered Kubernetes object, as far as every kind has it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [member: string]: unknown;
}

const root = join(import.meta.dirname, '../../deploy/kustomize');

/** Renders a folder of `deploy/kustomize` as a cluster would get it. Needs no cluster. */
export async function render(folder: string): Promise<readonly Manifest[]> {
  let text: string;
  try {
    const { stdout } = await promisify(execFile)('kubectl', ['kustomize', join(root, folder)]);
    text = stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('kubectl is missing: these tests need it, in version 1.27 or later (kustomize 5)', {
      cause: error,
    });
  }
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

/** The only object of a kind. Throws if there is none or more than one. */
export function only<T = Manifest>(manifests: readonly Manifest[], kind: string, name?: RegExp): T {
  const found = manifests.filter(
    (one) => one.kind === kind && (name === undefined || name.test(one.metadata.name)),
  );
  if (found.length !== 1) throw new Error(`${found.length} objects of kind ${kind}, not one`);
  return found[0] as T;
}
