import type { Config } from '../config/schema.ts';
import { storeSecrets } from './redis.ts';
import type { Upstreams } from './upstreams.ts';

/** What the gateway holds and nobody may read: in no log, no record and no answer. It changes when files are read again. */
export function secretsOf(
  config: Config,
  ports: Upstreams['ports'],
  keys: readonly Buffer[],
): readonly string[] {
  return [
    ...[...ports.values()].flatMap((port) => port.secrets()),
    ...keys.map((key) => key.toString('latin1')),
    ...storeSecrets(config),
  ];
}
