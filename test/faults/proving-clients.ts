import { makeHolder } from '../identity/holder.ts';
import { makeIssuer } from '../identity/issuer.ts';
import type { TestGatewayOptions } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import type { Replica } from '../support/replicas.ts';

const issuer = 'https://idp.example';
const resource = 'https://mcp.example/recorder/mcp';

/** Callers that prove with each request that they hold the key of their token (RFC 9449). */
export interface ProvingClients {
  /** A token of a caller that nobody had before. */
  newToken(): Promise<string>;
  /** A proof that is made at this moment, to the millisecond. */
  prove(token: string): Promise<string>;
  /** @param proof default: a new one */
  headersOf(token: string, proof?: string): Promise<Readonly<Record<string, string>>>;
  call(replica: Replica, token: string, tool: string, proof?: string): Promise<RawAnswer>;
  /** A gateway that knows them, with one upstream: `recorder`. */
  gatewayFor(upstream: string): Pick<TestGatewayOptions, 'files' | 'config' | 'upstreams'>;
}

export async function createProvingClients(): Promise<ProvingClients> {
  const [keys, holder] = await Promise.all([makeIssuer(), makeHolder()]);
  let callers = 0;
  const prove: ProvingClients['prove'] = (token) =>
    holder.prove(token, { iat: Date.now() / 1000, htu: resource });
  const headersOf: ProvingClients['headersOf'] = async (token, proof) => ({
    authorization: `DPoP ${token}`,
    dpop: proof ?? (await prove(token)),
  });
  return {
    newToken() {
      callers += 1;
      const now = Math.floor(Date.now() / 1000);
      return keys.sign({
        iss: issuer,
        aud: resource,
        iat: now - 5,
        exp: now + 300,
        sub: `caller ${callers}`,
        cnf: { jkt: holder.thumbprint },
      });
    },
    prove,
    headersOf,
    async call(replica, token, tool, proof) {
      const { headers, body } = modern('tools/call', { name: tool, arguments: {} });
      return post(replica.url('recorder'), body, {
        headers: { ...headers, ...(await headersOf(token, proof)) },
      });
    },
    gatewayFor: (url) => ({
      upstreams: {},
      files: { 'jwks.json': keys.jwks },
      config: {
        insecure: {},
        identity: [{ token: { issuer, keys: 'jwks.json', dpop: {} } }],
        upstreams: [{ name: 'recorder', path: '/recorder/mcp', authorization: { resource }, http: { url } }],
      },
    }),
  };
}
