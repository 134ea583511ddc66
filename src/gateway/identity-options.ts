import type { Config } from '../config/schema.ts';
import type { IdentityOptions } from '../identity/options.ts';
import { resourceOptionsOf } from './documents.ts';

/** Who callers may be, and what they must show, as the gateway file says. */
export function identityOptionsOf(config: Config): IdentityOptions {
  return {
    authenticators: config.identity,
    require: config.require,
    anonymous: config.insecure.anonymous,
    resources: resourceOptionsOf(config),
  };
}
