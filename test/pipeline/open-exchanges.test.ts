import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import type { Standing } from '../../src/identity/identity.ts';
import type { Peer } from '../../src/identity/peer.ts';
import type { Principal } from '../../src/identity/principal.ts';
import { holdOpen } from '../../src/pipeline/hold-open.ts';
import { OpenExchanges } from '../../src/pipeline/open-exchanges.ts';

const peerOf = (port: number): Peer => ({ address: '127.0.0.1', port, tls: undefined });
const named = (id: string, expiresAt?: number): Principal => ({
  id,
  credentials: [{ kind: 'anonymous' }],
  expiresAt,
});
const refused = new GatewayError('credential-invalid');
const revoking =
  (...ids: string[]) =>
  ({ id, expiresAt }: Principal): Standing =>
    ids.includes(id) ? { ok: false, error: refused } : { ok: true, expiresAt };

/** A clock that is asked for, and never runs by itself. */
function world() {
  const open = new OpenExchanges();
  const timers = new Map<number, () => void>();
  const at = (time: number, then: () => void) => {
    timers.set(time, then);
    return () => void timers.delete(time);
  };
  const hold = (
    principal: Principal,
    more: { readonly standing?: boolean; readonly epoch?: number; readonly peer?: Peer } = {},
  ) => {
    const abort = new AbortController();
    const held = { principal, peer: more.peer ?? peerOf(1), upstream: 'w', epoch: more.epoch ?? open.epoch };
    const over = holdOpen(held, more.standing ?? false, abort, { open, at });
    return { signal: abort.signal, over };
  };
  return { open, timers, hold };
}

describe('what is under way', () => {
  it('ends where its principal is revoked, streams and calls alike, and nobody else does', () => {
    const { open, hold } = world();
    const call = hold(named('mallory'));
    const stream = hold(named('mallory'), { standing: true });
    const other = hold(named('alice'));
    expect(open.sweep(revoking('mallory'))).toBe(2);
    expect([call, stream, other].map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
    expect(call.signal.reason).toBe(refused);
    expect(open.sweep(revoking('mallory'))).toBe(0);
  });

  it('is held no longer than it runs', () => {
    const { open, timers, hold } = world();
    const all = Array.from({ length: 10 }, (_, index) => hold(named('a', 1000 + index), { standing: true }));
    expect([open.size, timers.size]).toEqual([10, 10]);
    for (const { over } of all) over();
    expect([open.size, timers.size]).toEqual([0, 0]);
    expect(open.sweep(revoking('a'))).toBe(0);
  });

  it('is asked about again where its caller was let in before a sweep and begins after it', () => {
    const { open, hold } = world();
    const before = open.epoch;
    open.sweep(revoking('mallory'));
    expect(hold(named('mallory'), { epoch: before }).signal.aborted).toBe(true);
    expect(hold(named('alice'), { epoch: before }).signal.aborted).toBe(false);
    expect(open.size).toBe(1);
  });

  it('ends with the connection that was cut, and what still comes from it begins nothing', () => {
    const { open, hold } = world();
    const [cut, kept] = [peerOf(1), peerOf(2)];
    const first = hold(named('a'), { peer: cut });
    const other = hold(named('a'), { peer: kept });
    expect(open.endAt(cut, refused)).toBe(1);
    const late = hold(named('a'), { peer: cut });
    expect([first, other, late].map(({ signal }) => signal.aborted)).toEqual([true, false, true]);
    // Not by its address: another connection may have the same by now.
    expect(hold(named('a'), { peer: peerOf(1) }).signal.aborted).toBe(false);
  });

  it('ends with its credential where it is meant to stay open, and only there', () => {
    const { timers, hold } = world();
    const stream = hold(named('a', 1000), { standing: true });
    hold(named('a', 2000));
    expect([...timers.keys()]).toEqual([1000]);
    timers.get(1000)!();
    expect(stream.signal.reason).toMatchObject({ code: 'credential-invalid', cause: { code: 'expired' } });
  });

  it('follows an expiry that moves, in either direction', () => {
    const { open, timers, hold } = world();
    hold(named('a', 1000), { standing: true });
    for (const [expiresAt, left] of [
      [500, [500]],
      [500, [500]],
      [undefined, []],
      [1000, [1000]],
    ] as const) {
      open.sweep(() => ({ ok: true, expiresAt }));
      expect([...timers.keys()]).toEqual(left);
    }
  });
});
