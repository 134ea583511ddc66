/**
 * Keys that some revision of the protocol gives a meaning, by the object they stand in. The decoder refuses a key
 * that merely looks like one of them (fold.ts); it does not refuse unknown keys. Sources: schemas of 2024-11-05 to
 * 2026-07-28, the tasks and skills extensions.
 */

/** Exactly these may stand in a message (JSON-RPC 2.0, sections 4 and 5). */
export const envelopeKeys = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'] as const;

/** `params` of every request and notification, both directions, together: an honest message has no reason to imitate any. */
export const paramsKeys = [
  '_meta',
  'name',
  'arguments',
  'uri',
  'cursor',
  'ref',
  'argument',
  'context',
  'level',
  'task',
  'taskId',
  'inputResponses',
  'requestState',
  'notifications',
  'protocolVersion',
  'capabilities',
  'clientInfo',
  'requestId',
  'reason',
  'progressToken',
  'progress',
  'total',
  'message',
  'logger',
  'data',
  'elicitationId',
  'mode',
  'url',
  'requestedSchema',
  'messages',
  'modelPreferences',
  'systemPrompt',
  'includeContext',
  'temperature',
  'maxTokens',
  'stopSequences',
  'metadata',
  'tools',
  'toolChoice',
  'status',
  'statusMessage',
  'result',
  'error',
  'inputRequests',
] as const;

export const metaKeys = [
  'progressToken',
  'io.modelcontextprotocol/protocolVersion',
  'io.modelcontextprotocol/clientInfo',
  'io.modelcontextprotocol/clientCapabilities',
  'io.modelcontextprotocol/logLevel',
  'io.modelcontextprotocol/subscriptionId',
  'io.modelcontextprotocol/serverInfo',
  'io.modelcontextprotocol/related-task',
  'io.modelcontextprotocol/model-immediate-response',
  'traceparent',
  'tracestate',
  'baggage',
] as const;

export const resultKeys = [
  '_meta',
  'resultType',
  'content',
  'structuredContent',
  'isError',
  'tools',
  'resources',
  'resourceTemplates',
  'prompts',
  'skills',
  'skill',
  'contents',
  'messages',
  'completion',
  'capabilities',
  'serverInfo',
  'protocolVersion',
  'supportedVersions',
  'instructions',
  'nextCursor',
  'ttlMs',
  'cacheScope',
  'inputRequests',
  'requestState',
  'task',
  'tasks',
  'taskId',
  'status',
  'statusMessage',
  'pollIntervalMs',
  'result',
  'error',
  'roots',
  'action',
  'role',
  'model',
  'stopReason',
] as const;

export const errorKeys = ['code', 'message', 'data'] as const;

/** `data` of an error, as far as clients act on it. The rest is the server's own, in the case that its language has. */
export const errorDataKeys = ['elicitations'] as const;

/** What names an entry of a list, or an item of `contents`: lists are filtered by it. */
export const entryKeys = ['name', 'uri', 'uriTemplate', 'taskId'] as const;

export const inputRequestKeys = ['method', 'params'] as const;

/** One entry of `inputResponses`: the answer to a sampling, elicitation or roots question. */
export const inputResponseKeys = [
  '_meta',
  'method',
  'result',
  'action',
  'content',
  'role',
  'model',
  'stopReason',
  'roots',
] as const;

export const refKeys = ['type', 'name', 'uri'] as const;
export const argumentKeys = ['name', 'value'] as const;
export const contextKeys = ['arguments'] as const;
export const taskKeys = ['taskId', 'ttl', 'pollInterval'] as const;
export const capabilityKeys = [
  'roots',
  'sampling',
  'elicitation',
  'experimental',
  'extensions',
  'tasks',
  'listChanged',
  'context',
  'tools',
  'form',
  'url',
] as const;
export const listenKeys = [
  'toolsListChanged',
  'promptsListChanged',
  'resourcesListChanged',
  'resourceSubscriptions',
  'taskIds',
] as const;
