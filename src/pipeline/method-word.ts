import type { Frame } from '../mcp/frame.ts';

/** The word for what a frame asks: its method, or `stream-open`, `session-end`, `response` where it has none. */
export function methodWord(frame: Frame): string {
  switch (frame.kind) {
    case 'request':
    case 'notification':
      return frame.method;
    case 'result':
    case 'error':
      return 'response';
    default:
      return frame.kind;
  }
}
