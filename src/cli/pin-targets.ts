/** What a command line names: an upstream, one of its tools, or its instructions. */
export interface PinTarget {
  readonly upstream: string;
  /** Undefined for the whole upstream, and for its instructions. */
  readonly tool?: string;
  readonly instructions?: true;
}

export type PinTargets =
  | { readonly ok: true; readonly value: readonly PinTarget[] }
  | { readonly ok: false; readonly problem: string };

/** Reads `UPSTREAM`, `UPSTREAM/TOOL` and `UPSTREAM:instructions`. A tool's name may have slashes and colons itself. */
export function readTargets(words: readonly string[], upstreams: readonly string[]): PinTargets {
  const value: PinTarget[] = [];
  for (const word of words) {
    const [, upstream, tool, instructions] = /^([a-z0-9_-]+)(?:\/(.+)|(:instructions))?$/.exec(word) ?? [];
    if (upstream === undefined || !upstreams.includes(upstream)) {
      return {
        ok: false,
        problem: `${JSON.stringify(word)}: no such upstream; one of ${upstreams.join(', ')}`,
      };
    }
    value.push({
      upstream,
      ...(tool === undefined ? {} : { tool }),
      ...(instructions === undefined ? {} : { instructions: true }),
    });
  }
  return { ok: true, value };
}

/** Whether something is named. Where nothing is, everything is. @param tool undefined for the instructions */
export function includes(targets: readonly PinTarget[], upstream: string, tool: string | undefined): boolean {
  return (
    targets.length === 0 ||
    targets.some(
      (target) =>
        target.upstream === upstream &&
        (target.tool === undefined
          ? target.instructions !== true || tool === undefined
          : target.tool === tool),
    )
  );
}
