import { appendFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { type Answered, callTraced, readAudit } from './acknowledged.ts';
import { fault, scale } from './table.ts';

describe('a gateway that is killed', () => {
  let recorder: Recorder;
  let folder: GatewayFolder;

  beforeAll(async () => {
    recorder = await startRecorder();
    folder = await prepareGateway({
      upstreams: { recorder: recorder.url },
      door: 'plain',
      config: { log: { level: 'info' } },
    });
  });

  afterAll(async () => {
    await recorder.close();
    folder.remove();
  });

  const kills = scale(20, 100);

  fault(
    `kill -9 under load, ${kills} times`,
    'every acknowledged call has its record, each kill leaves at most one torn last line, and the next start closes and counts it',
    async (measured) => {
      const file = join(folder.folder, 'audit.jsonl');
      const answers: Answered[] = [];
      let tornBefore = 0;
      let tornByKills = 0;
      for (let round = 0; round < kills; round += 1) {
        const gateway = await startGatewayProcess(folder.file);
        const url = `${gateway.url}/recorder/mcp`;
        const agent = new Agent({ keepAlive: true, maxSockets: 8 });
        // Another moment each time, so that the kill falls into every step of a record.
        const wanted = 8 + ((round * 7) % 40);
        let running = true;
        let acknowledged = 0;
        const enough = Promise.withResolvers<void>();
        const loops = Array.from({ length: 8 }, async () => {
          while (running) {
            const answer = await callTraced(url, agent);
            answers.push(answer);
            if (answer.acknowledged) acknowledged += 1;
            if (acknowledged >= wanted || answer.status === 0) enough.resolve();
            if (answer.status === 0) return;
          }
        });
        await enough.promise;
        await gateway.kill();
        running = false;
        await Promise.all(loops);
        agent.destroy();
        expect(acknowledged).toBeGreaterThanOrEqual(wanted);

        const audit = readAudit(file);
        const torn = audit.torn.length - tornBefore;
        expect(torn).toBeLessThanOrEqual(1);
        if (torn === 1) expect(audit.torn.at(-1)).toBe(audit.lines - 1);
        expect(torn === 0).toBe(audit.ended);
        tornByKills += torn;
        tornBefore = audit.torn.length;
      }
      const { traces } = readAudit(file);
      const acknowledged = answers.filter((answer) => answer.acknowledged);
      expect(acknowledged.filter(({ trace }) => !traces.has(trace))).toEqual([]);
      measured(`${kills} kills, ${acknowledged.length} acknowledged calls, all recorded`);
      measured(`${tornByKills} torn lines`);
    },
    600_000,
  );

  fault(
    'a last line that is torn',
    'the next start closes it off, counts it, and the next record stands alone',
    async (measured) => {
      const file = join(folder.folder, 'audit.jsonl');
      appendFileSync(file, '{"schema":"sallyport.audit/v1","ti');
      const gateway = await startGatewayProcess(folder.file);
      try {
        const answer = await callTraced(`${gateway.url}/recorder/mcp`);
        expect(answer.acknowledged).toBe(true);
        expect(await (await fetch(`${gateway.adminUrl}/metrics`)).text()).toContain(
          'sallyport_audit_torn_lines_total 1',
        );
        const audit = readAudit(file);
        expect(audit.torn).toContain(audit.lines - 2);
        expect(audit.traces.has(answer.trace)).toBe(true);
        measured('sallyport_audit_torn_lines_total 1');
      } finally {
        await gateway.kill();
      }
    },
    60_000,
  );
});
