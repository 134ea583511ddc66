/** What becomes of a client certificate, over real sockets. The table in docs/certificates.md says the same in words. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Doors, openDoors } from '../support/certificate-doors.ts';
import {
  type Chain,
  climbing,
  good,
  leaf,
  makeWorld,
  past,
  rows,
  type World,
} from '../support/certificate-rows.ts';
import { makeCrl, makeParty } from '../support/odd-certificates.ts';

/** Doors with revocation lists, and what becomes of the same few certificates at each. */
const listRows: readonly (readonly [door: string, who: string, outcome: string])[] = [
  ['current', 'leaf', good],
  ['current', 'revoked', 'CERT_REVOKED'],
  ['current', 'belowMiddle', good],
  ['current', 'revokedBelowMiddle', 'CERT_REVOKED'],
  ['current', 'belowUnlisted', 'UNABLE_TO_GET_CRL'],
  ['middleRevoked', 'leaf', good],
  ['middleRevoked', 'belowMiddle', 'CERT_REVOKED'],
  ['expired', 'leaf', 'CRL_HAS_EXPIRED'],
  ['expired', 'revoked', 'CRL_HAS_EXPIRED'],
  ['forged', 'leaf', 'CRL_SIGNATURE_FAILURE'],
  ['forged', 'revoked', 'CRL_SIGNATURE_FAILURE'],
];

describe('a client certificate', () => {
  let world: World;
  let doors: Doors;
  const parties = new Map<string, Chain>();

  beforeAll(async () => {
    world = await makeWorld();
    const { root, other, rsa, sha1, limited, limitedRoot, flat, middle, crossed, crossedByRoot } = world;
    const authorities = [root, other, rsa, sha1, limited, limitedRoot, flat, middle, crossed, crossedByRoot];
    // The expired one stands first: whoever takes the first way up takes it.
    const several = [world.leftByRoot, world.left, ...authorities].map(({ pem }) => pem).join('');
    const [revoked, revokedBelow] = [
      await makeParty({ uris: [good], issuer: root }),
      await makeParty({ uris: [good], issuer: middle }),
    ];
    parties.set('leaf', [await makeParty({ uris: [good], issuer: root })]);
    parties.set('revoked', [revoked]);
    parties.set('belowMiddle', [await makeParty({ uris: [good], issuer: middle })]);
    parties.set('revokedBelowMiddle', [revokedBelow]);
    parties.set('belowUnlisted', await climbing(1)(world));
    const two = root.pem + middle.pem;
    const ofMiddle = await makeCrl(middle, { revoked: [revokedBelow.serial] });
    const dead = { nextUpdate: past, revoked: [revoked.serial] };
    doors = await openDoors(
      {
        several: { ca: several },
        single: { ca: root.pem },
        current: { ca: two, crl: (await makeCrl(root, { revoked: [revoked.serial] })) + ofMiddle },
        middleRevoked: { ca: two, crl: (await makeCrl(root, { revoked: [middle.serial] })) + ofMiddle },
        expired: { ca: root.pem, crl: await makeCrl(root, dead) },
        forged: { ca: root.pem, crl: await makeCrl(root, { signer: other }) },
      },
      [
        { domain: 'acme.example', ca: root.pem + rsa.pem + sha1.pem },
        { domain: 'other.example', ca: other.pem },
      ],
    );
  });

  afterAll(() => doors.close());

  for (const [group, group_] of Object.entries(rows)) {
    describe(group, () => {
      test.each(group_)('%s: %s', async (_name, outcome, make) => {
        expect(await doors.knock('several', await make(world))).toEqual([outcome]);
      });
    });
  }

  test('a SPIFFE ID of 2048 bytes is the longest', async () => {
    const longest = `spiffe://acme.example/${'a'.repeat(2026)}`;
    // Records cut what is longer than they hold.
    const [outcome, ...others] = await doors.knock('several', await leaf({ uris: [longest] })(world));
    expect(outcome?.replace('[truncated]', '')).toMatch(/^spiffe:\/\/acme\.example\/a{900,}$/);
    expect(others).toEqual([]);
  });

  describe('with one root', () => {
    // The handshake can have ended nowhere else, however long the way.
    test.each([1, 3, 7, 8, 9])('below %i intermediates that are sent', async (steps) => {
      expect(await doors.knock('single', await climbing(steps)(world))).toEqual([good]);
    });

    test('below intermediates of which one is left out', async () => {
      const chain = await climbing(5)(world);
      expect(await doors.knock('single', [...chain.slice(0, 2), ...chain.slice(3)])).toEqual([
        'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      ]);
    });
  });

  describe('with revocation lists', () => {
    test.each(listRows)('list %s, certificate %s: %s', async (door, who, outcome) => {
      expect(await doors.knock(door, parties.get(who)!)).toEqual([outcome]);
    });
  });
});

describe('revocation lists that start nothing', () => {
  test.each([
    ['of another CA', async ({ root, other }: World) => ({ ca: root.pem, crl: await makeCrl(other) })],
    [
      'missing for an intermediate',
      async ({ root, middle }: World) => ({ ca: root.pem + middle.pem, crl: await makeCrl(root) }),
    ],
  ])('%s', async (_name, make) => {
    const door = await make(await makeWorld());
    await expect(openDoors({ door }, [])).rejects.toThrow(/no CRL of CN=/);
  });
});
