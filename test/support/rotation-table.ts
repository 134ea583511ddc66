import type { LoadReport } from './paced-load.ts';

export interface Rotation {
  readonly what: string;
  /** Milliseconds from the writing until the reload was complete. */
  readonly window: number;
  report(): LoadReport;
}

/** One line for each change, and one for the whole run, as Markdown. */
export function formatRotations(rotations: readonly Rotation[], all: LoadReport): string {
  const cells = (what: string, window: string, { requests, exact, outcomes, wrong }: LoadReport): string => {
    const of = (outcome: 'passed' | 'denied' | 'unauthenticated' | 'cut'): number =>
      outcomes.get(outcome) ?? 0;
    const refused = of('denied') + of('unauthenticated') + of('cut');
    return `| ${[what, window, requests, of('passed'), refused, requests - exact, wrong.length].join(' | ')} |`;
  };
  return [
    '| what changed | file written to reload done | requests | passed | refused | either would do | wrong |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...rotations.map(({ what, window, report }) => cells(what, `${Math.round(window)} ms`, report())),
    cells('all', '', all),
    '',
    `${all.perSecond} requests/s, ${all.handshakes} handshakes, ${all.unsent} due but not sent`,
  ].join('\n');
}
