import { judgeAddress, readPrivateBlocks } from './judge-address.ts';
import { readTarget, type Target } from './target.ts';

/**
 * Why a configured URL would never be dialled, as far as it can be told without asking a name service: so that the
 * gateway does not start only to refuse every token.
 *
 * @param blocks `outbound.private`
 * @returns undefined where nothing speaks against it yet
 */
export function dialProblem(url: string, blocks: readonly string[]): string | undefined {
  let target: Target;
  try {
    target = readTarget(url);
  } catch (error) {
    return (error as Error).message;
  }
  const allowed = readPrivateBlocks(blocks);
  if (target.literal) {
    const verdict = judgeAddress(target.host, allowed);
    if (!verdict.ok) return `will not be dialled (${verdict.reason}): see outbound.private`;
    return target.secure || verdict.isPrivate ? undefined : 'http is dialled only in outbound.private';
  }
  if (target.secure) return undefined;
  const covered = ['127.0.0.1', '::1'].some((address) => judgeAddress(address, allowed).ok);
  return target.host === 'localhost' && covered ? undefined : 'http is dialled only in outbound.private';
}
