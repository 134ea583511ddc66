import type { Readiness } from '../observe/readiness.ts';

/** One worker's word, as far as it could be had. */
interface Told {
  readonly ready: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * What `/readyz` of several processes is: ready where all of them are. The members of one process's answer stay, each
 * with the worst that any worker tells; `policies` are the hashes in force where workers differ.
 *
 * @param answers of the workers that serve; undefined for one that did not answer
 */
export function mergeReadiness(workers: number, draining: boolean, answers: readonly unknown[]): Readiness {
  const told = answers.flatMap((answer): readonly Told[] => {
    if (answer === undefined) return [];
    const { ready, body } = answer as Readiness;
    return [{ ready, body: JSON.parse(body) as Readonly<Record<string, unknown>> }];
  });
  const serving = told.filter(({ ready }) => ready).length;
  const ready = !draining && serving === workers;
  const policies = [...new Set(told.map(({ body }) => String(body['policy'])))];
  const failed = [...new Set(told.flatMap(({ body }) => (body['failed'] ?? []) as readonly string[]))];
  const isLost = told.some(({ body }) => body['store'] === 'lost');
  const body = JSON.stringify({
    ...told[0]?.body,
    ...(isLost ? { store: 'lost' } : {}),
    ready,
    draining,
    audit: told.every(({ body }) => body['audit'] === 'ok') ? 'ok' : 'failing',
    policy: policies[0],
    ...(policies.length > 1 ? { policies } : {}),
    reload: failed.length === 0 ? 'ok' : 'failed',
    failed,
    workers: { configured: workers, ready: serving },
  });
  return { ready, body };
}
