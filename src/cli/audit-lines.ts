import { createReadStream } from 'node:fs';
import { isJsonObject, type JsonObject, type JsonValue } from '../values/json.ts';

/** 2 MiB: `audit.maxRecordBytes` is half of it at most. */
const longestLine = 2 * 1024 * 1024;

/**
 * Reads the records of an audit file in bounded memory, whatever is in it. A line ends at a line feed and nowhere else:
 * other characters that some readers take for an end stand in names of strangers. What is no JSON object, a torn line
 * after a crash for one, is passed over, and so is a line that is longer than any record.
 *
 * @throws Error of the file system
 */
export async function* readAuditLines(
  file: string,
  longest: number = longestLine,
): AsyncGenerator<JsonObject> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      const last = chunk.subarray(from, end);
      from = end + 1;
      const whole = length + last.length <= longest ? Buffer.concat([...pieces, last]) : undefined;
      [pieces, length] = [[], 0];
      const record = whole === undefined ? undefined : parse(whole);
      if (record !== undefined) yield record;
    }
    const rest = chunk.subarray(from);
    length += rest.length;
    if (length > longest) pieces = [];
    else pieces.push(rest);
  }
  const record = length <= longest ? parse(Buffer.concat(pieces)) : undefined;
  if (record !== undefined) yield record;
}

function parse(line: Buffer): JsonObject | undefined {
  try {
    const value = JSON.parse(line.toString('utf8')) as JsonValue;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
