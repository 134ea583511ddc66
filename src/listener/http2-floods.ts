import { constants, type ServerHttp2Session } from 'node:http2';
import { askGcra, gcraRate } from '../limits/gcra.ts';
import type { Connection } from './connections.ts';
import type { Doors } from './doors.ts';

/**
 * PING and SETTINGS of one connection: 10 a second after 100 at once, because honest clients ping every ten seconds or
 * less often and change their settings once. Node itself only closes where acknowledgements pile up: a client that reads
 * them could have us write as many as it likes.
 */
const controlFrames = gcraRate(10, 1000, 100);

/** 64 KiB, the window of a stream in HTTP/2: what a client may have sent of a body before it hears that nobody reads it. */
const unreadOfBody = 65_536;
/** 1 MiB, because all that a client says beside requests in an hour is far less. */
const allowance = 1024 ** 2;

/** Counts the control frames of a session that Node shows. @param flooded called once, where there are too many */
export function watchControlFrames(session: ServerHttp2Session, flooded: () => void): void {
  let tat: number | undefined;
  let over = false;
  const count = (): void => {
    if (over) return;
    const answer = askGcra(tat, Math.floor(performance.now() * 1000), controlFrames);
    if (answer.admit) {
      tat = answer.tat;
      return;
    }
    over = true;
    flooded();
  };
  session.on('ping', count);
  session.on('remoteSettings', count);
}

/**
 * Whether a client sent far more than its requests are made of. Frames that Node shows to nobody (WINDOW_UPDATE, PRIORITY,
 * unknown ones, DATA without data) cost work too, and are told by their bytes.
 *
 * Allowed are headers and a window of body for each request, bodies twice over for their frames, a sixteenth of what was
 * sent to it for acknowledging that, and some more.
 */
export function saysTooMuch(connection: Connection, headerBytes: number): boolean {
  const { socket, requests, bodyBytes } = connection;
  const due = requests * (headerBytes + unreadOfBody) + 2 * bodyBytes + socket.bytesWritten / 16;
  return socket.bytesRead > allowance + due;
}

/** Ends a connection as RFC 9113, section 10.5, has it for peers that cost too much, and tells of it. */
export function closeFlooding(connection: Connection, doors: Doors): void {
  if (connection.refused) return;
  connection.refused = true;
  connection.closing = true;
  doors.turnOut('control-frames', connection.peer);
  const { session } = connection;
  if (session === undefined || session.destroyed) {
    connection.destroy();
    return;
  }
  session.once('close', () => connection.destroy());
  session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  session.destroy();
}
