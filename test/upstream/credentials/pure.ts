import { BearerToken } from '../../../src/identity/bearer-token.ts';
import type { UpstreamCaller } from '../../../src/pipeline/upstream-port.ts';
import { createCallTokens } from '../../../src/upstream/credentials/call-tokens.ts';
import { credentialOptions } from '../../../src/upstream/credentials/options.ts';
import { accessTokenType } from '../../support/token-server.ts';
import { folder } from '../certificates.ts';

/** Token exchange without sockets: `mint` is the authorization server. */
export function upstreamTokens(mint: (subject: string) => string) {
  const secret = folder().write('secret', 's3cret');
  const options = credentialOptions.parse({
    tokenExchange: { tokenEndpoint: 'https://as.example/token', clientId: 'gw', secret, scope: ['read'] },
  });
  const tokens = createCallTokens(options, {
    dial: async (_, request) =>
      Response.json({
        access_token: mint(new URLSearchParams(String(request?.body)).get('subject_token')!),
        token_type: 'Bearer',
        issued_token_type: accessTokenType,
        expires_in: 300,
      }),
    mostWaiting: 10,
    monotonic: () => performance.now(),
    now: () => Date.now(),
  })!;
  return async (name: string, token: string): Promise<string> => {
    const principal: UpstreamCaller['principal'] = { id: name, credentials: [], expiresAt: undefined };
    const caller = {
      principal,
      bearer: new BearerToken(token),
      method: 'ping',
      target: undefined,
      traceId: '',
    };
    return (await tokens.tokenFor(caller, new AbortController().signal)).text;
  };
}
