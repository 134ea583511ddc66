import { describe, expect, it } from 'vitest';
import { httpServer, message, pong, upstreamAt } from './harness.ts';

describe('redirects', () => {
  for (const status of [300, 301, 302, 303, 304, 307, 308]) {
    it(`are refused, not followed (${status})`, async () => {
      const paths: string[] = [];
      const { url } = await httpServer((request, response) => {
        paths.push(request.url ?? '');
        response.writeHead(status, { location: '/elsewhere', 'content-type': 'application/json' });
        response.end(status === 304 ? undefined : pong);
      });
      const upstream = upstreamAt(url, { credential: { value: 'Bearer t0ken' } });
      expect(await upstream.send(message())).toEqual({ kind: 'refused', status });
      expect(paths).toEqual(['/mcp']);
    });
  }
});
