import type { RequestId } from '../mcp/frame.ts';
import type { MemoryLimits } from './options.ts';
import { idKey } from './outstanding.ts';

/** The questions that servers have put to legacy clients and that nobody has answered yet. */
export interface Questions {
  /** @returns false where there is no room: the question must then not reach the client, who could not answer it */
  asked(scope: string, id: RequestId): boolean;
  isOpen(scope: string, id: RequestId): boolean;
  /** Takes the question that an answer fits: a second answer fits none. */
  take(scope: string, id: RequestId): boolean;
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
  const open = new Map<string, { readonly scope: string; readonly expiresAt: number }>();
  const perScope = new Map<string, number>();

  const forget = (key: string, scope: string): void => {
    open.delete(key);
    const left = (perScope.get(scope) ?? 1) - 1;
    if (left <= 0) perScope.delete(scope);
    else perScope.set(scope, left);
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
    asked(scope, id) {
      purge();
      const key = keyOf(scope, id);
      // Asked again, as a resumed stream does: still one question, which is answered once.
      if (open.has(key)) return true;
      const inScope = perScope.get(scope) ?? 0;
      if (open.size >= limits.questions || inScope >= limits.questionsPerSession) return false;
      open.set(key, { scope, expiresAt: monotonic() + limits.questionAge });
      perScope.set(scope, inScope + 1);
      return true;
    },
    isOpen(scope, id) {
      purge();
      return open.has(keyOf(scope, id));
    },
    take(scope, id) {
      purge();
      const key = keyOf(scope, id);
      if (!open.has(key)) return false;
      forget(key, scope);
      return true;
    },
    get size() {
      return open.size;
    },
  };
}

function keyOf(scope: string, id: RequestId): string {
  return JSON.stringify([scope, idKey(id)]);
}
