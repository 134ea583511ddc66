import fc from 'fast-check';
import { expect, test } from 'vitest';
import { correlate } from '../../src/filters/correlate.ts';
import { filterOptionsSchema } from '../../src/filters/options.ts';
import { createOutstanding } from '../../src/filters/outstanding.ts';
import { createSealer } from '../../src/filters/seal.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import { call, down, makeExchange, passed, principal, resultOf, told, up } from './support.ts';

function build() {
  const options = filterOptionsSchema.parse({});
  const outstanding = createOutstanding(options.memory, () => 0);
  const filter = correlate({
    outstanding,
    memory: options.memory,
    state: options.requestState,
    sealer: createSealer([Buffer.alloc(32)], 'request-state'),
    now: () => 0,
    monotonic: () => 0,
  });
  return { outstanding, filter };
}

/**
 * 200 exchanges with one and the same id, some of them in legacy sessions. Each step sends, answers (now and then on
 * the wrong exchange first), or ends one of them.
 */
test('answers never cross between exchanges with equal ids, and nothing is left when all have ended', async () => {
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat(2 ** 30)), async (random) => {
      const pick = (below: number): number => random.next().value! % below;
      const { outstanding, filter } = build();
      const waiting: Exchange[] = Array.from({ length: 200 }, (_, index) => {
        const exchange = makeExchange({
          request: call('ping', undefined, 1),
          principal: principal(`p${index % 3}`),
        });
        if (index % 2 === 0) {
          exchange.facts.session = { key: `s${index}`, upstreamId: `u${index}`, revision: '2025-11-25' };
        }
        return exchange;
      });
      const sent: { exchange: Exchange; id: number }[] = [];
      const answered = new Set<Exchange>();
      while (waiting.length > 0 || sent.length > 0) {
        const step = pick(4);
        if (step < 2 && waiting.length > 0) {
          const exchange = waiting.splice(pick(waiting.length), 1)[0]!;
          const frame = passed(await up(filter, exchange), exchange.request, 'request');
          sent.push({ exchange, id: frame.id as number });
        } else if (sent.length > 0) {
          const index = pick(sent.length);
          const { exchange, id } = sent[index]!;
          const stranger = sent[pick(sent.length)]!;
          if (stranger.exchange !== exchange) {
            expect(told(await down(filter, stranger.exchange, resultOf(id, {})))).toBe('drop answer-unasked');
          }
          if (step === 2) {
            sent.splice(index, 1);
            filter.end?.(exchange);
            expect(told(await down(filter, exchange, resultOf(id, {})))).toBe('drop answer-unasked');
            continue;
          }
          const frame = resultOf(id, { for: exchange.id });
          const verdict = await down(filter, exchange, frame);
          if (answered.has(exchange)) {
            expect(told(verdict)).toBe('drop answer-unasked');
          } else {
            const given = passed(verdict, frame, 'result');
            expect([given.id, given.result['for']]).toEqual([1, exchange.id]);
            answered.add(exchange);
          }
        }
      }
      expect(outstanding.size).toBe(0);
    }),
    { numRuns: 15 },
  );
});
