import { type Looked, type Once, type SharedState, type StateSpace, stateSpaces } from '../state/contract.ts';
import type { Line } from './line.ts';

/** Longer than the primary ever takes; what waits so long for a pipe of this machine waits for a dead process. */
const timeoutMs = 1000;

/** The state that the primary keeps, for one of its workers. Where the primary does not answer, nobody can be asked. */
export function createIpcState(line: Line): SharedState {
  const ask = (what: string, body: readonly unknown[]): Promise<unknown> => line.ask(what, body, timeoutMs);
  return {
    shared: true,
    once: (space, key, ttlMs) =>
      ask('state.once', [space, key, ttlMs]).then(
        (answer) => answer as Once,
        () => 'full',
      ),
    put: (space, key, value, ttlMs) =>
      ask('state.put', [space, key, value, ttlMs]).then(
        (answer) => answer === true,
        () => false,
      ),
    get: (space, key) =>
      ask('state.get', [space, key]).then(
        (answer) => answer as string | undefined,
        () => undefined,
      ),
    look: (space, key) =>
      ask('state.look', [space, key]).then(
        (answer) => answer as Looked,
        () => 'lost',
      ),
    take: (space, key) =>
      ask('state.take', [space, key]).then(
        (answer) => answer as string | undefined,
        () => undefined,
      ),
    forget: (space, key) => line.tell('state.forget', [space, key]),
    close: () => undefined,
  };
}

/**
 * The primary's side.
 *
 * @returns undefined for questions that are about something else
 * @throws TypeError where the question is of another shape: what is kept is bounded in the units of its keys and values
 */
export function answerStateQuestion(
  state: SharedState,
  what: string,
  body: unknown,
): { readonly answer: unknown } | undefined {
  if (!what.startsWith('state.')) return undefined;
  const [space, key, third, fourth] = Array.isArray(body) ? (body as readonly unknown[]) : [];
  if (!isSpace(space) || typeof key !== 'string') throw new TypeError(`${what} of nothing`);
  switch (what) {
    case 'state.once':
      return { answer: state.once(space, key, span(third)) };
    case 'state.put':
      if (typeof third !== 'string') throw new TypeError('a value that is no text');
      return { answer: state.put(space, key, third, span(fourth)) };
    case 'state.get':
      return { answer: state.get(space, key) };
    case 'state.look':
      return { answer: state.look(space, key) };
    case 'state.take':
      return { answer: state.take(space, key) };
    case 'state.forget':
      return { answer: state.forget(space, key) };
    default:
      return undefined;
  }
}

function isSpace(value: unknown): value is StateSpace {
  return (stateSpaces as readonly unknown[]).includes(value);
}

function span(value: unknown): number {
  if (typeof value !== 'number' || Number.isNaN(value)) throw new TypeError('a time that is no number');
  return value;
}
