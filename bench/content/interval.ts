/** 95 % of a normal distribution lie within so many standard deviations. */
const z = 1.959964;

/**
 * Wilson's score interval of a proportion at 95 %. Unlike the textbook interval it stays honest for few trials and for
 * rates near 0 and 1, which are the rates that matter here.
 *
 * @returns `[low, high]`, each from 0 to 1; `[0, 1]` without any trial
 */
export function wilson(hits: number, trials: number): readonly [low: number, high: number] {
  if (trials === 0) return [0, 1];
  const rate = hits / trials;
  const spread = 1 + (z * z) / trials;
  const middle = (rate + (z * z) / (2 * trials)) / spread;
  const half = (z * Math.sqrt((rate * (1 - rate)) / trials + (z * z) / (4 * trials * trials))) / spread;
  return [hits === 0 ? 0 : Math.max(0, middle - half), hits === trials ? 1 : Math.min(1, middle + half)];
}

/** `12.3 % (10.1 to 14.9)` */
export function formatRate(hits: number, trials: number): string {
  const [low, high] = wilson(hits, trials);
  const percent = (rate: number): string => (rate * 100).toFixed(rate > 0.0995 ? 1 : 2);
  return trials === 0 ? '-' : `${percent(hits / trials)} % (${percent(low)} to ${percent(high)})`;
}
