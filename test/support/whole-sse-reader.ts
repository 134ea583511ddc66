/**
 * A second reading of WHATWG HTML 9.2.6: takes the whole stream as one text and splits it. Independent of the
 * gateway's reader, which works on bytes as they come.
 */
export interface WholeSseEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
  readonly retry: number | undefined;
}

export function readWholeStream(text: string): readonly WholeSseEvent[] {
  const events: WholeSseEvent[] = [];
  const lines = (text.startsWith('\uFEFF') ? text.slice(1) : text).split(/\r\n|\n|\r/);
  // What follows the last line end is no line.
  lines.pop();
  let data: string[] = [];
  let event = '';
  let id: string | undefined;
  let retry: number | undefined;
  for (const line of lines) {
    if (line === '') {
      if (data.length > 0) {
        events.push({ event: event || 'message', data: data.join('\n'), id, retry });
        id = undefined;
        retry = undefined;
      }
      data = [];
      event = '';
      continue;
    }
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'data') data.push(value);
    else if (name === 'event') event = value;
    else if (name === 'id' && !value.includes('\0')) id = value;
    else if (name === 'retry' && /^[0-9]{1,15}$/.test(value)) retry = Math.min(Number(value), 86_400_000);
  }
  return events;
}
