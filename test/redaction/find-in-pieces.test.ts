import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createContentRedactor, type Hits } from '../../src/redaction/redact-text.ts';
import { redactionClasses } from '../../src/redaction/span.ts';

const key = Buffer.alloc(32, 7);
const held = `held-${'s3cr3t'.repeat(600)}`;
const redactor = createContentRedactor({ key, secrets: ['held-secret-value', held], phoneRegion: 'DE' });
const all = new Set(redactionClasses);
const word = 'lorem ipsum dolor sit amet ';

const secrets = {
  'a held secret': 'held-secret-value',
  'a held secret of 3,600 letters': held,
  'a card': '4111 1111 1111 1111',
  'an IBAN': 'DE89 3704 0044 0532 0130 00',
  'an address': 'jo.doe@example.com',
  'a phone number': '+49 30 901820',
  'a password': 'password=hunter2222',
  'a JWT': `eyJhbGciOiJIUzI1NiJ9.${'eyJzdWIiOiIxIn0'.repeat(4)}.c2lnbmF0dXJl`,
  'a JWT of 6,000 letters': `eyJhbGciOiJIUzI1NiJ9.${'eyJzdWIiOiIxIn0'.repeat(400)}.c2lnbmF0dXJl`,
  'a URL with a password': 'https://jo:hunter22@example.com/',
  'a private key': `-----BEGIN PRIVATE KEY-----\n${`${'MIIEvQ'.repeat(10)}\n`.repeat(30)}-----END PRIVATE KEY-----`,
  'a private key of 40,000 letters': `-----BEGIN PRIVATE KEY-----\n${`${'MIIEvQ'.repeat(10)}\n`.repeat(650)}-----END PRIVATE KEY-----`,
};

/** What a text of this secret alone becomes. */
function alone(secret: string): string {
  return redactor.text(`${word}${secret} ${word}`, all, new Map()).slice(word.length, -word.length - 1);
}

describe('a text that is searched in pieces', () => {
  it.each(Object.entries(secrets))('loses %s wherever it stands', (_name, secret) => {
    const instead = alone(secret);
    expect(instead).not.toContain(secret);
    // Around the border between the first two pieces, and far behind it.
    for (const at of [0, 14_000, 15_990, 16_340, 16_380, 16_384, 16_390, 17_000, 32_760, 50_000]) {
      const before = word.repeat(Math.ceil(at / word.length)).slice(0, at);
      const start = before.slice(0, before.lastIndexOf(' ') + 1);
      const text = `${start}${secret} ${word.repeat(2000)}`;
      const clean = redactor.text(text, all, new Map());
      // Not as texts: a report of two of them has 100 000 letters.
      expect(clean === `${start}${instead} ${word.repeat(2000)}`, `at ${start.length}`).toBe(true);
    }
  });

  it('counts each find once, however they are spread', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.nat(4000),
            fc.constantFrom('4111 1111 1111 1111', 'jo@example.com', 'held-secret-value'),
          ),
          {
            minLength: 8,
            maxLength: 40,
          },
        ),
        (places) => {
          const text = `${places.map(([gap, secret]) => `${'x y '.repeat(gap / 2 + 1)} ${secret}`).join(' ')} ${word.repeat(1000)}`;
          const hits: Hits = new Map();
          const clean = redactor.text(text, all, hits);
          for (const [, secret] of places) expect(clean).not.toContain(secret);
          expect([...hits.values()].reduce((sum, count) => sum + count, 0)).toBe(places.length);
          expect(redactor.text(clean, all, new Map())).toBe(clean);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('hides a secret in base64 longer than a piece', () => {
    const plain = `${word.repeat(1500)}password=hunter2222 ${word.repeat(1500)}`;
    const text = Buffer.from(plain).toString('base64');
    expect(text.length).toBeGreaterThan(60_000);
    const clean = redactor.text(text, all, new Map());
    expect(clean).toContain('[redacted:');
    for (const shift of [0, 1, 2])
      expect(clean).not.toContain(
        Buffer.from(`${' '.repeat(shift)}hunter2222`)
          .toString('base64')
          .slice(4, 12),
      );
  });

  it('tells the end of a key that goes on in the next text', () => {
    const begin = `${word.repeat(2000)}-----BEGIN PRIVATE KEY-----\n${'MIIEvQ'.repeat(8000)}`;
    const first = redactor.next(begin, all, new Map(), undefined);
    expect(first.tail.insideKey).toBe(true);
    expect(first.text).not.toContain('MIIEvQ');
    const second = redactor.next(
      `${'MIIEvQ'.repeat(8000)}\n-----END PRIVATE KEY----- end`,
      all,
      new Map(),
      first.tail,
    );
    expect(second.text).not.toContain('MIIEvQ');
    expect(second.text).toContain(' end');
  });

  it('tags as HMAC-SHA-256 does', () => {
    const tag = createHmac('sha256', key).update('hunter2222').digest('hex').slice(0, 8);
    expect(redactor.text('password=hunter2222', all, new Map())).toBe(`password=[redacted:keys:${tag}]`);
  });
});
