import { type ClientTasks, createClientTasks } from './client-tasks.ts';
import { type CursorHandles, createCursorHandles } from './cursor-handles.ts';
import type { HandleOptions } from './options.ts';
import type { Outstanding } from './outstanding.ts';
import { createSealer } from './seal.ts';
import type { TaskBook } from './task-book.ts';
import { createTaskHandles, type TaskHandles } from './task-handles.ts';
import { createTaskQuestions, type TaskQuestions } from './task-questions.ts';

/** What seals and opens the handles of both sides. */
export interface HandleKit {
  readonly outstanding: Outstanding;
  readonly book: TaskBook;
  readonly tasks: TaskHandles;
  readonly questions: TaskQuestions;
  readonly clientTasks: ClientTasks;
  readonly cursors: CursorHandles;
}

export interface HandleDeps {
  readonly keys: readonly Buffer[];
  readonly options: HandleOptions;
  readonly outstanding: Outstanding;
  readonly book: TaskBook;
  /** Milliseconds since the epoch. */
  now(): number;
}

export function createHandleKit({ keys, options, outstanding, book, now }: HandleDeps): HandleKit {
  return {
    outstanding,
    book,
    tasks: createTaskHandles(createSealer(keys, 'task-id'), options.taskAge, now),
    questions: createTaskQuestions(createSealer(keys, 'task-question')),
    clientTasks: createClientTasks(createSealer(keys, 'client-task')),
    cursors: createCursorHandles(createSealer(keys, 'cursor'), options.cursorAge, now),
  };
}

/** Within what the key of a task's question means something. */
export function questionScope(owner: string, upstreamId: string): string {
  return JSON.stringify([owner, upstreamId]);
}
