/**
 * Preloaded into a server that would listen on every interface (`node --import`): makes it listen on loopback only and
 * print the port that it got. A tour must not open a stranger's server to the network.
 */
import { type AddressInfo, Server } from 'node:net';

const listen = Server.prototype.listen as (this: Server, ...args: unknown[]) => Server;

Server.prototype.listen = function (this: Server, ...args: unknown[]): Server {
  const callback = args.find((argument) => typeof argument === 'function');
  const port = Number(
    typeof args[0] === 'object' && args[0] !== null ? (args[0] as { port?: unknown }).port : args[0],
  );
  this.once('listening', () => {
    process.stdout.write(`listening on loopback port ${(this.address() as AddressInfo).port}\n`);
  });
  return listen.call(this, { port, host: '127.0.0.1' }, callback);
};
