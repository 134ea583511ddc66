/** What the socket proves about the other end, before any credential inside the request is read. */
export interface Peer {
  /** Remote address as the kernel gives it; IPv4-mapped IPv6 is unmapped. */
  readonly address: string;
  readonly port: number;
  /** Undefined on a plain-text listener. */
  readonly tls: PeerTls | undefined;
}

export interface PeerTls {
  /** `TLSv1.3`, `TLSv1.2`. */
  readonly version: string;
  /** The client certificate, only if the handshake verified it against the listener's CA and CRLs. */
  readonly certificate: PeerCertificate | undefined;
}

/** A verified client certificate. Names come from the DER, never from OpenSSL's comma-joined text. */
export interface PeerCertificate {
  /** DER of the leaf. */
  readonly raw: Buffer;
  /** SHA-256 over the DER, lower-case hex. */
  readonly fingerprint256: string;
  /** SHA-256 over the DER of the CA certificate that anchors the chain, lower-case hex: binds a trust domain to its CA. */
  readonly anchorFingerprint256: string;
}
