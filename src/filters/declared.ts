import type { PublicErrorData } from '../errors.ts';
import { clientCapabilitiesKey } from '../mcp/revision.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';

/**
 * What the client would have had to declare for the questions that a result or a task puts to it; undefined where it
 * declared all of it. A server must not ask what was not declared (2026-07-28, basic/versioning), and a client that
 * never showed such a question to anybody may do anything with it.
 *
 * Only in 2026-07-28, where each request says it. In sessions it was said once, to the server.
 */
export function missingCapabilities(
  carrier: JsonObject | undefined,
  exchange: Exchange,
): PublicErrorData | undefined {
  if (exchange.era === 'legacy' || carrier === undefined) return undefined;
  const embedded = own(carrier, 'result');
  for (const holder of [carrier, embedded]) {
    const questions = isJsonObject(holder) ? own(holder, 'inputRequests') : undefined;
    if (!isJsonObject(questions)) continue;
    const declared = declaredBy(exchange);
    for (const question of Object.values(questions)) {
      const needed = isJsonObject(question) ? neededFor(question) : undefined;
      if (needed === undefined || isDeclared(needed, declared)) continue;
      const [capability, part] = needed;
      return { requiredCapabilities: { [capability]: part === undefined ? {} : { [part]: {} } } };
    }
  }
  return undefined;
}

/** A capability, and the part of it where the whole is not enough. */
type Needed = readonly [capability: string, part?: string];

function neededFor(question: JsonObject): Needed | undefined {
  const given = own(question, 'params');
  const params = isJsonObject(given) ? given : {};
  switch (own(question, 'method')) {
    case 'roots/list':
      return ['roots'];
    case 'sampling/createMessage':
      return own(params, 'tools') === undefined && own(params, 'toolChoice') === undefined
        ? ['sampling']
        : ['sampling', 'tools'];
    case 'elicitation/create':
      return ['elicitation', own(params, 'mode') === 'url' ? 'url' : 'form'];
    default:
      // Policy has refused it.
      return undefined;
  }
}

function isDeclared([capability, part]: Needed, declared: JsonObject): boolean {
  const settings = own(declared, capability);
  if (!isJsonObject(settings)) return false;
  if (part === undefined || own(settings, part) !== undefined) return true;
  // An elicitation without any word is one by form (client/elicitation, Capabilities).
  return part === 'form' && own(settings, 'url') === undefined;
}

/** As it arrived: what policy takes out of it are extensions. */
function declaredBy({ request }: Exchange): JsonObject {
  const params = request.kind === 'request' ? request.params : undefined;
  const meta: JsonValue | undefined = params === undefined ? undefined : own(params, '_meta');
  const declared = isJsonObject(meta) ? own(meta, clientCapabilitiesKey) : undefined;
  return isJsonObject(declared) ? declared : {};
}
