import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { run } from './run-command.ts';

describe('help', () => {
  it('knows these commands', () => {
    expect([...commands.keys()]).toEqual([
      'run',
      'check',
      'test',
      'explain',
      'diff',
      'learn',
      'scaffold',
      'pin',
      'roles',
      'approve',
      'keys',
      'blocks',
      'generate-certs',
      'healthcheck',
    ]);
  });

  for (const name of commands.keys()) {
    it(`of ${name} says what it does, with three examples, and exits with 0`, async () => {
      for (const flag of ['--help', '-h']) {
        const { code, stdout, stderr } = await run([name, flag]);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(stdout).toContain(`Usage: sallyport ${name}`);
        const examples = stdout.slice(stdout.indexOf('Examples:')).match(/^ {2}.*\bsallyport /gm);
        expect(examples).toHaveLength(3);
      }
    });

    it(`of ${name} follows an option that it does not know, and exits with 2`, async () => {
      const { code, stdout, stderr } = await run([name, '--no-such-option']);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/Unknown option '--no-such-option'/);
      expect(stderr).toContain(`Usage: sallyport ${name}`);
    });
  }

  it('lists every command', async () => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { code, stdout } = await run(args);
      expect(code).toBe(0);
      for (const [name, load] of commands) {
        const { summary } = await load();
        expect(stdout).toContain(`${name.padEnd(16)}${summary}`);
      }
    }
  });

  it('comes with exit code 2 where the command is unknown or missing', async () => {
    for (const name of ['frobnicate', 'constructor', '__proto__', '']) {
      expect(await run([name])).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining(`There is no command ${JSON.stringify(name)}`),
      });
    }
    expect(await run([])).toMatchObject({ code: 2, stdout: expect.stringContaining('Usage:') });
  });
});
