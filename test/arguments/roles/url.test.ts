import { describe, expect, it } from 'vitest';
import { urlRole } from '../../../src/arguments/roles/url.ts';
import { urlOptions } from '../../../src/arguments/roles/url-options.ts';
import type { JsonValue } from '../../../src/values/json.ts';
import { oddNotationsV4, specialV4, specialV6, surroundings } from './address-disguises.ts';

function url(options: object = {}) {
  return urlRole.compile(urlOptions.parse(options));
}

function faultOf(value: JsonValue, options: object = {}): string | undefined {
  return url(options).judge(value)?.fault;
}

const wide = { schemes: ['https', 'http', 'ws', 'wss', 'ftp'], ports: [80, 443, 8080] };

describe('url: hosts that are not public', () => {
  it('refuses every special address in every notation and surrounding', () => {
    const roles = [url(), url(wide), url({ hosts: ['good.example', '**.good.example'] })];
    const passed: string[] = [];
    let tried = 0;
    for (const address of [...specialV4, ...specialV6.map((text) => `[${text}]`)]) {
      const odd = address.startsWith('[') ? [] : oddNotationsV4(address).map(({ host }) => host);
      for (const host of [address, ...odd]) {
        for (const { host: text } of surroundings(host)) {
          tried++;
          for (const role of roles) if (role.judge(text) === undefined) passed.push(text);
        }
      }
    }
    expect(passed).toEqual([]);
    expect(tried).toBeGreaterThan(100_000);
  });

  it('refuses every special address behind credentials, where those are allowed', () => {
    const role = url({ ...wide, userinfo: 'allow' });
    for (const address of [...specialV4, ...specialV6.map((text) => `[${text}]`)]) {
      const odd = address.startsWith('[') ? [] : oddNotationsV4(address).map(({ host }) => host);
      for (const host of [address, ...odd]) {
        for (const text of [
          `https://a:b@${host}/`,
          `https://good.example@${host}/`,
          `https://a@b@${host}/`,
        ]) {
          expect(role.judge(text), text).toBeDefined();
        }
      }
    }
  });

  it('refuses odd notations even of public addresses, even where addresses are not looked at', () => {
    const role = url({ ...wide, addresses: 'any' });
    for (const { host, notation } of oddNotationsV4('93.184.215.14')) {
      expect(role.judge(`https://${host}/`), `${notation} ${host}`).toBeDefined();
    }
    for (const host of [
      '[0:0:0:0:0:0:0:1]',
      '[2606:4700::0:1111]',
      '[2606:4700:0::1]',
      '[::1%25lo]',
      '0x7f.1',
    ]) {
      expect(role.judge(`https://${host}/`)?.fault, host).toBe('address-notation');
    }
  });

  it.each([
    'localhost',
    'LOCALHOST',
    'a.localhost',
    'localhost.localdomain',
    'localhost.domaincontrol.com',
    'printer.local',
    'db.internal',
    'nas.lan',
    'router.home.arpa',
    'fritz.home',
    'mail.corp',
    'wiki.intranet',
    'x.private',
    'x.test',
    'x.invalid',
    'facebookcorewwwi.onion',
    'intranet',
    'redis',
    'redis-master',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    'vault.service.consul',
    'host.docker.internal',
    'gateway.docker.internal',
    '1.0.0.127.in-addr.arpa',
    'redis.kube-system',
    'db.prod1',
  ])('refuses the internal name %s', (host) => {
    expect(faultOf(`https://${host}/`)).toBe('internal-name');
    expect(faultOf(`https://${host}/`, { hosts: ['**.good.example'] })).toBe('host-not-listed');
  });

  it.each([
    'metadata.google.internal',
    'METADATA.google.internal',
    'metadata.goog',
    'instance-data',
    'instance-data.ec2.internal',
    'metadata.azure.internal',
    'metadata.azure.com',
    'metadata.tencentyun.com',
    'rancher-metadata',
    '169.254.169.254',
    '100.100.100.200',
    '192.0.0.192',
    '168.63.129.16',
    '[fd00:ec2::254]',
  ])('refuses the metadata service %s', (host) => {
    expect(faultOf(`https://${host}/latest/`)).toBe('metadata-service');
  });

  it.each([
    '127.0.0.1.nip.io',
    '7f000001.nip.io',
    'app.10-0-0-1.sslip.io',
    'www.192.168.0.1.xip.io',
    'localtest.me',
    'localhost.me',
    'metadata.nicob.net',
    'a.b.localtest.me',
    'lvh.me',
    'vcap.me',
    '7f000001.c0a80001.rbndr.us',
    'make-127.0.0.1-rr.1u.ms',
    'spoofed.burpcollaborator.net',
    '10-0-0-1.abcdef.plex.direct',
    '127.0.0.1.unheard-of.example',
    'ip-169-254-169-254.unheard-of.example',
    '1.10.0.0.1.unheard-of.example',
    'x-010-000-000-001.unheard-of.example',
  ])('refuses %s, which may be any address', (host) => {
    expect(faultOf(`https://${host}/`)).toBe('address-in-name');
  });

  it.each([
    '8-8-8-8.unheard-of.example',
    'ec2-52-95-110-1.compute.example',
    'v1-2-3.docs.example',
    '1.2.3.example',
  ])('lets numbers in a name be: %s', (host) => {
    expect(faultOf(`https://${host}/`)).toBeUndefined();
  });
});

describe('url: text that two readers read in two ways', () => {
  it.each([['a\u00a0b', 'not-absolute', 'hidden-character']])(
    'says hidden before anything else: %s',
    (text, _other, fault) => {
      expect(faultOf(text)).toBe(fault);
    },
  );

  it.each([
    [42, 'not-text'],
    [null, 'not-text'],
    [['https://good.example/'], 'not-text'],
    [{ href: 'https://good.example/' }, 'not-text'],
    ['', 'not-absolute'],
    ['/etc/passwd', 'not-absolute'],
    ['good.example', 'not-absolute'],
    ['//good.example/', 'not-absolute'],
    ['javascript:alert(1)', 'scheme'],
    ['data:text/html,x', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['gopher://good.example/', 'scheme'],
    ['http://good.example/', 'scheme'],
    ['https:good.example', 'slashes'],
    ['https:/good.example', 'slashes'],
    ['https://', 'host-form'],
    ['https:///good.example/', 'host-form'],
    ['https:////good.example/', 'host-form'],
    ['https://?a', 'host-form'],
    ['https://good.example./', 'host-form'],
    ['https://good..example/', 'host-form'],
    ['https://.good.example/', 'host-form'],
    ['https://-good.example/', 'host-form'],
    ['https://good-.example/', 'host-form'],
    [`https://${'a'.repeat(64)}.example/`, 'host-form'],
    [`https://${'a.'.repeat(130)}example/`, 'host-form'],
    ['https://xn--localhost-/', 'host-form'],
    ['a\u00a0b', 'hidden-character'],
    ['https://g%6fod.example/', 'host-encoding'],
    ['https://good.example%00.evil.example/', 'host-encoding'],
    ['https://good.example%2f@evil.example/', 'userinfo'],
    ['https://good!.example/', 'host-characters'],
    ['https://good*.example/', 'host-characters'],
    ['https://good.example,evil.example/', 'host-characters'],
    ['https://good.example|evil.example/', 'host-characters'],
    ["https://good.example';/", 'host-characters'],
    ['https://\uff47ood.example/', 'host-characters'],
    ['https://good\u3002example/', 'host-characters'],
    ['https://go\u00adod.example/', 'host-characters'],
    ['https://go\u200bod.example/', 'host-characters'],
    ['https://\u24d6ood.example/', 'host-characters'],
    ['https://\u2100.example/', 'host-characters'],
    ['https://good.example\u2044@evil.example/', 'userinfo'],
    ['https://good.example\uff0fevil.example/', 'host-characters'],
    ['https://loca\u013aho\u017ft/', 'host-characters'],
    ['https://\u212aubernetes.example/', 'host-characters'],
    ['https://good.example\ud800/', 'hidden-character'],
    ['https://good.example/\u202egpj.exe', 'hidden-character'],
    ['https://good.example/a b', 'hidden-character'],
    ['https://good.example/\r\nHost: x', 'hidden-character'],
    ['https://good.example/\u0000', 'hidden-character'],
    [' https://good.example/', 'hidden-character'],
    ['https://good.example/\u{e0041}', 'hidden-character'],
    ['https://good.example\\.evil.example/', 'backslash'],
    ['https://good.example/a\\..\\b', 'backslash'],
    ['https://good.example/?a=\\', 'backslash'],
    ['https://good.example:/', 'port-notation'],
    ['https://good.example:0/', 'port-notation'],
    ['https://good.example:0443/', 'port-notation'],
    ['https://good.example:65536/', 'port-notation'],
    ['https://good.example:443a/', 'port-notation'],
    ['https://good.example:+443/', 'port-notation'],
    ['https://good.example:443:443/', 'address-notation'],
    ['https://::1/', 'address-notation'],
    ['https://[::1/', 'address-notation'],
    ['https://[good.example]/', 'address-notation'],
    ['https://[::1]x/', 'address-notation'],
    ['https://good.example:8443/', 'port'],
    ['https://good.example:80/', 'port'],
    ['https://user@good.example/', 'userinfo'],
    ['https://user:secret@good.example/', 'userinfo'],
    ['https://:@good.example/', 'userinfo'],
    ['https://@good.example/', 'userinfo'],
    ['https://a@b@good.example/', 'userinfo'],
    ['https://good.example#@evil.example/', 'authority-ambiguous'],
    ['https://good.example?@evil.example/', 'authority-ambiguous'],
    ['https://good.example/a/../b', 'path-form'],
    ['https://good.example/./b', 'path-form'],
    ['https://good.example/a/..', 'path-form'],
    ['https://good.example/a/%2e%2e/b', 'path-form'],
    ['https://good.example/a/.%2E/b', 'path-form'],
    ['https://good.example/a/..;x=1/b', 'path-form'],
    ['https://1.2.3.4.5/', 'address-notation'],
    ['https://256.1.1.1/', 'address-notation'],
    ['https://a.0x/', 'address-notation'],
    ['https://1.2.3.4./', 'address-notation'],
    [`https://good.example/${'a'.repeat(2048)}`, 'too-long'],
  ] as const)('%j is %s', (text, fault) => {
    const found = url().judge(text as JsonValue);
    expect(found?.fault).toBe(fault);
    expect(found?.allow).toMatch(/^(no option allows it: |[a-z].*`)/);
  });

  it('never repeats the value', () => {
    for (const { host } of surroundings('sekret.example')) {
      expect(JSON.stringify(url().judge(host) ?? '')).not.toContain('sekret');
    }
  });
});

describe('url: options', () => {
  it.each([
    [{ hosts: ['a.example'] }, 'https://a.example/', undefined],
    [{ hosts: ['A.Example'] }, 'https://a.EXAMPLE/', undefined],
    [{ hosts: ['a.example'] }, 'https://b.a.example/', 'host-not-listed'],
    [{ hosts: ['a.example'] }, 'https://a.example.evil.example/', 'host-not-listed'],
    [{ hosts: ['a.example'] }, 'https://xa.example/', 'host-not-listed'],
    [{ hosts: ['*.a.example'] }, 'https://b.a.example/', undefined],
    [{ hosts: ['*.a.example'] }, 'https://a.example/', 'host-not-listed'],
    [{ hosts: ['*.a.example'] }, 'https://xa.example/', 'host-not-listed'],
    [{ hosts: ['*.a.example'] }, 'https://c.b.a.example/', 'host-not-listed'],
    [{ hosts: ['**.a.example'] }, 'https://c.b.a.example/', undefined],
    [{ hosts: ['**.a.example'] }, 'https://b.a.example/', undefined],
    [{ hosts: ['**.a.example'] }, 'https://a.example/', 'host-not-listed'],
    [{ hosts: ['m\u00fcnchen.example'] }, 'https://xn--mnchen-3ya.example/', undefined],
    [{ hosts: ['xn--mnchen-3ya.example'] }, 'https://M\u00dcNCHEN.example/', undefined],
    [{ hosts: ['8.8.8.8'] }, 'https://8.8.8.8/', undefined],
    [{ hosts: ['8.8.8.8'] }, 'https://8.8.4.4/', 'host-not-listed'],
    [{ hosts: ['8.8.8.8'] }, 'https://[::ffff:808:808]/', 'address-notation'],
    [{ hosts: ['2606:4700:4700::1111'] }, 'https://[2606:4700:4700::1111]/', undefined],
    [{ hosts: ['[2606:4700:4700::1111]'] }, 'https://[2606:4700:4700::1111]/', undefined],
    [{ hosts: ['*.8.8.example'] }, 'https://8.8.8.8/', 'host-not-listed'],
    [{ addresses: 'listed', hosts: ['10.0.0.5'] }, 'https://10.0.0.5/', undefined],
    [{ addresses: 'listed', hosts: ['10.0.0.5'] }, 'https://10.0.0.6/', 'host-not-listed'],
    [{ addresses: 'listed', hosts: ['10.0.0.5'] }, 'https://167772165/', 'address-notation'],
    [{ addresses: 'listed', hosts: ['10.0.0.5'] }, 'https://[::ffff:a00:5]/', 'address-notation'],
    [{ addresses: 'listed', hosts: ['fd00::5'] }, 'https://[fd00::5]/', undefined],
    [{ addresses: 'listed', hosts: ['db.internal'] }, 'https://db.internal/', undefined],
    [{ addresses: 'listed', hosts: ['**.internal'] }, 'https://db.internal/', 'internal-name'],
    [{ addresses: 'listed', hosts: ['localhost'], ports: [8080] }, 'https://localhost:8080/', undefined],
    [{ addresses: 'any' }, 'https://10.0.0.5/', undefined],
    [{ addresses: 'any' }, 'https://localhost/', undefined],
    [{ addresses: 'any', hosts: ['a.example'] }, 'https://localhost/', 'host-not-listed'],
    [{ ports: [8443] }, 'https://a.example:8443/', undefined],
    [{ ports: [8443] }, 'https://a.example/', 'port'],
    [{ ports: [443, 8443] }, 'https://a.example:443/', undefined],
    [{ schemes: ['http'] }, 'http://a.example/', undefined],
    [{ schemes: ['http'] }, 'http://a.example:443/', 'port'],
    [{ schemes: ['http'] }, 'https://a.example/', 'scheme'],
    [{ schemes: ['wss'] }, 'wss://a.example/socket', undefined],
    [{ userinfo: 'allow' }, 'https://user:pw@a.example/', undefined],
    [{ userinfo: 'allow' }, 'https://user:pw@127.0.0.1/', 'special-address'],
    [{ userinfo: 'allow' }, 'https://a@b@a.example/', 'userinfo'],
    [{ userinfo: 'allow' }, 'https://a\uff20b@a.example/', 'userinfo'],
    [{ query: 'refuse' }, 'https://a.example/?a=1', 'query'],
    [{ query: 'refuse' }, 'https://a.example/?', 'query'],
    [{ query: 'refuse' }, 'https://a.example/#?', undefined],
    [{ fragment: 'refuse' }, 'https://a.example/#a', 'fragment'],
    [{ fragment: 'refuse' }, 'https://a.example/', undefined],
    [{ maxLength: 20 }, 'https://a.example/12', undefined],
    [{ maxLength: 20 }, 'https://a.example/123', 'too-long'],
    [{ paths: ['/v1/items'] }, 'https://a.example/v1/items', undefined],
    [{ paths: ['/v1/items'] }, 'https://a.example/v1/%69tems?x=/../', undefined],
    [{ paths: ['/v1/items'] }, 'https://a.example/v1/items/', 'path-not-listed'],
    [{ paths: ['/v1/items'] }, 'https://a.example/v1', 'path-not-listed'],
    [{ paths: ['/v1/*'] }, 'https://a.example/v1/items', undefined],
    [{ paths: ['/v1/*'] }, 'https://a.example/v1/a/b', 'path-not-listed'],
    [{ paths: ['/v1/*'] }, 'https://a.example/v1/a%2Fb', 'path-form'],
    [{ paths: ['/v1/*'] }, 'https://a.example/v1/a%5cb', 'path-form'],
    [{ paths: ['/v1/*'] }, 'https://a.example/v1/%252e%252e', 'path-form'],
    [{ paths: ['/v1/*'] }, 'https://a.example/v1/a%00', 'path-form'],
    [{ paths: ['/v1/*'] }, 'https://a.example/v1/%ff', 'path-form'],
    [{ paths: ['/v1/*'] }, 'https://a.example/v1/%', 'path-form'],
    [{ paths: ['/v1/*'] }, 'https://a.example//v1/a', 'path-form'],
    [{ paths: ['/v1/*'] }, 'https://a.example/v1/;/admin', 'path-form'],
    [{ paths: ['/v1/**'] }, 'https://a.example/v1/a/b', undefined],
    [{ paths: ['/v1/**'] }, 'https://a.example/v1', undefined],
    [{ paths: ['/v1/**'] }, 'https://a.example/v10', 'path-not-listed'],
    [{ paths: ['/v1/**'] }, 'https://a.example/v1/../admin', 'path-form'],
    [{ paths: ['/img/*.png'] }, 'https://a.example/img/a.png', undefined],
    [{ paths: ['/img/*.png'] }, 'https://a.example/img/a.php', 'path-not-listed'],
    [{ paths: ['/caf\u00e9'] }, 'https://a.example/caf%C3%A9', undefined],
    [{ paths: ['/caf\u00e9'] }, 'https://a.example/caf\u00e9', undefined],
    [{ paths: ['/'] }, 'https://a.example', undefined],
    [{ paths: ['/'] }, 'https://a.example/admin', 'path-not-listed'],
  ] as const)('%j judges %s: %s', (options, text, fault) => {
    expect(faultOf(text, options)).toBe(fault);
  });

  it.each([
    [{ hosts: ['10.0.0.1'] }, 'can never match'],
    [{ hosts: ['db.internal'] }, 'can never match'],
    [{ hosts: ['*.svc'] }, 'can never match'],
    [{ hosts: ['*.nip.io'] }, 'can never match'],
    [{ hosts: ['::ffff:a00:1'], addresses: 'listed' }, 'can never match'],
    [{ hosts: ['64:ff9b::808:808'] }, 'can never match'],
    [{ hosts: ['https://a.example'] }, 'expected a host name'],
    [{ hosts: ['a.*.example'] }, 'expected a host name'],
    [{ hosts: ['*'] }, 'expected a host name'],
    [{ hosts: ['a.example:443'] }, 'expected a host name'],
    [{ hosts: ['127.1'], addresses: 'listed' }, 'expected a host name'],
    [{ hosts: ['0:0:0:0:0:0:0:1'], addresses: 'listed' }, 'expected a host name'],
    [{ hosts: ['a.example.'] }, 'expected a host name'],
    [{ hosts: [] }, '>=1'],
    [{ addresses: 'listed' }, 'needs `hosts`'],
    [{ addresses: 'any', resolve: true }, 'nothing to check'],
    [{ schemes: ['file'] }, 'Invalid option'],
    [{ paths: ['v1'] }, 'begins with /'],
    [{ paths: ['/a/**/b'] }, 'at most one'],
    [{ paths: ['/a/../b'] }, 'no empty segments'],
    [{ paths: ['/a%20b'] }, 'decoded'],
    [{ port: 1 }, 'port'],
  ])('does not accept %j', (options, message) => {
    const parsed = urlOptions.safeParse(options);
    expect(parsed.success ? '' : parsed.error.message).toContain(message);
  });
});

describe('url: resolve', () => {
  const lookup = (text: string, options: object = {}) => url({ resolve: true, ...options }).lookup?.(text);

  it('asks nothing unless told to', () => {
    expect(url().lookup).toBeUndefined();
  });

  it('asks for names and not for addresses', () => {
    expect(lookup('https://M\u00fcnchen.example:443/x')).toMatchObject({
      kind: 'addresses',
      host: 'xn--mnchen-3ya.example',
    });
    expect(lookup('https://8.8.8.8/')).toBeUndefined();
    expect(lookup('https://[2606:4700::1]/')).toBeUndefined();
  });

  it.each([
    [['93.184.215.14'], undefined],
    [['93.184.215.14', '2606:4700::1'], undefined],
    [['64:ff9b::5db8:d70e'], undefined],
    [['93.184.215.14', '127.0.0.1'], 'resolves-to-special'],
    [['93.184.215.14', '::1'], 'resolves-to-special'],
    [['169.254.169.254'], 'resolves-to-special'],
    [['::ffff:10.0.0.1'], 'resolves-to-special'],
    [['64:ff9b::a00:1'], 'resolves-to-special'],
    [['fe80::1%eth0'], 'resolves-to-special'],
    [['nonsense'], 'resolves-to-special'],
    [[], 'unresolved'],
    [undefined, 'unresolved'],
  ])('judges the answers %j: %s', (addresses, fault) => {
    const asked = lookup('https://good.example/');
    expect(asked?.kind === 'addresses' && asked.judge(addresses)?.fault).toBe(fault);
  });

  it('lets a listed name be private, and other names be a listed address', () => {
    const options = { addresses: 'listed', hosts: ['db.internal', '**.good.example', '10.0.0.5'] };
    expect(lookup('https://db.internal/', options)).toBeUndefined();
    const asked = lookup('https://a.good.example/', options);
    expect(asked?.kind === 'addresses' && asked.judge(['10.0.0.5'])).toBeUndefined();
    expect(asked?.kind === 'addresses' && asked.judge(['10.0.0.6'])?.fault).toBe('resolves-to-special');
  });
});
