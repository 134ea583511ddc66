/**
 * Why a shared store gave no answer that counts.
 *
 * `lost`: it cannot be asked, or cannot write: connection, time, memory, rights, a replica in place of a master. `key`:
 * it answers, but what stands under a key is not the gateway's; other keys are not concerned.
 */
export type StoreFaultKind = 'lost' | 'key';

/** For operators: what a store said never reaches a client. */
export class StoreFault extends Error {
  readonly kind: StoreFaultKind;

  constructor(kind: StoreFaultKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreFault';
    this.kind = kind;
  }
}
