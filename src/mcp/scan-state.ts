/** One message of a body. */
export interface MessageSpan {
  readonly start: number;
  end: number;
  /** The text of the value of the message's own `id` key; both -1 where it has none or it is no scalar. */
  idStart: number;
  idEnd: number;
}

/** Where a scan stands. */
export interface Walk {
  readonly messages: MessageSpan[];
  message: MessageSpan | undefined;
  messageDepth: number;
  batch: boolean;
  exact: boolean;
  position: number;
  /** Where the string at `position` goes on; -1 where it was not begun. */
  resumeAt: number;
  depth: number;
  nodes: number;
  kind: number;
  expectKey: boolean;
  idNext: boolean;
  kinds: Uint8Array;
  counts: Int32Array;
}

/** At the beginning. */
export function createWalk(): Walk {
  return {
    messages: [],
    message: undefined,
    messageDepth: 1,
    batch: false,
    exact: false,
    position: 0,
    resumeAt: -1,
    depth: 0,
    nodes: 0,
    kind: 0,
    expectKey: false,
    idNext: false,
    kinds: none8,
    counts: none32,
  };
}

const none8 = new Uint8Array();
const none32 = new Int32Array();
