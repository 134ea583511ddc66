import { parseJsonText } from '../arguments/roles/json-text.ts';
import type { Config } from '../config/schema.ts';
import { formatProblem } from '../document/problems.ts';
import { rolesOfKey } from '../gateway/roles-of-keys.ts';
import { auditFilesOf } from '../gateway/worker-orders.ts';
import { loadPolicies } from '../gateway.ts';
import { resourceName } from '../mcp/uri.ts';
import type { AccessRequest, Action, ResourceKind } from '../policy/access-request.ts';
import { explain } from '../policy/explain.ts';
import { formatExplanation } from '../policy/format-explanation.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import { isJsonObject, type JsonObject } from '../values/json.ts';
import { type Command, type CommandIo, type CommandValues, exitCodes, jsonLines, text } from './command.ts';
import { configOptions, configOptionsHelp, readConfig } from './config-option.ts';
import { explainRecord, findRecord, formatRecordExplanation } from './explain-record.ts';
import { methodOf } from './method-of.ts';
import { readSubject } from './subject.ts';

/** The action that a target is asked for unless another is named. */
const usualAction: Readonly<Record<ResourceKind, Action>> = {
  tool: 'call',
  resource: 'read',
  prompt: 'get',
  method: 'use',
};

const actions: readonly Action[] = ['call', 'read', 'subscribe', 'get', 'complete', 'use', 'ask'];

export const explainCommand: Command = {
  summary: 'say what the policies decide, by which rule, and what nearly matched',
  help: `Says what the policies decide about one call, by which rule, and what nearly matched: first the rules on arguments
(what they refuse, and how to allow it; what they rewrite; what shadow rules would refuse), then roles and ACL on the
arguments as they would be sent. Nothing is called, and nobody is asked: neither the server for its schema, nor the file
system for links, nor the name service. Values of secret arguments are not shown.

Usage: sallyport explain --as WHO (--tool | --resource | --prompt | --method) NAME [--upstream NAME] [options]
       sallyport explain --record ID [--audit FILE]... [options]

  --as WHO            spiffe://…, dns:NAME, cn:NAME, api-key:NAME, token:ISSUER#SUBJECT, anonymous
  --claims JSON       further claims of the token
  --upstream NAME     default: the only one in the configuration
  --action ACTION     ${actions.join(', ')}; default: the usual one of the target
  --args JSON         the arguments of the call
  --from ADDRESS      source address; default 127.0.0.1
  --at TIME           ISO 8601; default now
  --record ID         exchange or trace id of a past decision: what was decided then, and what the policies say now,
                      with the roles that the caller had and, where they were recorded, the redacted arguments
  --audit FILE        where to look for it; may be given more than once; default: those of the configuration
  --json              the answer as JSON
${configOptionsHelp}

Exit code 0 where the call is allowed, 1 where it is denied.

Examples:
  sallyport explain --as spiffe://sallyport.local/bob --tool trigger-long-running-operation --args '{"steps":500}'
  sallyport explain --record 5f0c2a9be1d84f0a93c1c1f1a2b3c4d5
  sallyport explain --as token:https://idp.example#bob --claims '{"groups":["data"]}' --method tools/list --json
`,
  options: {
    ...configOptions,
    as: { type: 'string' },
    claims: { type: 'string' },
    upstream: { type: 'string' },
    tool: { type: 'string' },
    resource: { type: 'string' },
    prompt: { type: 'string' },
    method: { type: 'string' },
    action: { type: 'string' },
    args: { type: 'string' },
    from: { type: 'string' },
    at: { type: 'string' },
    record: { type: 'string' },
    audit: { type: 'string', multiple: true },
    json: { type: 'boolean' },
  },
  async run(values, _positionals, io) {
    const config = await readConfig(values, io);
    if (config === undefined) return exitCodes.configuration;
    const compiled = await loadPolicies(config.policies);
    if (!compiled.ok) {
      for (const problem of compiled.problems) io.stderr(`${formatProblem(problem)}\n`);
      return exitCodes.configuration;
    }
    const record = text(values, 'record');
    if (record !== undefined)
      return explainRecorded(record, values, auditFilesOf(config), compiled.policy, io);
    let request: AccessRequest;
    try {
      request = readRequest(values, config);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
      io.stderr(`${error.message}\n\n${explainCommand.help}`);
      return exitCodes.usage;
    }
    const explanation = explain(request, compiled.policy, methodOf(request));
    io.stdout(values['json'] === true ? jsonLines(explanation) : formatExplanation(explanation));
    return explanation.effect === 'allow' ? exitCodes.ok : exitCodes.no;
  },
};

async function explainRecorded(
  id: string,
  values: CommandValues,
  auditFiles: readonly string[],
  policy: CompiledPolicy,
  io: CommandIo,
): Promise<number> {
  const named = values['audit'] as readonly string[] | undefined;
  const files = named ?? auditFiles;
  const found = await findRecord(id, files);
  if (found === undefined) {
    io.stderr(`No decision with this id in ${files.join(', ') || 'any file'}\n`);
    return exitCodes.configuration;
  }
  const explained = explainRecord(found.recorded, policy);
  io.stdout(
    values['json'] === true
      ? jsonLines({ ...explained, others: found.others })
      : formatRecordExplanation(explained, found.others),
  );
  return explained.now.effect === 'allow' ? exitCodes.ok : exitCodes.no;
}

/** @throws TypeError or SyntaxError with a sentence for the user */
function readRequest(values: CommandValues, config: Config): AccessRequest {
  const upstreams = config.upstreams.map(({ name }) => name);
  const as = text(values, 'as');
  if (as === undefined) throw new TypeError('--as is missing: who is calling?');
  const claims = readObject(text(values, 'claims'), '--claims');
  const targets = (['tool', 'resource', 'prompt', 'method'] as const).filter(
    (kind) => values[kind] !== undefined,
  );
  const kind = targets[0];
  if (kind === undefined || targets.length > 1) {
    throw new TypeError('Name one target: --tool, --resource, --prompt or --method');
  }
  const upstream = text(values, 'upstream') ?? (upstreams.length === 1 ? upstreams[0] : undefined);
  if (upstream === undefined || !upstreams.includes(upstream)) {
    throw new TypeError(`--upstream: one of ${upstreams.join(', ')}`);
  }
  const action = text(values, 'action') ?? usualAction[kind];
  if (!isAction(action)) throw new TypeError(`--action: one of ${actions.join(', ')}`);
  const at = text(values, 'at');
  const time = at === undefined ? Date.now() : Date.parse(at);
  if (Number.isNaN(time)) throw new TypeError('--at: not an ISO 8601 time');
  return {
    subject: readSubject(as, claims, (name) => rolesOfKey(name, config)),
    action,
    resource: { upstream, kind, name: nameOf(kind, text(values, kind)!) },
    context: {
      arguments: readArguments(text(values, 'args')),
      address: text(values, 'from') ?? '127.0.0.1',
      time,
    },
  };
}

function isAction(value: string): value is Action {
  return (actions as readonly string[]).includes(value);
}

/** Resources are decided on in their normal form, here as in a running gateway. */
function nameOf(kind: ResourceKind, name: string): string {
  if (kind !== 'resource') return name;
  const normal = resourceName(name);
  if (!normal.ok) throw new TypeError(`--resource: ${normal.failure.detail}`);
  return normal.value;
}

/** Far above what a gateway lets through by default: what is too much is its frame limits' to say. */
const argumentLimits = { maxDepth: 256, maxValues: 1_000_000 };

/** Read as strictly as a message is, and with all digits of its numbers. */
function readArguments(json: string | undefined): JsonObject {
  if (json === undefined) return {};
  const parsed = parseJsonText(json, argumentLimits);
  if (!parsed.ok) {
    throw new TypeError(`--args: ${parsed.fault === 'not-json' ? 'not JSON' : parsed.fault}`);
  }
  if (!isJsonObject(parsed.value)) throw new TypeError('--args: not a JSON object');
  return parsed.value;
}

function readObject(json: string | undefined, option: string): Record<string, unknown> | undefined {
  if (json === undefined) return undefined;
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${option}: not a JSON object`);
  }
  return value as Record<string, unknown>;
}
