import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { askControl } from '../../src/cli/control-client.ts';
import { Blocks } from '../../src/listener/blocks.ts';
import { blockKeyOf, createControl } from '../../src/listener/control.ts';
import { blocksOptions } from '../../src/listener/options.ts';
import { afterThisTest, testFolder } from './support.ts';

async function start(socket?: string) {
  const path = socket ?? `${await testFolder()}/control.sock`;
  const list = new Blocks(blocksOptions.parse({ threshold: 1 }));
  const control = await createControl(
    { socket: path },
    {
      list: () => list.list(0),
      release: (address) => (address === undefined ? list.releaseAll(0) : Number(list.release(address, 0))),
    },
  );
  afterThisTest(() => control.close());
  return { path, list, control };
}

describe('the control socket', () => {
  it('lists and releases addresses', async () => {
    const { path, list } = await start();
    for (const key of ['192.0.2.1', '2001:db8:0:0::/64', '192.0.2.3']) list.note(key, 'malformed', 0);
    const listed = (await askControl(path, 'GET', '/blocks')).value as { blocks: { address: string }[] };
    expect(listed.blocks.map(({ address }) => address)).toEqual([
      '192.0.2.1',
      '2001:db8:0:0::/64',
      '192.0.2.3',
    ]);
    expect(await askControl(path, 'DELETE', '/blocks/192.0.2.1')).toEqual({
      status: 200,
      value: { released: 1 },
    });
    expect((await askControl(path, 'DELETE', '/blocks/192.0.2.1')).value).toEqual({ released: 0 });
    const network = encodeURIComponent('2001:db8:0:0::/64');
    expect((await askControl(path, 'DELETE', `/blocks/${network}`)).value).toEqual({ released: 1 });
    expect((await askControl(path, 'DELETE', '/blocks')).value).toEqual({ released: 1 });
    expect((await askControl(path, 'GET', '/blocks')).value).toEqual({ blocks: [] });
  });

  it('knows nothing else', async () => {
    const { path, list } = await start();
    list.note('192.0.2.1', 'malformed', 0);
    for (const [method, url, status] of [
      ['GET', '/', 404],
      ['GET', '/blocks/192.0.2.1', 404],
      ['GET', '/BLOCKS', 404],
      ['DELETE', '/blocks/', 400],
      ['DELETE', '/blocks/%', 400],
      ['DELETE', '/blocks/192.0.2.1%2F64', 400],
      ['DELETE', '/blocks/all', 400],
    ] as const) {
      expect([url, (await askControl(path, method, url)).status]).toEqual([url, status]);
    }
    expect(list.blockedNow(0)).toBe(1);
  });

  it('may be opened by its owner only, whatever the mask of the process', async () => {
    const before = process.umask(0);
    try {
      const { path } = await start();
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(process.umask()).toBe(0);
    } finally {
      process.umask(before);
    }
  });

  it('goes away with the gateway', async () => {
    const { path, control } = await start();
    await control.close();
    expect(existsSync(path)).toBe(false);
  });

  it('is taken over from a process that died', async () => {
    const path = `${await testFolder()}/control.sock`;
    const program = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await once(spawn(process.execPath, ['-e', program]), 'exit');
    expect(statSync(path).isSocket()).toBe(true);
    await start(path);
    expect((await askControl(path, 'GET', '/blocks')).status).toBe(200);
  });

  it('is not taken from a process that listens', async () => {
    const { path } = await start();
    await expect(start(path)).rejects.toThrow(`${path}: another process listens on this control socket`);
    expect((await askControl(path, 'GET', '/blocks')).status).toBe(200);
    const mute = `${await testFolder()}/mute.sock`;
    const server = createServer(() => {}).listen(mute);
    afterThisTest(async () => server.close());
    await once(server, 'listening');
    await expect(start(mute)).rejects.toThrow('another process listens');
  });

  it('says where its path is longer than the kernel allows, in bytes', async () => {
    const folder = await testFolder();
    for (const path of [`${folder}/${'a'.repeat(108 - folder.length - 1)}`, `${folder}/${'é'.repeat(50)}`]) {
      await expect(start(path)).rejects.toThrow('its whole path may have 107 bytes at most');
    }
    await start(`${folder}/${'a'.repeat(107 - folder.length - 1)}`);
  });

  it('is not led elsewhere by a link that stands at its path', async () => {
    const folder = await testFolder({ victim: 'precious' });
    for (const target of ['victim', 'nowhere']) {
      symlinkSync(`${folder}/${target}`, `${folder}/${target}.sock`);
      await expect(start(`${folder}/${target}.sock`)).rejects.toThrow('something stands there');
    }
    expect(readdirSync(folder)).not.toContain('nowhere');
    expect(statSync(`${folder}/victim`).size).toBe(8);
    // Nor does a link to a socket have that one taken away.
    const { path } = await start();
    symlinkSync(path, `${folder}/link.sock`);
    await expect(start(`${folder}/link.sock`)).rejects.toThrow('something stands there');
    expect((await askControl(path, 'GET', '/blocks')).status).toBe(200);
  });

  it('never replaces a file, and says where no socket can be made', async () => {
    const folder = await testFolder();
    writeFileSync(`${folder}/file`, 'precious');
    await expect(start(`${folder}/file`)).rejects.toThrow('something stands there that is not a socket');
    expect(statSync(`${folder}/file`).size).toBe(8);
    await expect(start(`${folder}/none/c.sock`)).rejects.toThrow(
      /the control socket cannot be made \((ENOENT|EACCES)\): its folder must be there/,
    );
  });
});

it('an operator names an address by any of its spellings, and a block as it is listed', () => {
  for (const [text, key] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:9::', '2001:db8:0:0::/64'],
    ['2001:db8:0:0::/64', '2001:db8:0:0::/64'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['192.0.2.1/64', undefined],
    ['2001:db8::/32', undefined],
    ['localhost', undefined],
    ['', undefined],
    ['/64', undefined],
  ] as const) {
    expect([text, blockKeyOf(text)]).toEqual([text, key]);
  }
});
