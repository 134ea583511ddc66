import { describe, expect, it } from 'vitest';
import { addressProblem, isOwnName, kindOfAddress } from '../../src/upstream/address-rules.ts';

const never = [
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  'fd00:ec2::254',
  '0.0.0.0',
  '::',
  '255.255.255.255',
  '224.0.0.1',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:a9fe:a9fe',
  '2002:7f00:1::',
  '64:ff9b::a9fe:a9fe',
  'fe80::1%eth0',
  'not an address',
];
const near = ['127.0.0.1', '127.9.9.9', '::1', '169.254.1.1', 'fe80::1', '64:ff9b::7f00:1'];
const privates = ['10.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1', 'fd12::1'];
const publics = ['93.184.215.14', '2606:2800:21f::1', '64:ff9b::5db8:d70e'];

describe('addresses of upstreams', () => {
  it('are of one kind each', () => {
    for (const address of never) expect([address, kindOfAddress(address)]).toEqual([address, 'never']);
    for (const address of near) expect([address, kindOfAddress(address)]).toEqual([address, 'near']);
    for (const address of privates) expect([address, kindOfAddress(address)]).toEqual([address, 'private']);
    for (const address of publics) expect([address, kindOfAddress(address)]).toEqual([address, 'public']);
  });

  it('of metadata services and disguises are refused by every rule and under every name', () => {
    for (const rule of ['auto', 'public', 'private', 'any'] as const) {
      for (const name of ['localhost', 'sidecar', 'mcp.example.com']) {
        for (const address of never) {
          for (const addresses of [[address], [address, '10.0.0.1'], ['93.184.215.14', address]]) {
            expect(addressProblem({ name, addresses, wasPublic: false }, rule)).toBeDefined();
          }
        }
      }
    }
  });

  const problem = (name: string, addresses: readonly string[], wasPublic = false): boolean =>
    addressProblem({ name, addresses, wasPublic }, 'auto') !== undefined;

  it('of sidecars and clusters are dialled by default', () => {
    for (const name of ['localhost', 'host.docker.internal', 'sidecar', 'tools.prod.svc', 'nas.local']) {
      for (const address of [...near, ...privates, ...publics]) {
        expect([name, address, problem(name, [address], true)]).toEqual([name, address, false]);
      }
    }
    for (const name of ['tools.prod.svc.cluster.local', 'mcp.corp.example.com']) {
      for (const address of [...privates, ...publics]) expect(problem(name, [address])).toBe(false);
    }
  });

  it('of this machine or link are refused under a public name', () => {
    for (const name of ['mcp.example.com', 'localhost.example.com', 'a.localhost.evil', '127.0.0.1.nip.io']) {
      for (const address of near) expect([name, problem(name, [address])]).toEqual([name, true]);
    }
  });

  it('are refused where a public name begins to have private ones, or mixes them', () => {
    for (const address of privates) {
      expect(problem('mcp.example.com', [address], true)).toBe(true);
      expect(problem('mcp.example.com', [address, publics[0]!])).toBe(true);
    }
    expect(problem('mcp.example.com', publics, true)).toBe(false);
  });

  it('are only those that the rule names', () => {
    const by = (rule: 'public' | 'private' | 'any', address: string): boolean =>
      addressProblem({ name: 'mcp.example.com', addresses: [address], wasPublic: true }, rule) === undefined;
    for (const address of publics) {
      expect([by('public', address), by('private', address), by('any', address)]).toEqual([
        true,
        false,
        true,
      ]);
    }
    for (const address of [...privates, ...near]) {
      expect([by('public', address), by('private', address), by('any', address)]).toEqual([
        false,
        true,
        true,
      ]);
    }
  });

  it('know which names nobody can register', () => {
    for (const name of ['LOCALHOST', 'db', 'db.', 'x.Internal', 'a.b.local', 'x.home.arpa'])
      expect([name, isOwnName(name)]).toEqual([name, true]);
    for (const name of ['example.com', 'internal.example', 'local.com', 'notlocal.xlocal'])
      expect([name, isOwnName(name)]).toEqual([name, false]);
  });
});
