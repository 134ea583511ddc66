/**
 * The yardstick: what any proxy of Node's HTTP server and undici's dispatch costs. Bytes stream both ways, headers go
 * through but for those of the connection, and nothing is looked at.
 */
import { readFileSync } from 'node:fs';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Dispatcher, Pool } from 'undici';
import { beMeasured } from './measured.ts';
import type { TlsFiles } from './workplace.ts';

interface Setup {
  readonly upstream: string;
  readonly tls: TlsFiles | undefined;
}

const ofTheConnection = new Set(['host', 'connection', 'keep-alive', 'transfer-encoding', 'te', 'upgrade']);

function start({ upstream, tls }: Setup): Promise<{ url: string }> {
  const { origin, pathname } = new URL(upstream);
  const pool = new Pool(origin, { connections: 256, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  const relay = (request: IncomingMessage, response: ServerResponse): void => {
    const headers: string[] = [];
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      const name = request.rawHeaders[index] as string;
      if (!ofTheConnection.has(name.toLowerCase()))
        headers.push(name, request.rawHeaders[index + 1] as string);
    }
    const method = request.method as Dispatcher.HttpMethod;
    pool.dispatch({ path: pathname, method, headers, body: request }, toResponse(response));
  };
  const server =
    tls === undefined
      ? createPlainServer(relay)
      : createTlsServer(
          {
            cert: readFileSync(tls.certificate),
            key: readFileSync(tls.key),
            ca: readFileSync(tls.ca),
            requestCert: true,
            rejectUnauthorized: true,
            minVersion: 'TLSv1.3',
          },
          relay,
        );
  server.keepAliveTimeout = 120_000;
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const scheme = tls === undefined ? 'http' : 'https';
      resolve({ url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}` });
    });
  });
}

function toResponse(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      response.on('close', () => {
        if (!response.writableFinished) controller.abort(new Error('the client left'));
      });
      response.on('drain', () => controller.resume());
    },
    onResponseStart(_, status, headers) {
      const { connection, 'keep-alive': keepAlive, 'transfer-encoding': coding, ...others } = headers;
      response.writeHead(status, others);
    },
    onResponseData(controller, piece) {
      if (!response.write(piece)) controller.pause();
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError() {
      response.destroy();
    },
  };
}

beMeasured(start);
