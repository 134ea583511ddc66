/** Why a credential does not count, as the cause of an error. Its code is the reason, which so stands in records. */
export class CredentialRefused extends Error {
  readonly code: string;

  /** @param reason one stable kebab-case word */
  constructor(reason: string) {
    super(reason);
    this.name = 'CredentialRefused';
    this.code = reason;
  }
}
