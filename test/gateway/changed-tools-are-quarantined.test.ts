import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../cli/run-command.ts';
import { type ChangingServer, startChangingServer } from '../support/changing-server.ts';
import { connectClient } from '../support/clients.ts';
import { prepareGateway, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generations } from '../support/generations.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';

/** The lock file that an operator writes before the gateway is told to rely on it. */
async function pinned(url: string): Promise<string> {
  const prepared = await prepareGateway({ upstreams: { notes: url } });
  const { code, stderr } = await run(['pin', 'init', '--config', prepared.file]);
  if (code !== 0) throw new Error(stderr);
  const text = readFileSync(join(prepared.folder, 'pins.yaml'), 'utf8');
  prepared.remove();
  return text;
}

describe('a server that changes its tools after the third call', () => {
  let server: ChangingServer;
  let gate: TestGateway;

  beforeEach(async () => {
    server = await startChangingServer();
    gate = await startTestGateway({
      upstreams: { notes: server.url },
      config: { pins: { file: 'pins.yaml' } },
      files: { 'pins.yaml': await pinned(server.url) },
    });
  });

  afterEach(async () => {
    await gate.close();
    await server.close();
  });

  const callBytes = async (name: string): Promise<string> => {
    const { headers, body } = modern('tools/call', { name, arguments: {} });
    const answer = await post(gate.url('notes'), body, { headers, tls: await gate.as('alice') });
    return `${answer.status} ${answer.body.toString()}`;
  };

  for (const { name, connect } of generations) {
    it(`loses what changed, keeps what did not, until somebody approves (${name})`, async () => {
      const caller = await connect(gate.url('notes'), await gate.as('alice'));
      expect([...(await caller.toolNames())].sort()).toEqual(['echo', 'list_notes', 'read_note']);
      for (const tool of ['read_note', 'list_notes', 'read_note']) await caller.call(tool);
      expect(server.calls).toEqual(['read_note', 'list_notes', 'read_note']);

      expect(await caller.toolNames()).toEqual(['echo']);
      for (const tool of ['read_note', 'list_notes', 'send_notes', 'no_such_tool']) {
        await expect(caller.call(tool)).rejects.toMatchObject({ code: 4030 });
      }
      expect((await caller.call('echo')).content).toEqual([{ type: 'text', text: 'echo ran' }]);
      expect(server.calls.slice(3)).toEqual(['echo']);

      const approved = await run(['pin', 'approve', '--all', '--config', gate.file]);
      expect(approved).toMatchObject({ code: 0, stdout: expect.stringContaining('Pass the private key') });
      await gate.gateway.reload('files');
      expect([...(await caller.toolNames())].sort()).toEqual(['echo', 'read_note', 'send_notes']);
      expect((await caller.call('read_note')).content).toEqual([{ type: 'text', text: 'read_note ran' }]);
      await caller.close();
    });
  }

  it('answers a call of a quarantined tool byte for byte as one of a tool that does not exist', async () => {
    server.change();
    const answers = [];
    for (const tool of ['read_note', 'list_notes', 'send_notes', 'no_such_tool'])
      answers.push(await callBytes(tool));
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain('"reason":"denied"');
    expect(server.calls).toEqual([]);
  });

  it('is noticed by a call as well: nobody has to list first', async () => {
    expect(await callBytes('read_note')).toContain('read_note ran');
    const later = await startTestGateway({
      upstreams: { notes: server.url },
      config: { pins: { file: 'pins.yaml' } },
      files: { 'pins.yaml': readFileSync(join(gate.folder, 'pins.yaml'), 'utf8') },
    });
    server.change();
    const { headers, body } = modern('tools/call', { name: 'read_note', arguments: {} });
    const answer = await post(later.url('notes'), body, { headers, tls: await later.as('alice') });
    expect(answer.json()).toMatchObject({ error: { code: 4030 } });
    await later.close();
    expect(server.calls).toEqual(['read_note']);
  });

  for (const era of ['modern', 'legacy'] as const) {
    it(`gives its approved instructions to clients, whatever it says now (${era})`, async () => {
      for (const face of ['first', 'second'] as const) {
        server.change(face);
        const { client, close } = await connectClient(gate.url('notes'), await gate.as('alice'), era);
        expect(client.getInstructions()).toBe('Keep notes short.');
        await close();
      }
    });
  }
});

it('first use pins what is listed first, writes it down, and holds to it', async () => {
  const server = await startChangingServer();
  const gate = await startTestGateway({
    upstreams: { notes: server.url },
    config: { pins: { file: 'pins.yaml', firstUse: true } },
  });
  const caller = await generations[0]!.connect(gate.url('notes'), await gate.as('alice'));
  expect(await caller.toolNames()).toHaveLength(3);
  await expect.poll(() => readFileSync(join(gate.folder, 'pins.yaml'), 'utf8')).toContain('list_notes');
  server.change();
  expect(await caller.toolNames()).toEqual(['echo']);
  await caller.close();
  await gate.close();
  await server.close();
});
