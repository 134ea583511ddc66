/** The tools that ask back by returning `input_required`: multi-round-trip requests of MCP 2026-07-28. */

import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  type InputRequests,
  inputRequired,
  inputResponse,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { askModel, askText, type ToolRow, text } from './everything-parts.ts';

/** Seals the state that travels through the client. The key lives as long as the process, as the flows do. */
export const stateCodec = createRequestStateCodec<{ step: number }>({
  key: crypto.getRandomValues(new Uint8Array(32)),
});

const askConfirmation = (message: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] },
  });

/** True once every question has an answer of the kind that was asked for. */
function answered(
  ctx: ServerContext,
  questions: Readonly<Record<string, 'elicit' | 'sampling' | 'roots'>>,
): boolean {
  return Object.entries(questions).every(
    ([key, kind]) => inputResponse(ctx.mcpReq.inputResponses, key).kind === kind,
  );
}

function declaredCapabilities(ctx: ServerContext): ClientCapabilities | undefined {
  const envelope = ctx.mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  return envelope?.[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined;
}

export const inputTools: readonly ToolRow[] = [
  {
    name: 'test_input_required_result_elicitation',
    description: 'Asks for a name and greets it',
    run: (_args, ctx) => {
      const reply = inputResponse(ctx.mcpReq.inputResponses, 'user_name');
      if (reply.kind === 'elicit') return text(`Hello, ${String(reply.content?.['name'] ?? 'stranger')}!`);
      return inputRequired({ inputRequests: { user_name: askText('What is your name?', 'name') } });
    },
  },
  {
    name: 'test_input_required_result_sampling',
    description: 'Asks the model for a capital',
    run: (_args, ctx) => {
      const reply = inputResponse(ctx.mcpReq.inputResponses, 'capital_question');
      if (reply.kind === 'sampling') return text(JSON.stringify(reply.result.content));
      return inputRequired({
        inputRequests: { capital_question: askModel('What is the capital of France?', 100) },
      });
    },
  },
  {
    name: 'test_input_required_result_list_roots',
    description: 'Asks for the roots of the client',
    run: (_args, ctx) => {
      const reply = inputResponse(ctx.mcpReq.inputResponses, 'client_roots');
      if (reply.kind === 'roots') return text(reply.roots.map((root) => root.uri).join(', '));
      return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    },
  },
  {
    name: 'test_input_required_result_request_state',
    description: 'Asks once and checks that its state came back',
    run: async (_args, ctx) =>
      answered(ctx, { confirm: 'elicit' }) && ctx.mcpReq.requestState<{ step: number }>()?.step === 1
        ? text('state-ok')
        : inputRequired({
            inputRequests: { confirm: askConfirmation('Please confirm') },
            requestState: await stateCodec.mint({ step: 1 }),
          }),
  },
  {
    name: 'test_input_required_result_tampered_state',
    description: 'Asks once with sealed state; changed state is refused before this code runs',
    run: async (_args, ctx) =>
      answered(ctx, { confirm: 'elicit' })
        ? text('state-ok')
        : inputRequired({
            inputRequests: { confirm: askConfirmation('Please confirm') },
            requestState: await stateCodec.mint({ step: 1 }),
          }),
  },
  {
    name: 'test_input_required_result_multiple_inputs',
    description: 'Asks user, model and roots at once',
    run: async (_args, ctx) =>
      answered(ctx, { user_name: 'elicit', greeting: 'sampling', client_roots: 'roots' })
        ? text('All three answered')
        : inputRequired({
            inputRequests: {
              user_name: askText('What is your name?', 'name'),
              greeting: askModel('Generate a greeting', 50),
              client_roots: inputRequired.listRoots(),
            },
            requestState: await stateCodec.mint({ step: 1 }),
          }),
  },
  {
    name: 'test_input_required_result_multi_round',
    description: 'Asks twice, one round after the other',
    run: async (_args, ctx) => {
      const step = ctx.mcpReq.requestState<{ step: number }>()?.step ?? 0;
      if (step === 2 && answered(ctx, { step2: 'elicit' })) return text('Two rounds done');
      const next = step === 1 && answered(ctx, { step1: 'elicit' }) ? 2 : 1;
      return inputRequired({
        inputRequests:
          next === 1
            ? { step1: askText('Step 1: What is your name?', 'name') }
            : { step2: askText('Step 2: What is your favorite color?', 'color') },
        requestState: await stateCodec.mint({ step: next }),
      });
    },
  },
  {
    name: 'test_input_required_result_capabilities',
    description: 'Asks only what the client says it can answer',
    run: (_args, ctx) => {
      const declared = declaredCapabilities(ctx);
      const inputRequests: InputRequests = {};
      if (declared?.sampling !== undefined) inputRequests['model'] = askModel('Say something', 50);
      if (declared?.elicitation !== undefined) inputRequests['user'] = askText('What is your name?', 'name');
      const done = Object.keys(inputRequests).every((key) => ctx.mcpReq.inputResponses?.[key] !== undefined);
      return done ? text('Nothing left to ask') : inputRequired({ inputRequests });
    },
  },
  {
    name: 'test_missing_capability',
    description: 'Cannot work for a client without sampling: the SDK refuses to ask and answers -32021',
    run: () => inputRequired({ inputRequests: { model: askModel('Say something', 50) } }),
  },
];
