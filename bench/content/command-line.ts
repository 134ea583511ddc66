import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { JsonValue } from '../../src/values/json.ts';
import { parseExact } from './rows.ts';
import { type Defaults, readSamples, type Sample } from './sample.ts';
import { Scorer } from './score.ts';
import type { Side } from './side.ts';
import { LeftOut } from './tally.ts';
import { isRole } from './variants.ts';

export interface Request {
  readonly files: readonly string[];
  readonly scorer: Scorer;
  readonly defaults: Defaults;
  readonly json: boolean;
}

/**
 * Reads `[--policy FILE] [--role ROLE] [--class NAME] [--source NAME] [--json] [FILE]...`.
 *
 * @throws Error where an option is wrong
 */
export async function readCommandLine(usual: readonly string[]): Promise<Request> {
  const { values, positionals } = parseArgs({
    options: {
      policy: { type: 'string' },
      role: { type: 'string' },
      class: { type: 'string' },
      source: { type: 'string' },
      json: { type: 'boolean' },
    },
    allowPositionals: true,
  });
  const role = values.role === undefined ? undefined : readRole(values.role);
  return {
    files: positionals.length > 0 ? positionals : usual,
    scorer: new Scorer(values.policy === undefined ? undefined : await readFile(values.policy, 'utf8')),
    defaults: { source: values.source, class: values.class, role },
    json: values.json === true,
  };
}

/** `path`, or `{"path": {"within": "/data"}}`. */
function readRole(text: string): JsonValue {
  const role = text.trimStart().startsWith('{') ? parseExact(text) : text;
  if (role === undefined || !isRole(role)) throw new Error(`--role ${text}: no such role`);
  return role;
}

/** Every sample of one side in some files; what is left out is counted. A line without a side is on the one asked for. */
export class Reading {
  readonly unusable = new LeftOut();
  readonly otherSide = new LeftOut();

  async *samples({ files, defaults }: Request, side: Side): AsyncGenerator<Sample> {
    for (const file of files) {
      try {
        for await (const sample of readSamples(file, defaults)) {
          if ('unusable' in sample) this.unusable.add(sample, sample.unusable);
          else if (sample.side !== undefined && sample.side !== side)
            this.otherSide.add(sample, `labelled ${sample.side}`);
          else yield sample;
        }
      } catch (error) {
        this.unusable.add({ file, line: 0 }, error instanceof Error ? error.message : String(error));
      }
    }
  }
}
