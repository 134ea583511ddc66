import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BreakerOptions, createBreaker } from '../../src/upstream/breaker.ts';
import type { Evidence } from '../../src/upstream/evidence.ts';

const options: BreakerOptions = { failures: 5, silence: 10_000, open: 2000, most: 30_000, pace: 1000 };

function setUp(changes: Partial<BreakerOptions> = {}) {
  const clock = { now: 1000 };
  const heard: string[] = [];
  const breaker = createBreaker(
    { ...options, ...changes },
    () => clock.now,
    (state) => heard.push(state),
  );
  const call = (evidence: Evidence, caller?: string): boolean => {
    const permit = breaker.admit(caller);
    if (permit !== undefined) breaker.settle(permit, evidence);
    return permit !== undefined;
  };
  const times = (count: number, evidence: Evidence): void => {
    for (let index = 0; index < count; index += 1) call(evidence);
  };
  return { breaker, clock, heard, call, times };
}

describe('a breaker', () => {
  it('opens after connections that did not come about, without an answer in between', () => {
    const { breaker, call, times, heard } = setUp();
    times(4, 'unreached');
    call('ok');
    times(4, 'unreached');
    expect(breaker.state()).toBe('closed');
    call('unreached');
    expect([breaker.state(), breaker.admit(), heard]).toEqual(['open', undefined, ['open']]);
    expect(breaker.remaining()).toBe(2000);
  });

  it('stays closed while anybody is answered, however many calls of one caller hang', () => {
    const { breaker, clock, call, times } = setUp();
    for (let second = 0; second < 120; second += 1) {
      clock.now += 1000;
      if (second % 9 === 0) call('ok');
      times(50, 'failed');
    }
    expect(breaker.state()).toBe('closed');
  });

  it('opens where nothing at all was answered for a while', () => {
    const { breaker, clock, times, call } = setUp();
    times(100, 'failed');
    expect(breaker.state()).toBe('closed');
    clock.now += 10_000;
    call('failed');
    expect(breaker.state()).toBe('open');
  });

  it('stays closed, and closes, where it is said at once that it cannot: a caller may know how to have that said', () => {
    const { breaker, clock, times, call } = setUp();
    for (let second = 0; second < 60; second += 1) {
      clock.now += 1000;
      times(50, 'erred');
    }
    expect(breaker.state()).toBe('closed');
    times(5, 'unreached');
    expect(breaker.state()).toBe('open');
    clock.now += 2000;
    call('erred');
    expect(breaker.state()).toBe('closed');
  });

  it('takes no notice of callers that leave and of what the gateway itself could not do', () => {
    const { breaker, clock, times } = setUp();
    clock.now += 60_000;
    times(1000, 'neutral');
    expect(breaker.state()).toBe('closed');
  });

  it('lets one call through after its time, and closes when that is answered', () => {
    const { breaker, clock, times, call, heard } = setUp();
    times(5, 'unreached');
    clock.now += 1999;
    expect(breaker.admit()).toBeUndefined();
    clock.now += 1;
    expect(call('ok')).toBe(true);
    expect([breaker.state(), call('ok'), call('ok'), heard]).toEqual([
      'closed',
      true,
      true,
      ['open', 'closed'],
    ]);
  });

  it('waits twice as long after each probe that fails, up to the most', () => {
    const { breaker, clock, times, call } = setUp();
    times(5, 'unreached');
    const waits: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      waits.push(breaker.remaining());
      clock.now += breaker.remaining();
      expect(call('unreached')).toBe(true);
    }
    expect(waits).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    clock.now += breaker.remaining();
    call('ok');
    times(5, 'unreached');
    expect(breaker.remaining()).toBe(2000);
  });

  it('is not held up by a probe that hangs', () => {
    const { breaker, clock, times } = setUp();
    times(5, 'unreached');
    clock.now += 2000;
    const hanging = breaker.admit()!;
    expect([breaker.admit(), breaker.state()]).toEqual([undefined, 'half-open']);
    clock.now += 1000;
    breaker.settle(breaker.admit()!, 'ok');
    expect(breaker.state()).toBe('closed');
    // What becomes of the first is of another time.
    for (let index = 0; index < 5; index += 1) breaker.settle(hanging, 'unreached');
    expect(breaker.state()).toBe('closed');
  });

  it('does not take late ends of calls from before for probes', () => {
    const { breaker, clock, times } = setUp();
    const early = breaker.admit()!;
    times(5, 'unreached');
    breaker.settle(early, 'ok');
    expect(breaker.state()).toBe('open');
    clock.now += 2000;
    breaker.admit();
    breaker.settle(early, 'ok');
    expect(breaker.state()).toBe('half-open');
  });

  it('is opened and closed by checks too', () => {
    const { breaker } = setUp();
    for (let index = 0; index < 5; index += 1) breaker.checked(false);
    expect(breaker.state()).toBe('open');
    breaker.checked(false);
    breaker.checked(true);
    expect(breaker.state()).toBe('closed');
  });

  it('does not take a quiet night for silence: what nobody asked was not left unanswered', () => {
    const { breaker, clock, call, times } = setUp();
    for (const before of [() => undefined, () => call('ok'), () => call('neutral')]) {
      before();
      clock.now += 3_600_000;
      times(50, 'failed');
      expect(breaker.state()).toBe('closed');
      call('ok');
    }
  });

  /** What one caller may do with a probe so that nobody learns from it that the endpoint is there. */
  const waysToSpoil: readonly [string, Evidence | undefined][] = [
    ['arguments that crash the tool', 'failed'],
    ['leaving at once', 'neutral'],
    ['arguments that make it hang', undefined],
  ];
  for (const [way, evidence] of waysToSpoil) {
    for (const callers of [1, 5]) {
      it(`is not kept open by ${callers} who call without pause, each probe spoilt by ${way}`, () => {
        const { breaker, clock, times, call } = setUp();
        times(5, 'unreached');
        let admitted = 0;
        // One who comes when he is told to, among some who come a hundred times a second.
        let honestAt = clock.now + breaker.remaining('honest');
        for (let step = 0; step < 6000 && breaker.state() !== 'closed'; step += 1) {
          clock.now += 10;
          const permit = breaker.admit(`spoiler ${step % callers}`);
          if (permit !== undefined) {
            admitted += 1;
            if (evidence !== undefined) breaker.settle(permit, evidence);
          }
          if (clock.now < honestAt) continue;
          if (!call('ok', 'honest')) honestAt = clock.now + breaker.remaining('honest');
        }
        expect(breaker.state()).toBe('closed');
        expect(admitted).toBeGreaterThan(0);
        expect(clock.now).toBeLessThan(1000 + options.open + (callers + 2) * options.pace);
      });
    }
  }

  it('shuts for others twice as long after one connection that did not come about, however many probes failed before', () => {
    const { breaker, clock, times, call } = setUp();
    times(5, 'unreached');
    for (let probe = 0; probe < 10; probe += 1) {
      clock.now += breaker.remaining('spoiler');
      expect(call('failed', 'spoiler')).toBe(true);
    }
    // The time of who spoils them goes on doubling.
    expect(breaker.remaining('spoiler')).toBe(options.most);
    clock.now += breaker.remaining();
    expect(call('unreached')).toBe(true);
    expect(breaker.remaining('honest')).toBe(2 * options.open);
    clock.now += breaker.remaining('honest');
    expect(call('unreached', 'honest')).toBe(true);
    expect(breaker.remaining()).toBe(4 * options.open);
  });

  it('tells each caller when it may come, and lets it through then', () => {
    const { breaker, clock, times, call } = setUp();
    times(5, 'unreached');
    for (const evidence of ['failed', 'neutral', 'failed', 'unreached', 'neutral'] as const) {
      const wait = breaker.remaining('one');
      expect(wait).toBeGreaterThan(0);
      clock.now += wait - 1;
      expect(call(evidence, 'one')).toBe(false);
      clock.now += 1;
      expect(call(evidence, 'one')).toBe(true);
    }
  });

  it('never lets more probes through than paced, whatever happens', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(5000) }),
      fc.record({ kind: fc.constant('call' as const), caller: fc.constantFrom(undefined, 'a', 'b', 'c') }),
      fc.record({
        kind: fc.constant('end' as const),
        which: fc.nat(50),
        evidence: fc.constantFrom<Evidence>('unreached', 'failed', 'neutral'),
      }),
      fc.record({ kind: fc.constant('check' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const { breaker, clock, times } = setUp();
        times(5, 'unreached');
        const running: number[] = [];
        const probes: number[] = [];
        for (const next of steps) {
          if (next.kind === 'wait') clock.now += next.ms;
          else if (next.kind === 'check') breaker.checked(false);
          else if (next.kind === 'call') {
            const permit = breaker.admit(next.caller);
            if (permit === undefined) continue;
            running.push(permit);
            probes.push(clock.now);
          } else {
            const [permit] = running.splice(next.which % Math.max(1, running.length), 1);
            if (permit !== undefined) breaker.settle(permit, next.evidence);
          }
          expect(breaker.state()).not.toBe('closed');
        }
        for (const [index, at] of probes.entries()) {
          if (index > 0) expect(at - probes[index - 1]!).toBeGreaterThanOrEqual(options.pace);
        }
        if (probes[0] !== undefined) expect(probes[0]).toBeGreaterThanOrEqual(1000 + options.open);
      }),
    );
  });
});
