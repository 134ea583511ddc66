/** Why a client certificate is not believed, as the cause of a refusal. Its code so stands in records. */
export class CertificateRefused extends Error {
  readonly code: string;

  /** @param reason OpenSSL's word, such as `CERT_HAS_EXPIRED`, or one of ours in kebab case: never text of the peer */
  constructor(reason: string, message = reason) {
    super(message);
    this.name = 'CertificateRefused';
    this.code = reason;
  }
}
