import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { Steps } from '../values/steps.ts';
import { cleanBlob } from './blobs.ts';
import { type Cleaner, mapItems, mapMembers } from './clean.ts';

/** What the guard asks of what stands around it. */
export interface Surroundings {
  /** Whether policy lets the caller read the resource of this URI. */
  mayRead(uri: string): boolean;
  /** Whether the resource is a file whose digest its server has told: it must stay as it is. */
  isSkillFile(uri: string): boolean;
}

/** Opaque words that a peer must give back as it got them. */
const handles: ReadonlySet<string> = new Set([
  'nextCursor',
  'cursor',
  'requestState',
  'taskId',
  'elicitationId',
  'progressToken',
  'requestId',
  'resultType',
  'cacheScope',
  'type',
  'method',
  'lastModified',
  'traceparent',
  'tracestate',
  'io.modelcontextprotocol/subscriptionId',
  'io.modelcontextprotocol/related-task',
]);
const uris: ReadonlySet<string> = new Set(['uri', 'url', 'src', 'uriTemplate', 'websiteUrl']);
/** No secret that is looked for is shorter: `type` and `text` are not read. */
const longestKnown = 5;
const lists: ReadonlySet<string> = new Set(['content', 'contents', 'messages', 'values']);

/**
 * Judges what a protocol message carries, and cleans it: the same object where nothing is to be changed. Refusals and
 * finds go to the report of the cleaner. With places to stop.
 */
export function guardMessage(message: JsonObject, cleaner: Cleaner, around: Surroundings): Steps<JsonObject> {
  const { report, plan } = cleaner;

  function members(object: JsonObject): Steps<JsonObject> {
    return mapMembers(object, report, function* (key, member) {
      return [nameOf(key), yield* guardMember(key, member)];
    });
  }

  /** Most are the protocol's own; but a server may send any. */
  function nameOf(key: string): string {
    return plan.readsTexts && key.length > longestKnown ? cleaner.text(key) : key;
  }

  function* guardMember(key: string, value: JsonValue): Steps<JsonValue> {
    if (handles.has(key)) return value;
    if (Array.isArray(value) && lists.has(key)) countItems(value);
    switch (key) {
      case 'content':
        return Array.isArray(value)
          ? yield* kept(value, contentItem)
          : ((yield* contentItem(value)) ?? removedText);
      case 'messages':
        return yield* Array.isArray(value) ? kept(value, messageItem) : walk(value);
      case 'contents':
        return yield* Array.isArray(value) ? kept(value, resourceItem) : walk(value);
      case 'structuredContent':
      case '_meta':
        return yield* key === '_meta' && isJsonObject(value) ? meta(value) : data(value);
      default:
        return typeof value === 'string' && uris.has(key) ? cleaner.text(value, true) : yield* walk(value);
    }
  }

  function* walk(value: JsonValue): Steps<JsonValue> {
    if (typeof value === 'string') return plan.readsTexts ? cleaner.text(value) : value;
    if (Array.isArray(value)) return yield* mapItems(value, report, walk);
    return isJsonObject(value) ? yield* members(value) : value;
  }

  function* data(value: JsonValue): Steps<JsonValue> {
    return plan.readsTexts ? yield* cleaner.data(value) : value;
  }

  function meta(value: JsonObject): Steps<JsonObject> {
    return mapMembers(value, report, function* (key, member) {
      return [nameOf(key), handles.has(key) ? member : yield* data(member)];
    });
  }

  function countItems(items: readonly JsonValue[]): void {
    if (plan.maxItems !== undefined && items.length > plan.maxItems.value) {
      report.refuse(plan.maxItems.rule, 'items');
    }
  }

  /** Items for which undefined comes back are left out. */
  function* kept(
    items: readonly JsonValue[],
    change: (item: JsonValue) => Steps<JsonValue | undefined>,
  ): Steps<readonly JsonValue[]> {
    let changed = false;
    const left: JsonValue[] = [];
    for (const [index, item] of items.entries()) {
      if (report.isLong()) yield;
      report.enter(index);
      const next = yield* change(item);
      report.leave();
      changed ||= next !== item;
      if (next !== undefined) left.push(next);
    }
    return changed ? left : items;
  }

  /** A message of which nothing is left goes with its content. */
  function* messageItem(value: JsonValue): Steps<JsonValue | undefined> {
    const content = isJsonObject(value) ? own(value, 'content') : undefined;
    if (!isJsonObject(value) || !isJsonObject(content)) return yield* walk(value);
    report.enter('content');
    const next = yield* contentItem(content);
    report.leave();
    if (next === undefined) return undefined;
    return yield* mapMembers(value, report, function* (key, member) {
      return [nameOf(key), key === 'content' ? next : yield* guardMember(key, member)];
    });
  }

  /** Undefined where policy takes the item out. */
  function* contentItem(value: JsonValue): Steps<JsonValue | undefined> {
    if (!isJsonObject(value)) return yield* walk(value);
    const type = own(value, 'type');
    for (const { rule, value: allowed } of plan.types) {
      if (typeof type !== 'string' || !allowed.has(type)) report.refuse(rule, 'type');
    }
    switch (type) {
      case 'text':
        return yield* mapMembers(value, report, function* (key, member) {
          return [
            nameOf(key),
            key === 'text' && typeof member === 'string' && plan.readsTexts
              ? cleaner.streamed(member, 'result')
              : yield* guardMember(key, member),
          ];
        });
      case 'resource_link':
        checkMimeType(value, undefined);
        return isOpen(value) ? yield* members(value) : undefined;
      case 'resource': {
        const resource = own(value, 'resource');
        if (!isJsonObject(resource)) return yield* walk(value);
        if (!isOpen(resource)) return undefined;
        return yield* mapMembers(value, report, function* (key, member) {
          return [
            nameOf(key),
            yield* key === 'resource' ? resourceMembers(resource) : guardMember(key, member),
          ];
        });
      }
      case 'image':
      case 'audio':
        checkMimeType(value, '');
        return yield* withBlob(value, 'data');
      default:
        return yield* members(value);
    }
  }

  /** An item of a read resource. Whether the caller may read it has another check decided. */
  function* resourceItem(value: JsonValue): Steps<JsonValue> {
    if (!isJsonObject(value)) return yield* walk(value);
    for (const { rule, value: allowed } of plan.types) {
      if (!allowed.has('resource')) report.refuse(rule, 'type');
    }
    return yield* resourceMembers(value);
  }

  function* resourceMembers(resource: JsonObject): Steps<JsonObject> {
    const uri = own(resource, 'uri');
    checkMimeType(resource, own(resource, 'blob') === undefined ? 'text/plain' : 'application/octet-stream');
    if (typeof uri !== 'string' || !around.isSkillFile(uri)) return yield* withBlob(resource, 'blob', true);
    const before = report.frozen;
    report.frozen = true;
    yield* withBlob(resource, 'blob', true);
    report.frozen = before;
    return resource;
  }

  function withBlob(object: JsonObject, member: 'blob' | 'data', isStreamed = false): Steps<JsonObject> {
    const mimeType = own(object, 'mimeType');
    return mapMembers(object, report, function* (key, value) {
      if (typeof value !== 'string') return [nameOf(key), yield* guardMember(key, value)];
      if (key === member) {
        return [key, cleanBlob(value, typeof mimeType === 'string' ? mimeType : undefined, cleaner)];
      }
      if (key === 'text' && isStreamed && plan.readsTexts) return [key, cleaner.streamed(value, 'result')];
      return [nameOf(key), yield* guardMember(key, value)];
    });
  }

  function checkMimeType(item: JsonObject, otherwise: string | undefined): void {
    const given = own(item, 'mimeType');
    // A link need not say what it leads to.
    const mimeType = typeof given === 'string' ? given.toLowerCase().split(';')[0]!.trim() : otherwise;
    if (mimeType === undefined) return;
    for (const { rule, value: patterns } of plan.mimeTypes) {
      if (!patterns.some((pattern) => fits(mimeType, pattern))) report.refuse(rule, 'mime-type');
    }
  }

  /** Whether a link may stay. */
  function isOpen(carrier: JsonObject): boolean {
    report.worked(valuesPerLink);
    const uri = own(carrier, 'uri');
    const { value: mode, rule } = plan.links;
    const scheme = typeof uri === 'string' ? uri.slice(0, Math.max(0, uri.indexOf(':'))) : '';
    const barred = plan.schemes.find(({ value }) => !value.has(scheme));
    const fault =
      barred !== undefined
        ? 'link-scheme'
        : mode !== 'allow' && (typeof uri !== 'string' || !around.mayRead(uri))
          ? 'link-denied'
          : undefined;
    if (fault === undefined) return true;
    const named = barred?.rule ?? rule;
    if (mode === 'refuse') report.refuse(named, fault);
    else report.add('stripped', named, fault);
    return false;
  }

  return members(message);
}

/** A link costs a decision of policy. */
const valuesPerLink = 32;

const removedText: JsonValue = { type: 'text', text: '' };

function fits(mimeType: string, pattern: string): boolean {
  return pattern.endsWith('/*') ? mimeType.startsWith(pattern.slice(0, -1)) : mimeType === pattern;
}
