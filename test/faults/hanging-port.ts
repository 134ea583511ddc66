import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const program = `
  const server = require('node:net').createServer();
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => console.log(server.address().port));
`;

/** A port whose owner is stopped and whose queue is full: who dials it is neither answered nor refused. */
export async function startHangingPort(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const child = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout!, 'data')) as [Buffer];
  const port = Number(said.toString());
  child.kill('SIGSTOP');
  const waiting: Socket[] = [];
  // A queue of one holds two, and the system drops what comes beyond them.
  for (let filled = 0; filled < 2; filled += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    waiting.push(socket);
    await once(socket, 'connect');
  }
  return {
    port,
    async close() {
      for (const socket of waiting) socket.destroy();
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
