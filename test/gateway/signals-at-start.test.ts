import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { runSallyport, startGatewayProcess } from '../support/gateway-process.ts';

const preload = fileURLToPath(new URL('../support/signal-while-loading.ts', import.meta.url));

/** 30 s: three processes on a busy machine. */
const patience = 30_000;

/** Signals in the moment in which a file is loaded. */
function signalAt(file: string, to: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${preload}`, SIGNAL_AT: file, SIGNAL_TO: to };
}

/** Moments of a start, by the file that is loaded in them, the first one soon after Node itself is there. */
const moments = ['src/cli/commands.ts', 'src/gateway.ts', 'src/listener/listener.ts'];

describe('a signal while a gateway starts', () => {
  let one: GatewayFolder;
  let several: GatewayFolder;

  beforeAll(async () => {
    const prepare = (workers: number): Promise<GatewayFolder> =>
      prepareGateway({
        door: 'plain',
        upstreams: { w: 'http://127.0.0.1:9/mcp' },
        config: { log: { level: 'info' }, drain: { deadline: '1s' }, workers },
      });
    one = await prepare(1);
    several = await prepare(2);
  });

  afterAll(() => {
    one.remove();
    several.remove();
  });

  // Resolves once nobody holds its pipes any more: the workers have ended as well.
  const run = (folder: GatewayFolder, file: string, to: string) =>
    runSallyport(['run', '--config', folder.file], signalAt(file, to));

  for (const [index, file] of moments.entries()) {
    const signal = index % 2 === 0 ? 'SIGTERM' : 'SIGINT';
    it(
      `is not lost: ${signal} at ${file} ends it with code 0`,
      async () => {
        expect(await run(one, file, `self:${signal}`)).toMatchObject({ code: 0, signal: null });
      },
      patience,
    );

    it(
      `does no harm: SIGHUP at ${file} lets it start`,
      async () => {
        const gateway = await startGatewayProcess(one.file, patience, signalAt(file, 'self:SIGHUP'));
        await expect.poll(() => gateway.log().map(({ event }) => event)).toContain('reloaded');
        gateway.signal('SIGTERM');
        expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
      },
      patience,
    );
  }

  it(
    'ends it at once where a second one comes',
    async () => {
      for (const file of ['src/cli/commands.ts', 'src/listener/listener.ts']) {
        const ended = await run(one, file, 'self:SIGTERM,self:SIGINT');
        expect(ended).toMatchObject({ code: 1, signal: null });
        expect(ended.stderr).not.toContain('"serving"');
      }
    },
    patience,
  );

  for (const file of ['src/cli/commands.ts', 'src/gateway/primary.ts']) {
    it(
      `ends a primary and leaves no worker behind: SIGTERM at ${file}`,
      async () => {
        expect(await run(several, file, 'self:SIGTERM')).toMatchObject({ code: 0, signal: null });
      },
      patience,
    );
  }

  for (const file of ['src/cli/commands.ts', 'src/listener/listener.ts']) {
    it(
      `to the whole group, where a worker has come to ${file}: all start and drain`,
      async () => {
        const ended = await run(several, file, 'self:SIGINT,parent:SIGINT');
        expect(ended).toMatchObject({ code: 0, signal: null });
        expect(ended.stderr).toContain('"stopped"');
      },
      patience,
    );

    it(
      `SIGKILL of the primary where a worker has come to ${file}: no worker is left`,
      async () => {
        const ended = await run(several, file, 'parent:SIGKILL');
        expect(ended).toMatchObject({ code: null, signal: 'SIGKILL' });
        expect(ended.stderr).not.toContain('Unhandled');
      },
      patience,
    );
  }
});
