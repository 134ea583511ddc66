import type { NotificationFrame } from '../mcp/frame.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';

/** What one `subscriptions/listen` asked for (2026-07-28, basic/patterns/subscriptions). */
export interface Subscription {
  acknowledged: boolean;
  readonly filter: JsonObject;
}

export function subscriptionOf(params: JsonObject | undefined): Subscription {
  const filter = params === undefined ? undefined : own(params, 'notifications');
  return { acknowledged: false, filter: isJsonObject(filter) ? filter : {} };
}

/** Which member of the filter asks for a notification, and which of its params a list there must then hold. */
const askedBy: ReadonlyMap<string, { readonly member: string; readonly listed?: string }> = new Map([
  ['notifications/tools/list_changed', { member: 'toolsListChanged' }],
  ['notifications/prompts/list_changed', { member: 'promptsListChanged' }],
  ['notifications/resources/list_changed', { member: 'resourcesListChanged' }],
  // No `listed`: an update may name a part of what was subscribed to. Every URI is authorised by itself.
  ['notifications/resources/updated', { member: 'resourceSubscriptions' }],
  ['notifications/tasks', { member: 'taskIds', listed: 'taskId' }],
]);

const acknowledgement = 'notifications/subscriptions/acknowledged';

/** Whether a notification may travel on a listen stream: the acknowledgement first and once, then what was asked for. */
export function admitNotification(frame: NotificationFrame, subscription: Subscription): boolean {
  if (frame.method === acknowledgement) {
    if (subscription.acknowledged) return false;
    subscription.acknowledged = true;
    return true;
  }
  if (!subscription.acknowledged) return false;
  const asked = askedBy.get(frame.method);
  if (asked === undefined) return false;
  const wanted = own(subscription.filter, asked.member);
  if (Array.isArray(wanted)) {
    return (
      wanted.length > 0 && (asked.listed === undefined || wanted.includes(memberOf(frame, asked.listed)))
    );
  }
  return wanted === true && asked.listed === undefined;
}

/** Notifications that exist on listen streams only. */
export function belongsToListen(method: string): boolean {
  return method === acknowledgement || askedBy.has(method);
}

function memberOf(frame: NotificationFrame, key: string): JsonValue | undefined {
  return frame.params === undefined ? undefined : own(frame.params, key);
}
