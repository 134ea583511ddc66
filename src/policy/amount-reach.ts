import { amountFromArguments, readsOfAmount } from './amount.ts';

/** What a limit matches, as far as names of tools are concerned. */
interface Match {
  readonly tools?: readonly string[] | undefined;
}

interface Beyond {
  /** From `cost` on. */
  readonly path: string[];
  readonly message: string;
}

/**
 * Costs that no call could ever pay, as far as the policy alone tells.
 *
 * @param all how many units there are at most
 */
export function costsBeyond(
  cost: number | string | Readonly<Record<string, number>> | undefined,
  all: number,
  match: Match,
): readonly Beyond[] {
  const among = `is more than the ${all} that there ever are`;
  if (typeof cost === 'number')
    return cost > all ? [{ path: [], message: `${among}: no call would pass` }] : [];
  if (typeof cost === 'string') {
    const message = fixedFault(cost, 1, all, match);
    return message === undefined ? [] : [{ path: [], message }];
  }
  return Object.entries(cost ?? {})
    .filter(([, units]) => units > all)
    .map(([pattern]) => ({
      path: [pattern],
      message: `${among}: no call of such a tool would pass. To refuse them, deny them in a role`,
    }));
}

/**
 * What is wrong with an expression whose amount the policy alone settles: it looks at no argument, and at most at names that
 * the limit spells out. Undefined where calls may differ, and where nothing is wrong.
 *
 * @param least what it counts for at least
 * @param most how many units there are at most
 */
export function fixedFault(text: string, least: number, most: number, match: Match): string | undefined {
  const reads = readsOfAmount(text);
  if (reads === undefined || reads.has('args')) return undefined;
  const names = reads.has('tool') ? namesOf(match) : [''];
  for (const tool of names) {
    const whose = tool === '' ? 'no call' : `no call of ${tool}`;
    const amount = amountFromArguments(text, least * 1000).measure({ args: {}, tool });
    if (amount === undefined) return `is no amount, whatever a call brings: ${whose} would pass`;
    if (amount > most * 1000) {
      return `is always ${amount / 1000}, more than the ${most} that there ever are: ${whose} would pass`;
    }
  }
  return undefined;
}

/** Names of tools that the limit spells out: of each of them it is known what such an expression says. */
function namesOf({ tools }: Match): readonly string[] {
  return (tools ?? []).filter((name) => !name.includes('*'));
}
