import { request } from 'node:http';

/** 5 s: what is asked is in the memory of a process on this machine. */
const patienceMs = 5_000;

/**
 * Asks a running gateway over its control socket.
 *
 * @returns status and JSON value of the answer
 * @throws the system's error where nobody listens there, or it may not be opened
 */
export function askControl(
  socketPath: string,
  method: 'GET' | 'DELETE',
  path: string,
): Promise<{ readonly status: number; readonly value: unknown }> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, method, path, signal: AbortSignal.timeout(patienceMs) });
    asking.once('error', reject);
    asking.once('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.once('error', reject);
      response.once('end', () => {
        try {
          resolve({
            status: response.statusCode ?? 0,
            value: JSON.parse(Buffer.concat(pieces).toString('utf8')),
          });
        } catch (error) {
          reject(error);
        }
      });
    });
    asking.end();
  });
}
