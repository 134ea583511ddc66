import { leastLoaded } from './balance.ts';
import type { Permit } from './breaker.ts';
import type { Member } from './member.ts';
import { placeOf } from './stickiness.ts';

/** A member that a call goes to, and what to hand in with its end. */
export interface Choice {
  readonly member: Member;
  readonly permit: Permit;
}

export interface ChoiceWish {
  /** Which of an endpoint's lanes the call takes. */
  readonly longLived: boolean;
  /** Who calls; undefined: the gateway itself. */
  readonly caller: string | undefined;
  /** The caller, where each has an endpoint of its own; undefined: the one with least to do. */
  readonly stickTo: string | undefined;
  /** Where it was tried already. */
  readonly except: Member | undefined;
}

/** Percent of the endpoints that must do well for the others to be avoided. */
export interface ChoiceRules {
  readonly panic: number;
  random(): number;
}

/**
 * Whether so few endpoints do well that they could not carry what all did, or that it is rather the judgement that is wrong:
 * then all are used.
 */
export function isPanic(members: readonly Member[], panic: number): boolean {
  const well = members.filter((member) => !member.isAvoided()).length;
  return well * 100 < members.length * panic;
}

/**
 * Picks the endpoint of a call that belongs to none: among those that do well, and to which the breaker lets calls. Where it
 * lets none to those, among the others.
 *
 * @returns `busy` where those that could take it have all they may have, `refused` where the breakers let nothing through
 */
export function choose(
  members: readonly Member[],
  wish: ChoiceWish,
  rules: ChoiceRules,
): Choice | 'busy' | 'refused' {
  if (members.length === 1) return only(members[0]!, wish);
  const open = wish.except === undefined ? members : members.filter((member) => member !== wish.except);
  const isAvoiding = !isPanic(members, rules.panic);
  const avoided = isAvoiding ? open.filter((member) => member.isAvoided()) : [];
  const preferred = avoided.length === 0 ? open : open.filter((member) => !avoided.includes(member));
  const first = chooseAmong(preferred, wish, rules);
  if (typeof first !== 'string' || avoided.length === 0) return first;
  const second = chooseAmong(avoided, wish, rules);
  return typeof second === 'string' ? first : second;
}

function only(member: Member, wish: ChoiceWish): Choice | 'busy' | 'refused' {
  if (wish.except === member) return 'refused';
  if (!hasRoom(member, wish)) return 'busy';
  const permit = member.breaker.admit(wish.caller);
  return permit === undefined ? 'refused' : { member, permit };
}

function chooseAmong(
  members: readonly Member[],
  wish: ChoiceWish,
  { random }: ChoiceRules,
): Choice | 'busy' | 'refused' {
  let left = members.filter((member) => hasRoom(member, wish));
  if (left.length === 0) return members.length === 0 ? 'refused' : 'busy';
  while (left.length > 0) {
    const place =
      wish.stickTo === undefined
        ? leastLoaded(
            left.map((member) => laneOf(member, wish).busy),
            random,
          )
        : placeOf(
            wish.stickTo,
            left.map(({ endpoint }) => endpoint.tag),
          );
    const member = left[place]!;
    const permit = member.breaker.admit(wish.caller);
    if (permit !== undefined) return { member, permit };
    left = left.filter((other) => other !== member);
  }
  return 'refused';
}

export function hasRoom(member: Member, wish: Pick<ChoiceWish, 'longLived' | 'caller'>): boolean {
  return laneOf(member, wish).hasRoom(wish.caller);
}

function laneOf({ endpoint }: Member, { longLived }: Pick<ChoiceWish, 'longLived'>) {
  return longLived ? endpoint.streams : endpoint.calls;
}
