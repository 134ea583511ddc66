import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, legacy } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

describe('a session', () => {
  let recorder: Recorder;
  let home: TestGateway;
  let replica: TestGateway;
  let stranger: TestGateway;
  let rotated: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    const shared = randomBytes(32).toString('base64');
    const start = (files: Record<string, string>, ca?: TestGateway['ca']) =>
      startTestGateway({
        upstreams: { recorder: recorder.url },
        files,
        config: { session: { keys: Object.keys(files) } },
        ...(ca === undefined ? {} : { ca }),
      });
    home = await start({ 'keys/session': shared });
    replica = await start({ 'keys/session': shared }, home.ca);
    stranger = await start({ 'keys/session': randomBytes(32).toString('base64') }, home.ca);
    rotated = await start({ 'keys/new': randomBytes(32).toString('base64'), 'keys/old': shared }, home.ca);
  });

  afterAll(async () => {
    for (const gate of [home, replica, stranger, rotated]) await gate.close();
    await recorder.close();
  });

  const pingAt = async (gate: TestGateway, who: string, session: string, upstream = 'recorder') =>
    post(gate.url(upstream), legacy('ping'), {
      headers: { 'mcp-session-id': session },
      tls: await home.as(who),
    });
  const open = async (): Promise<string> => {
    const opened = await post(home.url('recorder'), initialize(), { tls: await home.as('alice') });
    return opened.headers['mcp-session-id'] ?? '';
  };

  it('never shows the session id of the upstream', async () => {
    const opened = await post(home.url('recorder'), initialize(), { tls: await home.as('alice') });
    expect(JSON.stringify(opened.headers) + opened.body.toString()).not.toContain('recorder-session');
  });

  it('opens on a second gateway that has the same key', async () => {
    const session = await open();
    const answer = await pingAt(replica, 'alice', session);
    expect({ status: answer.status, body: answer.json() }).toMatchObject({
      status: 200,
      body: { result: {} },
    });
    expect(recorder.requests.at(-1)?.headers['mcp-session-id']).toBe('recorder-session');
  });

  it('opens after the key was rotated, as long as the old one is kept', async () => {
    expect((await pingAt(rotated, 'alice', await open())).status).toBe(200);
  });

  it('is unknown to a gateway with another key, to another caller, and when it was changed', async () => {
    const session = await open();
    const seen = recorder.requests.length;
    const changed = session.slice(0, -1) + (session.endsWith('A') ? 'B' : 'A');
    for (const answer of [
      await pingAt(stranger, 'alice', session),
      await pingAt(home, 'bob', session),
      await pingAt(replica, 'bob', session),
      await pingAt(home, 'alice', changed),
      await pingAt(home, 'alice', 'recorder-session'),
    ]) {
      expect(answer.status).toBe(404);
      expect(answer.json()).toMatchObject({ error: { code: -32001, message: 'Session not found' } });
    }
    expect(recorder.requests).toHaveLength(seen);
  });
});
