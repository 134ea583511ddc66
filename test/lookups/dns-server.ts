import { createSocket, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';

/** What the server says to a question: addresses, a failure, or nothing at all. */
export type DnsAnswer = readonly string[] | 'nxdomain' | 'servfail' | 'silence';

export interface DnsServer {
  /** As `Resolver.setServers` takes it. */
  readonly address: string;
  /** `a.example A`, in the order they came. */
  readonly questions: readonly string[];
  close(): Promise<void>;
}

const codes = new Map<string, number>([
  ['servfail', 2],
  ['nxdomain', 3],
]);

/** A name server on 127.0.0.1 that answers one question a packet, without compression but for the name asked for. */
export async function startDnsServer(
  answer: (name: string, type: 'A' | 'AAAA') => DnsAnswer,
): Promise<DnsServer> {
  const questions: string[] = [];
  const socket: Socket = createSocket('udp4');
  socket.on('message', (packet, from) => {
    const { name, end } = readName(packet);
    const type = packet.readUInt16BE(end) === 28 ? 'AAAA' : 'A';
    questions.push(`${name} ${type}`);
    const found = answer(name, type);
    if (found === 'silence') return;
    const records = typeof found === 'string' ? [] : found.map(record);
    const header = Buffer.alloc(12);
    packet.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (typeof found === 'string' ? codes.get(found)! : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    socket.send(Buffer.concat([header, packet.subarray(12, end + 4), ...records]), from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', resolve);
  });
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function readName(packet: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  while (packet[at] !== 0) {
    const length = packet[at]!;
    labels.push(packet.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

function record(address: string): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : v6Bytes(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(isIPv4(address) ? 1 : 28, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function v6Bytes(address: string): Buffer {
  const [before = '', after] = address.split('::');
  const words = (text: string) => (text === '' ? [] : text.split(':'));
  const left = words(before);
  const right = words(after ?? '');
  const gap = Array<string>(8 - left.length - right.length).fill('0');
  const bytes = Buffer.alloc(16);
  for (const [i, word] of [...left, ...gap, ...right].entries())
    bytes.writeUInt16BE(parseInt(word, 16), i * 2);
  return bytes;
}
