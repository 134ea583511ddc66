import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, compactVerify, errors, importJWK, type JWK } from 'jose';
import type { SharedState } from '../state/contract.ts';
import { createDpopNonces } from './dpop-nonce.ts';
import { createReplayMemory, proofKey } from './dpop-replay.ts';
import { normaliseTarget } from './dpop-target.ts';
import type { DpopOptions } from './options.ts';
import { readUnverified } from './token-format.ts';

/** What a proof must be about. */
export interface ProofSubject {
  /** HTTP method of the request. */
  readonly verb: string;
  /** Public URL of the route; undefined where configuration gives none. */
  readonly resource: string | undefined;
  readonly token: string;
  /** Id of the token's principal: whose share of the replay memory the proof takes. */
  readonly holder: string;
  /** `cnf.jkt` of the token. */
  readonly thumbprint: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** The reason why a proof does not hold. `nonce` is one that the next proof should carry. */
export interface ProofFault {
  readonly reason: string;
  readonly nonce?: string;
}

export interface DpopChecker {
  /** Signature algorithms of proofs, for challenges. */
  readonly algorithms: readonly string[];
  /**
   * Checks a DPoP proof (RFC 9449, section 4.3) and remembers it, so that it passes once.
   *
   * The token itself must have been verified before: its key is the only one that a signature is checked with.
   *
   * @param proof the one value of the `DPoP` header
   * @returns undefined where the proof holds
   */
  check(proof: string | undefined, about: ProofSubject): Promise<ProofFault | undefined>;
}

/** 4 KiB: a proof with an RSA key of 4096 bits is half of that, one with an elliptic curve a tenth. */
const maximumBytes = 4096;
/** Longer than any UUID or hash in text. */
const maximumIdLength = 256;

/** Members of private and of symmetric keys (RFC 7518, section 6). Who sends one has given it away. */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const publicMembers: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
  ['RSA', ['n', 'e']],
]);

/**
 * @param nonceKeys what nonces are made of; unused unless `nonce` is required
 * @param clockSkew milliseconds that a client's clock may be ahead
 * @param state where several processes remember proofs together; where it cannot be asked no proof passes
 */
export function createDpopChecker(
  options: DpopOptions,
  clockSkew: number,
  nonceKeys: readonly Buffer[],
  state?: SharedState,
): DpopChecker {
  const ahead = Math.min(clockSkew, options.window);
  const memory = createReplayMemory(options.replay, options.window + ahead);
  const nonces = options.nonce === 'required' ? createDpopNonces(nonceKeys, options.window) : undefined;
  const algorithms = new Set<string>(options.algorithms);

  async function check(proof: string | undefined, about: ProofSubject): Promise<string | undefined> {
    if (about.resource === undefined) return 'dpop-resource-unknown';
    if (proof === undefined) return 'dpop-proof-missing';
    if (proof.length > maximumBytes) return 'dpop-proof-too-large';
    const unverified = readUnverified(proof);
    if (unverified === undefined) return 'dpop-proof-malformed';
    const { header, payload } = unverified;
    const key = readKey(header, algorithms);
    if (typeof key === 'string') return key;
    const issuedAt = judgeClaims(payload, about, about.resource, { window: options.window, ahead });
    if (typeof issuedAt === 'string') return issuedAt;
    if (nonces !== undefined && !nonces.isFresh(payload['nonce'], about.time)) return 'dpop-nonce';
    // Before its signature is checked: only the key that the token names is worth the work.
    if ((await thumbprintOf(key)) !== about.thumbprint) return 'dpop-key';
    const refusal = await verify(proof, key, header['alg'] as string);
    if (refusal !== undefined) return refusal;
    // Last, and at once: a proof that fails elsewhere takes no room, and of two equal ones only one passes.
    const { holder, thumbprint } = about;
    const id = payload['jti'] as string;
    const until = issuedAt + options.window;
    const seen = memory.remember({ holder, thumbprint, id, until }, about.time);
    if (seen !== 'new') return replayReasons[seen];
    if (state?.shared !== true) return undefined;
    // The clock of another process may be behind this one's, as a client's may be ahead: there it is good for longer.
    const elsewhere = await state.once(
      'dpop',
      proofKey(thumbprint, id),
      until - about.time + ahead,
      Math.max(0, about.time - issuedAt),
    );
    return elsewhere === 'new' ? undefined : replayReasons[elsewhere];
  }

  return {
    algorithms: options.algorithms,
    async check(proof, about) {
      const reason = await check(proof, about);
      if (reason === undefined) return undefined;
      return nonces === undefined ? { reason } : { reason, nonce: nonces.issue(about.time) };
    },
  };
}

const replayReasons = {
  seen: 'dpop-replayed',
  known: 'dpop-replayed',
  full: 'dpop-replay-memory-full',
  forgotten: 'dpop-proof-stale',
} as const;

function readKey(header: Readonly<Record<string, unknown>>, algorithms: ReadonlySet<string>): JWK | string {
  if (header['typ'] !== 'dpop+jwt') return 'dpop-proof-type';
  if (typeof header['alg'] !== 'string' || !algorithms.has(header['alg'])) return 'dpop-proof-algorithm';
  for (const member of ['crit', 'b64', 'cty', 'jku', 'x5u', 'x5c']) {
    if (Object.hasOwn(header, member)) return 'dpop-proof-header';
  }
  const { jwk } = header;
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return 'dpop-proof-key';
  const members = jwk as Readonly<Record<string, unknown>>;
  if (secretMembers.some((member) => Object.hasOwn(members, member))) return 'dpop-proof-key';
  const wanted = publicMembers.get(members['kty']);
  if (wanted === undefined) return 'dpop-proof-key';
  // Only what the thumbprint is made of: `use`, `key_ops` or `alg` are the client's own remarks.
  const key: Record<string, unknown> = { kty: members['kty'] };
  for (const member of wanted) {
    const value = members[member];
    if (typeof value !== 'string') return 'dpop-proof-key';
    key[member] = value;
  }
  return key as unknown as JWK;
}

/** @returns when the proof was made, in milliseconds since the epoch, or the reason why it does not hold */
function judgeClaims(
  claims: Readonly<Record<string, unknown>>,
  about: ProofSubject,
  resource: string,
  { window, ahead }: { readonly window: number; readonly ahead: number },
): number | string {
  const { jti, htm, htu, iat, ath } = claims;
  if (typeof jti !== 'string' || jti === '' || jti.length > maximumIdLength) return 'dpop-proof-id';
  if (htm !== about.verb) return 'dpop-proof-method';
  const target = typeof htu === 'string' ? normaliseTarget(htu) : undefined;
  if (target === undefined || target !== normaliseTarget(resource)) return 'dpop-proof-target';
  if (ath !== createHash('sha256').update(about.token).digest('base64url')) return 'dpop-proof-token';
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return 'dpop-proof-time';
  const issuedAt = iat * 1000;
  if (issuedAt > about.time + ahead || about.time >= issuedAt + window) return 'dpop-proof-time';
  return issuedAt;
}

async function thumbprintOf(key: JWK): Promise<string | undefined> {
  try {
    return await calculateJwkThumbprint(key);
  } catch {
    return undefined;
  }
}

async function verify(proof: string, key: JWK, algorithm: string): Promise<string | undefined> {
  try {
    await compactVerify(proof, await importJWK(key, algorithm), { algorithms: [algorithm] });
    return undefined;
  } catch (error) {
    return error instanceof errors.JWSSignatureVerificationFailed ? 'dpop-proof-signature' : 'dpop-proof-key';
  }
}
