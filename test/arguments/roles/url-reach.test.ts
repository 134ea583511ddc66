import { createServer, type Server } from 'node:http';
import { type AddressInfo, BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { urlRole } from '../../../src/arguments/roles/url.ts';
import { urlOptions } from '../../../src/arguments/roles/url-options.ts';
import { oddNotationsV4, specialV4, specialV6, surroundings } from './address-disguises.ts';

/** A stub that listens on the loopback, and clients that are shown disguises: what reaches it must be refused. */

const servers: Server[] = [];
let port = 0;

function listen(host: string, wanted: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((_request, response) => response.end('reached'));
    server.once('error', reject);
    server.listen(wanted, host, () => resolve(server));
  });
}

beforeAll(async () => {
  const first = await listen('127.0.0.1', 0);
  servers.push(first);
  port = (first.address() as AddressInfo).port;
  for (const host of ['127.0.0.2', '127.1.2.3', '::1']) {
    servers.push(await listen(host, port));
  }
});

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Where a client that follows WHATWG would connect to, if that is this machine. Nothing else may be tried. */
const here = new BlockList();
here.addSubnet('127.0.0.0', 8, 'ipv4');
here.addAddress('0.0.0.0', 'ipv4');
here.addAddress('::1', 'ipv6');
here.addAddress('::', 'ipv6');
here.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

function isHere(text: string): boolean {
  const hostname = URL.parse(text)?.hostname.replace(/^\[|\]$/g, '');
  if (hostname === undefined) return false;
  if (hostname === 'localhost') return true;
  const family = isIP(hostname);
  return family !== 0 && here.check(hostname, family === 4 ? 'ipv4' : 'ipv6');
}

describe('url: what reaches a stub on the loopback', () => {
  it('is refused, in every notation that a client follows', async () => {
    const roles = ['public', 'listed'].map((addresses) =>
      urlRole.compile(
        urlOptions.parse({
          schemes: ['http'],
          ports: [port],
          userinfo: 'allow',
          addresses,
          hosts: addresses === 'listed' ? ['good.example', '**.example'] : undefined,
        }),
      ),
    );
    const hosts = ['127.0.0.1', '127.0.0.2', '127.1.2.3', '0.0.0.0'].flatMap((address) => [
      { notation: 'plain', host: address },
      ...oddNotationsV4(address),
    ]);
    for (const host of [
      'localhost',
      'LOCALHOST',
      'loc%61lhost',
      'local\u00adhost',
      '[::1]',
      '[::]',
      '[0:0:0:0:0:0:0:1]',
    ]) {
      hosts.push({ notation: 'name', host });
    }
    const reached = new Set<string>();
    for (const { notation, host } of hosts) {
      const texts = [
        `http://${host}:${port}/`,
        `http://good.example@${host}:${port}/`,
        `http:\\\\${host}:${port}\\a`,
      ];
      texts.push(`http:${host}:${port}`, `http:///${host}:${port}/`, `ht\ttp://${host}:${port}/`);
      texts.push(
        `http://${host}:${port}\\@good.example/`,
        `http://${host}:0${port}/`,
        `  http://${host}:${port}  `,
      );
      for (const text of texts) {
        if (!isHere(text)) continue;
        const answer = await fetch(stripCredentials(text)).then(
          (response) => response.text(),
          () => undefined,
        );
        if (answer !== 'reached') continue;
        reached.add(notation);
        for (const role of roles) expect(role.judge(text), `${notation}: ${text}`).toBeDefined();
      }
    }
    // Without these the test would show nothing.
    for (const notation of [
      'plain',
      'octal',
      'hexadecimal',
      'hexadecimal whole',
      'mixed',
      'short',
      'decimal',
      'trailing dot',
      'IPv4-mapped',
      'percent-encoded',
      'full-width digits',
      'other full stops',
      'circled digits',
      'invisible characters',
      'name',
    ]) {
      expect([...reached]).toContain(notation);
    }
  });

  it('never lets a random text through whose connect target is special', () => {
    const role = urlRole.compile(
      urlOptions.parse({
        schemes: ['https', 'http', 'ws', 'wss', 'ftp'],
        ports: [80, 443],
        userinfo: 'allow',
      }),
    );
    let passed = 0;
    fc.assert(
      fc.property(anyDisguise, (text) => {
        if (role.judge(text) !== undefined) return;
        passed++;
        const { hostname } = new URL(text);
        const address = hostname.replace(/^\[|\]$/g, '');
        expect(hostname).not.toMatch(/(?:^|\.)(?:localhost|local|internal|lan)\.?$/);
        const family = isIP(address);
        if (family === 4) expect(special4.check(address, 'ipv4')).toBe(false);
        if (family === 6) expect(special6.check(address, 'ipv6')).toBe(false);
        if (family === 0) expect(hostname).toContain('.');
      }),
      { numRuns: 20_000 },
    );
    expect(passed).toBeGreaterThan(100);
  });
});

/** `fetch` itself refuses credentials; other clients do not. */
function stripCredentials(text: string): URL {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url;
}

const special4 = new BlockList();
for (const text of specialV4) special4.addAddress(text, 'ipv4');
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  special4.addSubnet(net, bits, 'ipv4');
}
const special6 = new BlockList();
for (const text of specialV6) special6.addAddress(text, 'ipv6');
for (const [net, bits] of [
  ['::', 3],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['4000::', 2],
  ['8000::', 1],
] as const) {
  special6.addSubnet(net, bits, 'ipv6');
}

const anyHost = fc.oneof(
  fc.constantFrom(
    ...specialV4,
    ...specialV6.map((text) => `[${text}]`),
    ...specialV4.slice(8, 18).flatMap((text) => oddNotationsV4(text).map(({ host }) => host)),
    'localhost',
    'a.localhost',
    'printer.local',
    'good.example',
    'a.good.example',
    'm\u00fcnchen.example',
    '8.8.8.8',
    '[2606:4700::1111]',
  ),
  fc.ipV4(),
  fc.ipV4Extended(),
  fc.ipV6().map((text) => `[${text}]`),
  fc.domain(),
);

const glue = fc.constantFrom(
  '',
  '',
  '',
  '@',
  ':',
  ':443',
  ':80',
  '/',
  '//',
  '\\',
  '#',
  '?',
  '.',
  '%2f',
  '%40',
  '\t',
  ';',
  '&',
  '-',
  '\u3002',
  '\uff0f',
  '\uff20',
  '[',
  ']',
  '0',
  '0x',
);

const anyDisguise = fc.oneof(
  anyHost.chain((host) => fc.constantFrom(...surroundings(host).map((disguise) => disguise.host))),
  fc
    .tuple(
      fc.constantFrom('https://', 'http://', 'HTTPS://', 'ws://', 'https:', 'https:/', '//', ''),
      glue,
      anyHost,
      glue,
      glue,
      anyHost,
      glue,
    )
    .map((parts) => parts.join('')),
  fc
    .tuple(fc.constantFrom('https://', 'http://'), anyHost, glue, fc.webPath())
    .map((parts) => parts.join('')),
);
