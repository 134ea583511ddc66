import { describe, expect, it } from 'vitest';
import { pemBlocks } from '../../src/values/pem-blocks.ts';

const block = (label: string, body: string): string =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
const file = `# roots, 2026 - 2036\n${block('CERTIFICATE', 'QUJD')}\n# ----- the other -----\n${block('X509 CRL', 'R0hJ')}${block('CERTIFICATE', 'REVG')}`;

describe('the blocks of a PEM file', () => {
  it('are those of one label, in their order', () => {
    expect(pemBlocks(file, 'CERTIFICATE')).toEqual([
      block('CERTIFICATE', 'QUJD').trim(),
      block('CERTIFICATE', 'REVG').trim(),
    ]);
    expect(pemBlocks(file, 'X509 CRL')).toHaveLength(1);
    expect(pemBlocks('nothing', 'CERTIFICATE')).toEqual([]);
  });

  it('are none at all where the file ends inside one, wherever that is', () => {
    const begins = file.lastIndexOf('-----BEGIN') + '-----B'.length;
    const ends = file.trimEnd().length;
    for (let end = begins; end < ends; end += 1) {
      expect(pemBlocks(file.slice(0, end), 'CERTIFICATE'), `cut at ${end}`).toBeUndefined();
    }
  });

  it('are none at all where one begins inside another, or ends as another', () => {
    for (const text of [
      '-----BEGIN CERTIFICATE-----\nQUJD\n-----BEGIN CERTIFICATE-----\nREVG\n-----END CERTIFICATE-----\n',
      '-----BEGIN CERTIFICATE-----\nQUJD\n-----END X509 CRL-----\n',
      'QUJD\n-----END CERTIFICATE-----\n',
    ]) {
      expect(pemBlocks(text, 'CERTIFICATE'), text).toBeUndefined();
    }
  });
});
