import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';

/** What a server of bytes does once a whole request has come. `id` is the JSON-RPC id in its body, as JSON text. */
export type Act = (socket: Socket, id: string) => void;

export interface ByteServer {
  /** URL at which `act` answers. */
  url(act: string): string;
  readonly server: Server;
  close(): Promise<void>;
}

/** An upstream that speaks in bytes: each path does what the act of that name does, valid HTTP or not. */
export async function startByteServer(acts: Readonly<Record<string, Act>>): Promise<ByteServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let text = '';
    socket.on('data', (piece) => {
      text += piece.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < end + 4 + length) return;
      const act = acts[/^\S+ \/(\S+)/.exec(text)?.[1] ?? ''];
      const id = /"id":("[^"]*"|\d+)/.exec(text.slice(end))?.[1] ?? 'null';
      text = '';
      act?.(socket, id);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (act) => `http://127.0.0.1:${port}/${act}`,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A whole HTTP answer. */
export function answerBytes(status: string, type: string, body: string, more = ''): string {
  return `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
}
