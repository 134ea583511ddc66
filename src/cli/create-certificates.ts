import { type Authority, createAuthority, type KeyPair } from './certificates.ts';

const day = 86_400_000;

/** Five minutes, because clocks of containers and laptops drift, and a certificate from the future is refused. */
const clockDrift = 300_000;

export interface ClientRequest {
  /** Names the folder, and is the certificate's common name. */
  readonly name: string;
  /** The SPIFFE ID; absent for a client that is known by its common name alone. */
  readonly spiffe?: string | undefined;
}

export interface CertificatesRequest {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** An authority to use instead of a new one. */
  readonly authority?: Authority | undefined;
  /** DNS names and IP addresses of the server. Empty: no server certificate is made. */
  readonly hosts: readonly string[];
  readonly clients: readonly ClientRequest[];
  readonly days: number;
  readonly caDays: number;
}

export interface Certificates {
  readonly authority: Authority;
  /** PEM of a revocation list that revokes nothing yet. */
  readonly crlPem: string;
  readonly server: KeyPair | undefined;
  readonly clients: ReadonlyMap<string, KeyPair>;
}

/** Makes all that a gateway and its clients need for mutual TLS. Nothing is written anywhere. */
export async function createCertificates(request: CertificatesRequest): Promise<Certificates> {
  const notBefore = new Date(request.now - clockDrift);
  const notAfter = new Date(request.now + request.days * day);
  const authority =
    request.authority ??
    (await createAuthority({
      commonName: 'Sallyport private CA',
      notBefore,
      notAfter: new Date(request.now + request.caDays * day),
    }));
  const clients = new Map<string, KeyPair>();
  for (const { name, spiffe } of request.clients) {
    const uris = spiffe === undefined ? [] : [spiffe];
    const pair = await authority.issue({
      commonName: name,
      uris,
      usages: ['clientAuth'],
      notBefore,
      notAfter,
    });
    clients.set(name, pair);
  }
  const [first] = request.hosts;
  return {
    authority,
    // As long as the authority: an expired list refuses every client.
    crlPem: await authority.crl({ number: 1, thisUpdate: notBefore, nextUpdate: authority.notAfter }),
    server:
      first === undefined
        ? undefined
        : await authority.issue({
            // X.520 ends a common name at 64 characters; the names that count are in the extension.
            commonName: first.length <= 64 ? first : 'sallyport',
            hosts: request.hosts,
            usages: ['serverAuth'],
            notBefore,
            notAfter,
          }),
    clients,
  };
}
