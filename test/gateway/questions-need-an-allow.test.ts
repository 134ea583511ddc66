import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EverythingFixture, startEverythingFixture } from '../support/everything-fixture.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Answers, generations, willing } from '../support/generations.ts';

/** ada may be asked anything; bob may use every tool, but his client may not be asked. */
const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: ["*"]
  asked:
    allow:
      - id: may-be-asked
        methods: [elicitation/create, sampling/createMessage]
        actions: [ask]
bindings:
  - roles: [caller]
    to: { any: true }
  - roles: [asked]
    to: { certificate: { uri: "spiffe://test.local/ada" } }
`;

describe('questions of a server', () => {
  let fixture: EverythingFixture;
  let gate: TestGateway;

  beforeAll(async () => {
    fixture = await startEverythingFixture();
    gate = await startTestGateway({ upstreams: { fixture: fixture.url }, policy });
  });

  afterAll(async () => {
    await gate.close();
    await fixture.close();
  });

  for (const { name, era, connect } of generations) {
    it(`reach a client whose principal may be asked, and the answer goes back (${name})`, async () => {
      const caller = await connect(gate.url('fixture'), await gate.as('ada'));
      const asked = await caller.call('test_elicitation', { message: 'Really?' });
      expect(asked.content[0]?.text).toContain('action=accept');
      expect(asked.content[0]?.text).toContain('yes');
      const sampled = await caller.call('test_sampling', { prompt: 'Say hello' });
      expect(sampled.content[0]?.text).toContain('hello');
      await caller.close();
    });

    it(`are refused, answered and recorded where the principal may not be asked (${name})`, async () => {
      const questions: string[] = [];
      const noting: Answers = {
        elicit: () => {
          questions.push('elicitation');
          return willing.elicit();
        },
        sample: () => {
          questions.push('sampling');
          return willing.sample();
        },
      };
      const before = gate.audit().length;
      const caller = await connect(gate.url('fixture'), await gate.as('bob'), noting);
      for (const [tool, args] of [
        ['test_elicitation', { message: 'Really?' }],
        ['test_sampling', { prompt: 'Say hello' }],
      ] as const) {
        const ended = await caller.call(tool, args).then(
          ({ isError, content }) => ({ isError, text: content[0]?.text }),
          (error: { code: number }) => ({ isError: true, code: error.code }),
        );
        // 2026-07-28 carries the question in the result, so the gateway answers; before, the server does.
        if (era === 'modern') expect(ended).toEqual({ isError: true, code: 4030 });
        else expect(ended).toMatchObject({ isError: true });
      }
      expect(questions).toEqual([]);
      const records = gate.audit().slice(before);
      const code = era === 'modern' ? 'result-refused' : 'denied';
      expect(records.filter(({ event }) => event === 'question')).toEqual([
        expect.objectContaining({ question: { method: 'elicitation/create' }, code }),
        expect.objectContaining({ question: { method: 'sampling/createMessage' }, code }),
      ]);
      await caller.close();
    });
  }

  it('name the rule that let them through in the audit', async () => {
    const questions = gate.audit().filter(({ event, code }) => event === 'question' && code === 'ok');
    expect(questions[0]).toMatchObject({
      question: { method: 'elicitation/create', rule: 'may-be-asked' },
      who: { id: 'spiffe://test.local/ada' },
    });
  });
});
