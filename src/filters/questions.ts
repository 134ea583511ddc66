import type { RequestId } from '../mcp/frame.ts';
import type { AnsweredQuestion } from '../pipeline/exchange.ts';
import type { MemoryLimits } from './options.ts';
import { idKey } from './outstanding.ts';

/** What a server asked, as far as its answer is held to it. */
export interface OpenQuestion extends AnsweredQuestion {
  readonly progressToken: RequestId | undefined;
}

/** The questions that servers have put to legacy clients and that nobody has answered yet. */
export interface Questions {
  /** @returns false where there is no room: the question must then not reach the client, who could not answer it */
  asked(scope: string, id: RequestId, question: OpenQuestion): boolean;
  find(scope: string, id: RequestId): OpenQuestion | undefined;
  /** Whether an open question of this scope gave out the token. */
  hasProgressToken(scope: string, token: RequestId): boolean;
  /** Takes the question that an answer fits: a second answer fits none. */
  take(scope: string, id: RequestId): boolean;
  /** Ids of those that are open in a scope. Looks at all questions: for when there are too many. */
  openIn(scope: string): readonly RequestId[];
  readonly size: number;
}

/**
 * Memory of questions, each for a limited time. Where there are too many, in all or in one scope, a new one is refused:
 * a server that asks without end cannot push out what another one waits for.
 *
 * @param monotonic milliseconds
 */
export function createQuestions(
  limits: Pick<MemoryLimits, 'questions' | 'questionsPerSession' | 'questionAge'>,
  monotonic: () => number,
): Questions {
  /** In the order of expiry, since all of them live equally long. */
  const open = new Map<
    string,
    {
      readonly scope: string;
      readonly id: RequestId;
      readonly expiresAt: number;
      readonly question: OpenQuestion;
    }
  >();
  const perScope = new Map<string, number>();
  /** Open questions by the token that they gave out. */
  const tokens = new Map<string, number>();

  const count = (counts: Map<string, number>, key: string, by: 1 | -1): void => {
    const now = (counts.get(key) ?? 0) + by;
    if (now <= 0) counts.delete(key);
    else counts.set(key, now);
  };
  const countToken = (scope: string, { progressToken }: OpenQuestion, by: 1 | -1): void => {
    if (progressToken !== undefined) count(tokens, keyOf(scope, progressToken), by);
  };

  const forget = (key: string, scope: string): void => {
    const known = open.get(key);
    if (known === undefined) return;
    open.delete(key);
    count(perScope, scope, -1);
    countToken(scope, known.question, -1);
  };
  const purge = (): void => {
    if (open.size === 0) return;
    const now = monotonic();
    for (const [key, { scope, expiresAt }] of open) {
      if (expiresAt > now) return;
      forget(key, scope);
    }
  };
  return {
    asked(scope, id, question) {
      purge();
      const key = keyOf(scope, id);
      // Asked again, as a resumed stream does: still one question, which is answered once.
      if (open.has(key)) return true;
      const inScope = perScope.get(scope) ?? 0;
      if (open.size >= limits.questions || inScope >= limits.questionsPerSession) return false;
      open.set(key, { scope, id, expiresAt: monotonic() + limits.questionAge, question });
      count(perScope, scope, 1);
      countToken(scope, question, 1);
      return true;
    },
    find(scope, id) {
      purge();
      return open.get(keyOf(scope, id))?.question;
    },
    hasProgressToken(scope, token) {
      purge();
      return tokens.has(keyOf(scope, token));
    },
    take(scope, id) {
      purge();
      const key = keyOf(scope, id);
      if (!open.has(key)) return false;
      forget(key, scope);
      return true;
    },
    openIn: (scope) => [...open.values()].filter((one) => one.scope === scope).map(({ id }) => id),
    get size() {
      return open.size;
    },
  };
}

function keyOf(scope: string, id: RequestId): string {
  return JSON.stringify([scope, idKey(id)]);
}
