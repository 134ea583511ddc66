import { certificateExpiries } from '../config/certificate-expiries.ts';
import type { Config } from '../config/schema.ts';
import { revocationListExpiries } from './revocation-list-expiries.ts';

/** When certificates and revocation lists end, as they were read last. */
export interface Expiries {
  readonly certificates: ReturnType<typeof certificateExpiries>;
  readonly lists: ReturnType<typeof revocationListExpiries>;
  readAgain(): void;
}

export function createExpiries(config: Config): Expiries {
  let certificates = certificateExpiries(config);
  let lists = revocationListExpiries(config);
  return {
    get certificates() {
      return certificates;
    },
    get lists() {
      return lists;
    },
    readAgain() {
      certificates = certificateExpiries(config);
      lists = revocationListExpiries(config);
    },
  };
}
