import { availableParallelism } from 'node:os';
import { z } from 'zod';

/** More than the cores of any machine that one gateway would be given. */
export const mostWorkers = 64;

/** `workers:` of the gateway file. */
export const workersOptions = z
  .union([z.literal('auto'), z.int().min(1).max(mostWorkers)], {
    error: `expected a whole number from 1 to ${mostWorkers}, or auto`,
  })
  .prefault(1)
  .describe(
    'Processes that serve. `auto`: as many as there are cores to use. Default 1, because one process needs nobody ' +
      'to count for it, and replicas behind a balancer use several cores too. At most 64. Above 1 a primary process ' +
      'accepts connections, counts limits and serves the admin port; each worker writes an audit file of its own.',
  );

export type WorkersOption = z.output<typeof workersOptions>;

/** How many processes serve. */
export function workerCount(option: WorkersOption): number {
  return option === 'auto' ? Math.min(availableParallelism(), mostWorkers) : option;
}
