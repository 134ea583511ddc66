import { isJsonObject, type JsonObject, own } from '../values/json.ts';

/** 2025-11-25: names the task that a message belongs to. */
const relatedTaskKey = 'io.modelcontextprotocol/related-task';

/**
 * Params or a result with the related task under the name that the other side knows it by. One that the other side does
 * not know is taken out.
 *
 * @param toName the name on the other side; undefined where it knows none
 */
export function withRelatedTask(
  carrier: JsonObject,
  toName: (taskId: string) => string | undefined,
): { readonly carrier: JsonObject; readonly isKnown: boolean } {
  const meta = own(carrier, '_meta');
  const related = isJsonObject(meta) ? own(meta, relatedTaskKey) : undefined;
  if (!isJsonObject(meta) || related === undefined) return { carrier, isKnown: true };
  const taskId = isJsonObject(related) ? own(related, 'taskId') : undefined;
  const name = typeof taskId === 'string' ? toName(taskId) : undefined;
  const { [relatedTaskKey]: _, ...rest } = meta;
  if (name === undefined) return { carrier: { ...carrier, _meta: rest }, isKnown: false };
  return {
    carrier: { ...carrier, _meta: { ...rest, [relatedTaskKey]: { taskId: name } } },
    isKnown: true,
  };
}
