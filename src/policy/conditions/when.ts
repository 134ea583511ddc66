import type { AccessRequest } from '../access-request.ts';
import { compileArgs } from './args.ts';
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
  /** About this one request: arguments, network, time. */
  readonly passing: readonly Condition[];
}

/** @returns undefined where the rule has no conditions */
export function compileWhen(when: WhenDocument | undefined, effect: RuleEffect): When | undefined {
  if (when === undefined) return undefined;
  const standing: Condition[] = [];
  const passing: Condition[] = [];
  if (when.claims !== undefined) standing.push(compileClaimsCondition(when.claims, effect));
  if (when.network !== undefined) passing.push(compileNetwork(when.network));
  if (when.time !== undefined) passing.push(compileTime(when.time));
  if (when.args !== undefined) passing.push(...compileArgs(when.args, effect));
  return { standing, passing };
}

/** Whether all conditions hold. */
export function testWhen(when: When | undefined, request: AccessRequest): Truth {
  if (when === undefined) return 'true';
  const standing = testAll(when.standing, request);
  if (standing === 'false') return 'false';
  const passing = testAll(when.passing, request);
  return passing === 'true' ? standing : passing;
}

/** Whether the conditions on the caller hold, whatever the request. */
export function testStanding(when: When | undefined, request: AccessRequest): Truth {
  return when === undefined ? 'true' : testAll(when.standing, request);
}

/** Which condition does not hold, or else cannot be evaluated; undefined where all hold. */
export function blameWhen(when: When, request: AccessRequest): string | undefined {
  const all = [...when.standing, ...when.passing];
  const failed =
    all.find((condition) => condition.test(request) === 'false') ??
    all.find((condition) => condition.test(request) === 'unknown');
  return failed?.blame(request);
}

function testAll(conditions: readonly Condition[], request: AccessRequest): Truth {
  return conditions.length === 0 ? 'true' : every(conditions, (condition) => condition.test(request));
}
