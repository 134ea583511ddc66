import type { RequestId } from '../mcp/frame.ts';
import type { SharedState } from '../state/contract.ts';
import { idKey } from './outstanding.ts';
import type { OpenQuestion, Questions } from './questions.ts';

/**
 * The questions of servers that any process of this gateway put to a client: its answer may come over a connection that
 * another process has. Each is answered once, whoever takes the answer.
 */
export interface SharedQuestions {
  /** @returns false where it cannot be kept: the question must then not reach the client, who could not answer it */
  asked(scope: string, id: RequestId, question: OpenQuestion): Promise<boolean>;
  find(scope: string, id: RequestId): Promise<OpenQuestion | undefined>;
  /** Whether this answer is the first. False also where nobody can be asked: then nobody knows. */
  take(scope: string, id: RequestId, question: OpenQuestion): Promise<boolean>;
  hasProgressToken(scope: string, token: RequestId): Promise<boolean>;
  /** An elicitation by URL, by the server's id, that was put to this owner. */
  elicited(owner: string, id: string): void;
  takeElicitation(owner: string, id: string): Promise<boolean>;
}

/** @param questionAge milliseconds that a question may wait */
export function createSharedQuestions(state: SharedState, questionAge: number): SharedQuestions {
  const keyOf = (scope: string, id: RequestId): string => JSON.stringify(['asked', scope, idKey(id)]);
  const tokenKey = (scope: string, token: RequestId): string =>
    JSON.stringify(['token', scope, idKey(token)]);
  const elicitationKey = (owner: string, id: string): string => JSON.stringify(['elicited', owner, id]);
  return {
    async asked(scope, id, question) {
      const { progressToken } = question;
      const token =
        progressToken === undefined ||
        state.put('question', tokenKey(scope, progressToken), '1', questionAge);
      const asked = state.put('question', keyOf(scope, id), JSON.stringify(question), questionAge);
      return (await token) && (await asked);
    },
    async find(scope, id) {
      const text = await state.get('question', keyOf(scope, id));
      return text === undefined ? undefined : (JSON.parse(text) as OpenQuestion);
    },
    async take(scope, id, { progressToken }) {
      const taken = await state.take('question', keyOf(scope, id));
      if (progressToken !== undefined) state.forget('question', tokenKey(scope, progressToken));
      return taken !== undefined;
    },
    hasProgressToken: async (scope, token) =>
      (await state.get('question', tokenKey(scope, token))) !== undefined,
    elicited(owner, id) {
      // Its end may go untold, and clients must not rely on being told: nobody waits for this.
      void state.put('question', elicitationKey(owner, id), '1', questionAge);
    },
    takeElicitation: async (owner, id) =>
      (await state.take('question', elicitationKey(owner, id))) !== undefined,
  };
}

/** Forgets here what was answered over another process: this one was not told, and has only so much room. */
export async function forgetAnswered(
  questions: Pick<Questions, 'openIn' | 'take'>,
  scope: string,
  all: Pick<SharedQuestions, 'find'>,
): Promise<void> {
  const forgetIfAnswered = async (id: RequestId): Promise<void> => {
    if ((await all.find(scope, id)) === undefined) questions.take(scope, id);
  };
  await Promise.all(questions.openIn(scope).map(forgetIfAnswered));
}
