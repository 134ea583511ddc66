import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { DialError } from './dial-error.ts';
import { codeOf } from './resolve.ts';
import type { Target } from './target.ts';

/** Of many addresses the first four: a service of which four do not answer is down, and a caller waits. */
const maxAttempts = 4;

/**
 * Opens a connection to one of the judged addresses, in their order. The name is not resolved again, so a name service
 * that changes its answer in between changes nothing; TLS still verifies the name.
 *
 * @param addresses judged before, at least one
 * @param timeoutMs for all attempts together; each has its share
 * @throws DialError `dial-connect` or `dial-tls`, or the reason of the signal
 */
export async function connectTo(
  target: Target,
  addresses: readonly string[],
  options: { readonly trust: SecureContext; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Socket> {
  const attempts = addresses.slice(0, maxAttempts);
  const share = options.timeoutMs / attempts.length;
  let failure: unknown;
  for (const address of attempts) {
    options.signal.throwIfAborted();
    try {
      return await open(target, address, options.trust, share, options.signal);
    } catch (error) {
      options.signal.throwIfAborted();
      failure = error;
      // Whoever answers with a wrong certificate is not asked whether a sibling has a better one.
      if (error instanceof DialError && error.code === 'dial-tls') break;
    }
  }
  throw failure;
}

function open(
  target: Target,
  address: string,
  trust: SecureContext,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let reached = false;
    const socket = target.secure
      ? secure(target, address, trust)
      : connectTcp({ host: address, port: target.port });
    const timer = setTimeout(() => fail(new Error('timeout')), timeoutMs);
    const abort = () => fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });

    function settle(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('error', fail);
    }
    function fail(error: unknown): void {
      settle();
      socket.destroy();
      const [code, what] = reached
        ? (['dial-tls', 'no trusted TLS'] as const)
        : (['dial-connect', 'no connection'] as const);
      reject(new DialError(code, `${target.shown}: ${what}${codeOf(error)}`));
    }
    // Stays: an error between this room and undici, or after giving up, must not be one that nobody listens to.
    socket.on('error', () => {});
    socket.on('error', fail);
    socket.once('connect', () => {
      reached = true;
    });
    socket.once(target.secure ? 'secureConnect' : 'connect', () => {
      settle();
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

function secure(target: Target, address: string, trust: SecureContext): Socket {
  return connectTls({
    host: address,
    port: target.port,
    // An address has no server name (RFC 6066, section 3); its certificate must then name the address.
    ...(target.literal ? {} : { servername: target.host }),
    secureContext: trust,
    ALPNProtocols: ['http/1.1'],
    // Stated, not left to defaults: NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment must not weaken it.
    rejectUnauthorized: true,
  });
}
