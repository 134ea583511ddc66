import { describe, expect, test } from 'vitest';
import { faultOf } from './support.ts';

const v4 = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';

describe('uuid', () => {
  test.each([
    v4,
    v4.toUpperCase(),
    '018f8c5e-7b1d-7c3a-8f00-0123456789ab',
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
  ])('takes %s', (value) => {
    expect(faultOf({ uuid: {} }, value)).toBeUndefined();
  });

  test.each([
    `{${v4}}`,
    `urn:uuid:${v4}`,
    v4.replaceAll('-', ''),
    `${v4}\n`,
    ` ${v4}`,
    v4.replace('3f', '3g'),
    v4.replace('4', '\uff14'),
    v4.replaceAll('-', '\u2010'),
    `${v4.slice(0, 35)}'`,
    v4.replace('9a0c', 'ca0c'),
    '',
  ])('refuses %j', (value) => {
    expect(faultOf({ uuid: {} }, value)).toBe('uuid:not-a-uuid');
  });

  test('by version', () => {
    expect(faultOf({ uuid: { versions: [4] } }, v4)).toBeUndefined();
    expect(faultOf({ uuid: { versions: [7] } }, v4)).toBe('uuid:version');
    expect(faultOf({ uuid: { versions: [4] } }, '00000000-0000-0000-0000-000000000000')).toBe('uuid:version');
  });

  test.each([null, 1, [v4], { uuid: v4 }])('refuses %j, which is no text', (value) => {
    expect(faultOf({ uuid: {} }, value)).toBe('uuid:type');
  });
});

describe('semver', () => {
  test.each(['0.0.0', '1.2.3', '1.0.0-rc.1', '1.0.0-alpha+001', '1.2.3+build.5'])('takes %s', (value) => {
    expect(faultOf({ semver: {} }, value)).toBeUndefined();
  });

  test.each([
    '1',
    '1.2',
    '01.2.3',
    '1.2.3.4',
    '1.2.3-01',
    '^1.2.3',
    '>=1.2.3',
    '1.2.x',
    'latest',
    '1.2.3 ',
    '1.2.3\n',
    '1.2.3; rm -rf /',
    '1.2.3-$(id)',
    '1.2.3-\u017f',
    '\uff11.2.3',
    'vv1.2.3',
    `1.2.3-${'a'.repeat(300)}`,
  ])('refuses %j', (value) => {
    expect(faultOf({ semver: {} }, value)).toBe('semver:not-a-version');
  });

  test('by options', () => {
    expect(faultOf({ semver: {} }, 'v1.2.3')).toBe('semver:leading-v');
    expect(faultOf({ semver: { leadingV: true } }, 'v1.2.3')).toBeUndefined();
    expect(faultOf({ semver: { prerelease: 'refuse' } }, '1.2.3-rc.1')).toBe('semver:prerelease');
    expect(faultOf({ semver: { prerelease: 'refuse' } }, '1.2.3+build-1')).toBeUndefined();
    expect(faultOf({ semver: {} }, 1.2)).toBe('semver:type');
  });
});
