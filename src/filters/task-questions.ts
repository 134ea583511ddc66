import { inputRequestRow } from '../mcp/methods.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../values/json.ts';
import { fitsQuestion } from './answer-shapes.ts';
import type { Sealer } from './seal.ts';

/**
 * Questions of a task, and the answers to them (tasks extension, `tasks/update`). A client polls, and knows a question
 * that it has seen by its key: so the key that it gets is the same each time. It carries a tag over task, method and the
 * server's own key; an answer under any other key is to nothing that was asked.
 */
export interface TaskQuestions {
  /** The questions under the keys that the client gets. */
  toClient(questions: JsonObject, scope: string): JsonObject;
  /** The answers under the server's own keys; undefined where one of them answers nothing, or not what was asked. */
  toUpstream(answers: JsonObject, scope: string): JsonObject | undefined;
}

export function createTaskQuestions(sealer: Sealer): TaskQuestions {
  const tagged = (scope: string, method: string, key: string): string => JSON.stringify([scope, method, key]);
  return {
    toClient(questions, scope) {
      return Object.fromEntries(
        Object.entries(questions).map(([key, question]): [string, JsonValue] => {
          const method = isJsonObject(question) ? question['method'] : undefined;
          // Policy has refused what is no question; a key that no answer fits is the least that can be said of it.
          const name = typeof method === 'string' ? method : '';
          return [`${sealer.tag(tagged(scope, name, key))}.${name}.${key}`, question ?? null];
        }),
      );
    },
    toUpstream(answers, scope) {
      const own: Record<string, JsonValue> = Object.create(null) as Record<string, JsonValue>;
      for (const [given, answer] of Object.entries(answers)) {
        const parts = /^([\w-]+)\.([\w/]+)\.(.*)$/s.exec(given);
        if (parts === null) return undefined;
        const [, tag = '', method = '', key = ''] = parts;
        if (inputRequestRow(method) === undefined || !sealer.verify(tagged(scope, method, key), tag))
          return undefined;
        if (!fitsQuestion(method, answer ?? null) || Object.hasOwn(own, key)) return undefined;
        own[key] = answer ?? null;
      }
      return { ...own };
    },
  };
}
