import type { OpenLookup } from '../arguments/judge-rules.ts';
import type { Lookup, RoleFault } from '../arguments/role.ts';
import type { ArgumentFault } from '../arguments/rule.ts';

/** What only the machine knows. Bounded and timed by whoever implements it; a rejection counts as no answer. */
export interface ArgumentLookups {
  /** See `Lookup`, kind `real-path`. */
  realPath(path: string): Promise<string | undefined>;
  /** See `Lookup`, kind `addresses`. */
  addresses(host: string): Promise<readonly string[] | undefined>;
}

/** One call may ask for so many: each costs a system call or a question to a name server. */
export const mostLookups = 64;

const tooMany: RoleFault = {
  fault: 'too-many-lookups',
  allow: `send at most ${mostLookups} paths and host names that must be looked up`,
};

export interface LookupFault {
  readonly open: OpenLookup;
  readonly fault: ArgumentFault;
}

/**
 * Asks all questions of a call at the same time, each once.
 *
 * @returns what the answers do not let through, in the order of the questions; beyond {@link mostLookups} a question is
 *   not asked, and refuses
 */
export async function answerLookups(
  questions: readonly OpenLookup[],
  lookups: ArgumentLookups,
): Promise<readonly LookupFault[]> {
  const paths = new Once((path) => lookups.realPath(path));
  const hosts = new Once((host) => lookups.addresses(host));
  const faults = await Promise.all(
    questions.map(({ lookup }, index) => (index < mostLookups ? settle(lookup, paths, hosts) : tooMany)),
  );
  return questions.flatMap((open, index) => {
    const fault = faults[index];
    if (fault === undefined) return [];
    const { rule, path, role } = open;
    return [{ open, fault: { rule: rule.id, location: rule.location, path, role, ...fault } }];
  });
}

async function settle(
  lookup: Lookup,
  paths: Once<string>,
  hosts: Once<readonly string[]>,
): Promise<RoleFault | undefined> {
  if (lookup.kind === 'addresses') return lookup.judge(await hosts.ask(lookup.host));
  const [real, ...also] = await Promise.all(
    [lookup.path, ...(lookup.also ?? [])].map((path) => paths.ask(path)),
  );
  return lookup.judge(real, also);
}

/** Two arguments of one call may ask the same. */
class Once<Answer> {
  readonly #answers = new Map<string, Promise<Answer | undefined>>();
  readonly #lookUp: (question: string) => Promise<Answer | undefined>;

  constructor(lookUp: (question: string) => Promise<Answer | undefined>) {
    this.#lookUp = lookUp;
  }

  /** @returns undefined also where the look-up throws */
  ask(question: string): Promise<Answer | undefined> {
    const known = this.#answers.get(question);
    if (known !== undefined) return known;
    const answer = this.#answer(question);
    this.#answers.set(question, answer);
    return answer;
  }

  async #answer(question: string): Promise<Answer | undefined> {
    try {
      return await this.#lookUp(question);
    } catch {
      return undefined;
    }
  }
}
