import { type Command, exitCodes, text } from './command.ts';

/** 3 s: shorter than the usual timeout of a container's health check, so that the check says why it failed. */
const timeoutMs = 3_000;

export const healthcheckCommand: Command = {
  summary: 'ask a running gateway whether it is ready',
  help: `Asks a running gateway, through its admin listener, whether it is ready.

Usage: sallyport healthcheck [--url URL]

  --url URL   what to ask; default $SALLYPORT_HEALTHCHECK_URL, else http://127.0.0.1:9090/readyz

Exit code 0 where the answer is 200, 1 otherwise.

Examples:
  sallyport healthcheck
  sallyport healthcheck --url http://127.0.0.1:9090/livez
  SALLYPORT_HEALTHCHECK_URL=http://[::1]:9090/readyz sallyport healthcheck
`,
  options: { url: { type: 'string' } },
  async run(values, _positionals, io) {
    const url =
      text(values, 'url') ?? io.environment['SALLYPORT_HEALTHCHECK_URL'] ?? 'http://127.0.0.1:9090/readyz';
    try {
      const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
      const body = (await answer.text()).slice(0, 2_000);
      io.stdout(`${answer.status} ${body.trimEnd()}\n`);
      return answer.status === 200 ? exitCodes.ok : exitCodes.no;
    } catch (error) {
      const cause = (error as Error).cause;
      io.stderr(`${url}: ${cause instanceof Error ? cause.message : (error as Error).message}\n`);
      return exitCodes.no;
    }
  },
};
