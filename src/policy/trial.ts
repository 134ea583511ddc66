/** Whether something is only tried out, and for how long. */
export interface Trial {
  /** Written in `mode: shadow`. */
  readonly shadow: boolean;
  /** When it begins to be enforced, milliseconds since the epoch; infinite where it has no end. */
  readonly until: number;
}

/** What is written under `mode` and `until`. */
export interface TrialDocument {
  readonly mode?: 'enforce' | 'shadow' | undefined;
  readonly until?: number | undefined;
}

export const enforced: Trial = Object.freeze({ shadow: false, until: Number.POSITIVE_INFINITY });

export function toTrial({ mode, until }: TrialDocument): Trial {
  return mode === 'shadow' ? { shadow: true, until: until ?? Number.POSITIVE_INFINITY } : enforced;
}

/** The trial of something inside of something: it lasts as long as either. */
export function joinTrials(outer: Trial, inner: Trial): Trial {
  if (!outer.shadow) return inner;
  if (!inner.shadow) return outer;
  return outer.until >= inner.until ? outer : inner;
}

/** Whether something has no effect at this time, because it is still being tried out. */
export function isOnTrial(trial: Trial, time: number): boolean {
  return trial.shadow && !(time >= trial.until);
}
