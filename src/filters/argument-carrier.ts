import type { Target } from '../mcp/methods.ts';
import { isJsonObject, type JsonObject, own } from '../values/json.ts';

/** A place in params where arguments of a tool or a prompt stand. */
export interface ArgumentCarrier {
  readonly args: JsonObject;
  /** These are some of the arguments: the others are not missing. */
  readonly partial: boolean;
  /** @returns undefined where rewritten arguments leave nothing to send */
  put(params: JsonObject, args: JsonObject): JsonObject | undefined;
}

/**
 * The arguments that a frame brings for its target. A call without arguments has none, which rules may not like.
 *
 * @returns undefined where params do not have the shape of the method
 */
export function carriersOf(
  target: Target,
  params: JsonObject | undefined,
): readonly ArgumentCarrier[] | undefined {
  if (target.action !== 'complete') return [whole(target.arguments ?? {})];
  return params === undefined ? undefined : completed(params);
}

function whole(args: JsonObject): ArgumentCarrier {
  return { args, partial: false, put: (params, rewritten) => ({ ...params, arguments: rewritten }) };
}

/** Completion brings one argument that is being typed, and those that were filled in before it (server/utilities/completion). */
function completed(params: JsonObject): readonly ArgumentCarrier[] | undefined {
  const argument = own(params, 'argument');
  const name = isJsonObject(argument) ? own(argument, 'name') : undefined;
  const value = isJsonObject(argument) ? own(argument, 'value') : undefined;
  if (!isJsonObject(argument) || typeof name !== 'string' || value === undefined) return undefined;
  const typed: ArgumentCarrier = {
    args: { [name]: value },
    partial: true,
    put(params, rewritten) {
      const value = own(rewritten, name);
      return value === undefined ? undefined : { ...params, argument: { ...argument, value } };
    },
  };
  const context = own(params, 'context');
  if (context === undefined) return [typed];
  if (!isJsonObject(context)) return undefined;
  const args = own(context, 'arguments');
  if (args === undefined) return [typed];
  if (!isJsonObject(args)) return undefined;
  const filled: ArgumentCarrier = {
    args,
    partial: true,
    put: (params, rewritten) => ({ ...params, context: { ...context, arguments: rewritten } }),
  };
  return [typed, filled];
}
