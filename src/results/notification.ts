import { isJsonObject, type JsonObject, own } from '../values/json.ts';
import type { Steps } from '../values/steps.ts';
import { type Cleaner, mapMembers } from './clean.ts';
import { guardMessage, type Surroundings } from './guard.ts';

/**
 * Judges and cleans the params of a notification. Progress and log messages may be parts of one text: what stands
 * across two of them is found as well.
 */
export function* guardNotification(
  params: JsonObject,
  cleaner: Cleaner,
  around: Surroundings,
): Steps<JsonObject> {
  const isProgress = own(params, 'progressToken') !== undefined;
  const isLog = own(params, 'level') !== undefined;
  if (!isProgress && !isLog) return yield* guardMessage(params, cleaner, around);
  if (!cleaner.plan.readsTexts) return params;
  return yield* mapMembers(params, cleaner.report, function* (key, member) {
    if (key === 'progressToken') return [key, member];
    if (typeof member === 'string' && isProgress && key === 'message') {
      return [key, cleaner.streamed(member, 'progress')];
    }
    if (typeof member === 'string' && isLog && key === 'data') return [key, cleaner.streamed(member, 'log')];
    if (key === '_meta' && isJsonObject(member))
      return [key, (yield* guardMessage({ _meta: member }, cleaner, around))['_meta']!];
    return [key.length > 5 ? cleaner.text(key) : key, yield* cleaner.data(member)];
  });
}
