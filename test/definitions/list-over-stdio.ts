/**
 * Starts a real MCP server over stdio and prints the hashes of what it offers, as one JSON object.
 *
 * `node test/definitions/list-over-stdio.ts COMMAND [ARGUMENT]...`
 */

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { z } from 'zod';
import { hashOf } from '../../src/pins/canonical.ts';
import { formatLock } from '../../src/pins/format-lock.ts';
import { seenTools } from '../../src/pins/seen-tools.ts';
import type { JsonObject } from '../../src/values/json.ts';
import { lockOf } from './support.ts';

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: 'hash', version: '1.0.0' });
await client.connect(new StdioClientTransport({ command: command!, args, stderr: 'ignore' }));
// Without the SDK's schema: it would drop members that it does not know.
const result = await client.request({ method: 'tools/list' }, z.looseObject({}));
const tools = seenTools(result as JsonObject);
await client.close();
const hashes = Object.fromEntries(tools.map(({ name, definition }) => [name, hashOf(definition)]));
const lock = formatLock(lockOf({ real: tools.map(({ definition }) => definition) }));
process.stdout.write(JSON.stringify({ hashes, lock }));
