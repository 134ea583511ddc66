/**
 * `node bench/credentials.ts [--quick]`: microseconds of CPU that proving a caller takes, asking the deny list, conditions and
 * scopes in a decision, and what is made for a server.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BearerToken } from '../src/identity/bearer-token.ts';
import { createIdentity } from '../src/identity/identity.ts';
import { authenticatorsOptions, resourceOptions } from '../src/identity/options.ts';
import type { Principal } from '../src/identity/principal.ts';
import { createRevocations } from '../src/identity/revocations.ts';
import type { AccessRequest } from '../src/policy/access-request.ts';
import { compilePolicy } from '../src/policy/compile.ts';
import { decide } from '../src/policy/decide.ts';
import { loadAssertionKeys } from '../src/upstream/credentials/assertion-keys.ts';
import { createCallCredentials } from '../src/upstream/credentials/call-credentials.ts';
import { httpUpstreamOptions } from '../src/upstream/options.ts';
import { makeHolder, target } from '../test/identity/holder.ts';
import { issuer, makeIssuer, now } from '../test/identity/issuer.ts';
import { evidenceOf } from '../test/identity/support.ts';
import { formatColumns } from './checks/columns.ts';
import { cpu } from './checks/steps.ts';
import { median } from './table.ts';

const { values: flags } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const plan = flags.quick ? { rounds: 5, slow: 60, fast: 2_000 } : { rounds: 15, slow: 400, fast: 20_000 };
const time = now * 1000;
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
const rows: (readonly string[])[] = [];

/** Medians of rounds; the first five warm the engine up. What a step needs is made before the clock runs. */
async function measure<Step>(
  name: string,
  count: number,
  make: () => Step | Promise<Step>,
  run: (step: Step) => unknown,
) {
  const taken: number[] = [];
  for (let round = -5; round < plan.rounds; round += 1) {
    const steps: Step[] = [];
    for (let i = 0; i < count; i += 1) steps.push(await make());
    const start = cpu();
    for (const step of steps) {
      const answer = run(step);
      if (answer instanceof Promise) await answer;
    }
    if (round >= 0) taken.push((cpu() - start) / count);
  }
  rows.push([name, median(taken).toFixed(2)]);
}

const idp = await makeIssuer();
const holder = await makeHolder();
const deny = (entries: number): string =>
  `tokens:\n${Array.from({ length: entries }, (_, i) => `  - { issuer: "${issuer}", id: "t${i}" }`).join('\n')}\n`;
const resources = new Map([['warehouse', resourceOptions.parse({ resource: target })]]);
const identityOf = (entries: number) =>
  createIdentity(
    {
      authenticators: authenticatorsOptions.parse([
        { token: { issuer, keys: 'jwks', dpop: { replay: 1_000_000 } } },
      ]),
      resources,
    },
    {
      readFile: () => idp.jwks,
      nonceKeys: [Buffer.alloc(32, 7)],
      metrics: { replayMemoryFull: () => {} },
      ...(entries === 0
        ? {}
        : {
            revocations: createRevocations(
              { file: 'list' },
              { issuers: [issuer], readFile: () => deny(entries) },
            ),
          }),
    },
  );
const letIn = async (identity: ReturnType<typeof identityOf>, authorization: string, dpop?: string) => {
  const answer = await identity.authenticate(
    evidenceOf({ authorization, time, ...(dpop === undefined ? {} : { dpop }) }),
  );
  if (!answer.ok) throw new Error(answer.reason);
  return answer.principal;
};

try {
  await ofCallers();
  await ofDecisions();
  await ofServers();
} finally {
  rmSync(folder, { recursive: true });
}
console.log(formatColumns(['part', 'µs of CPU'], rows));

async function ofCallers(): Promise<void> {
  const identity = identityOf(0);
  const fresh = () => idp.sign({ aud: target, jti: randomUUID() });
  const known = `Bearer ${await fresh()}`;
  await measure(
    'bearer token, known',
    plan.fast,
    () => known,
    (token) => letIn(identity, token),
  );
  const listed = identityOf(20_000);
  await measure(
    'bearer token, known, deny list of 20,000',
    plan.fast,
    () => known,
    (token) => letIn(listed, token),
  );
  await measure('bearer token (ES256), first use', plan.slow, fresh, (token) =>
    letIn(identity, `Bearer ${token}`),
  );
  const bound = await idp.sign({ aud: target, cnf: { jkt: holder.thumbprint } });
  await measure(
    'DPoP token, known, new proof (ES256)',
    plan.slow,
    () => holder.prove(bound),
    (proof) => letIn(identity, `DPoP ${bound}`, proof),
  );
}

async function ofDecisions(): Promise<void> {
  const subject = await letIn(
    identityOf(0),
    `Bearer ${await idp.sign({ aud: target, scope: 'read write' })}`,
  );
  const rule = (more: string) => `
version: 1
roles: { analyst: { allow: [{ tools: [query]${more} }] } }
bindings: [{ roles: [analyst], to: { token: { issuer: "${issuer}" } } }]
`;
  const scopes = 'scopes: [{ match: { tools: [query] }, scopes: [read, write] }]\n';
  const policies = {
    'decision: one rule': rule(''),
    'decision: the same with a condition on an argument': rule(', when: { args: { limit: { max: 1000 } } }'),
    'decision: the same in CEL': rule(
      ', when: { cel: "args.limit <= 1000 && principal.token.issuer.startsWith(\'https\')" }',
    ),
    'decision: one rule, two scopes asked for': rule('') + scopes,
  };
  for (const [name, text] of Object.entries(policies)) {
    const compiled = compilePolicy([{ file: 'bench.yaml', text }]);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
    const request: AccessRequest = {
      subject,
      action: 'call',
      resource: { upstream: 'warehouse', kind: 'tool', name: 'query' },
      context: { arguments: { limit: 5, mode: 'a' }, address: '127.0.0.1', time },
    };
    if (decide(request, compiled.policy).effect !== 'allow') throw new Error(`${name}: denied`);
    await measure(
      name,
      plan.fast,
      () => request,
      (asked) => decide(asked, compiled.policy),
    );
  }
}

async function ofServers(): Promise<void> {
  const principal: Principal = await letIn(identityOf(0), `Bearer ${await idp.sign({ aud: target })}`);
  const message = {
    verb: 'POST' as const,
    body: undefined,
    headers: [],
    longLived: false,
    signal: new AbortController().signal,
    caller: {
      principal,
      bearer: new BearerToken('a.b.c'),
      method: 'tools/call',
      target: 'query',
      traceId: '0'.repeat(32),
    },
  };
  const credential = {
    tokenExchange: {
      tokenEndpoint: 'https://idp.example/token',
      clientId: 'gate',
      secret: written('secret', 's3cret'),
      scope: ['read'],
    },
  };
  const made = JSON.stringify({
    access_token: 'made-for-the-warehouse',
    token_type: 'Bearer',
    expires_in: 86_400,
    scope: 'read',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  });
  const dial = async () => new Response(made, { headers: { 'content-type': 'application/json' } });
  const url = 'http://127.0.0.1:1/mcp';
  const exchange = createCallCredentials('warehouse', httpUpstreamOptions.parse({ url, credential }), {
    dial,
  })!;
  await measure(
    'token exchange, token at hand',
    plan.fast,
    () => message,
    (one) => exchange.make(one),
  );
  for (const [name, key] of [
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
    ['EdDSA', generateKeyPairSync('ed25519').privateKey],
  ] as const) {
    const file = written(`${name}.pem`, key.export({ type: 'pkcs8', format: 'pem' }) as string);
    const assertionKeys = await loadAssertionKeys({ issuer: 'https://mcp.example', keys: [file] }, Date.now);
    const options = httpUpstreamOptions.parse({ url, assertion: { audience: 'warehouse' } });
    const assertions = createCallCredentials('warehouse', options, { assertionKeys })!;
    await measure(
      `identity assertion, signed (${name})`,
      plan.slow,
      () => message,
      (one) => assertions.make(one),
    );
  }
}

function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
