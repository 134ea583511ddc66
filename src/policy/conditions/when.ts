import type { AccessRequest } from '../access-request.ts';
import { compileArgs } from './args.ts';
import { compileCel, type DescribeCaller } from './cel.ts';
import { compileClaimsCondition } from './claims.ts';
import type { Condition, RuleEffect } from './condition.ts';
import { compileNetwork } from './network.ts';
import type { WhenDocument } from './options.ts';
import { compileTime } from './time.ts';
import { every, type Truth } from './truth.ts';

/** A rule's `when`, compiled. */
export interface When {
  /** About who the caller is: claims. The same for every request of a subject. */
  readonly standing: readonly Condition[];
  /** About the caller and the target: the same for every request of a subject for one target. */
  readonly targeted: readonly Condition[];
  /** About this one request: arguments, network, time. */
  readonly passing: readonly Condition[];
}

/** @returns undefined where the rule has no conditions */
export function compileWhen(
  when: WhenDocument | undefined,
  effect: RuleEffect,
  describe: DescribeCaller,
): When | undefined {
  if (when === undefined) return undefined;
  const standing: Condition[] = [];
  const targeted: Condition[] = [];
  const passing: Condition[] = [];
  if (when.claims !== undefined) standing.push(compileClaimsCondition(when.claims, effect));
  if (when.network !== undefined) passing.push(compileNetwork(when.network));
  if (when.time !== undefined) passing.push(compileTime(when.time));
  if (when.args !== undefined) passing.push(...compileArgs(when.args, effect));
  if (when.cel !== undefined) {
    const { condition, dependence } = compileCel(when.cel, describe);
    const lists = { caller: standing, target: targeted, request: passing };
    lists[dependence].push(condition);
  }
  return { standing, targeted, passing };
}

/** Whether all conditions hold. */
export function testWhen(when: When | undefined, request: AccessRequest): Truth {
  if (when === undefined) return 'true';
  const standing = testKnown(when, request);
  if (standing === 'false') return 'false';
  const passing = testAll(when.passing, request);
  return passing === 'true' ? standing : passing;
}

/** Whether the conditions on the caller and the target hold, whatever else the request brings. */
export function testKnown(when: When | undefined, request: AccessRequest): Truth {
  if (when === undefined) return 'true';
  const standing = testAll(when.standing, request);
  if (standing === 'false' || when.targeted.length === 0) return standing;
  const targeted = testAll(when.targeted, request);
  return targeted === 'true' ? standing : targeted;
}

/** Whether the conditions on the caller hold, whatever the request and its target. */
export function testStanding(when: When | undefined, request: AccessRequest): Truth {
  return when === undefined ? 'true' : testAll(when.standing, request);
}

/** Which condition does not hold, or else cannot be evaluated; undefined where all hold. */
export function blameWhen(when: When, request: AccessRequest): string | undefined {
  const all = [...when.standing, ...when.targeted, ...when.passing];
  const failed =
    all.find((condition) => condition.test(request) === 'false') ??
    all.find((condition) => condition.test(request) === 'unknown');
  return failed?.blame(request);
}

function testAll(conditions: readonly Condition[], request: AccessRequest): Truth {
  return conditions.length === 0 ? 'true' : every(conditions, (condition) => condition.test(request));
}
