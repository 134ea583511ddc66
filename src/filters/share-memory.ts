import type { FilterDeps } from './deps.ts';
import type { Outstanding } from './outstanding.ts';
import { createSharedHolds, type SharedHolds } from './shared-holds.ts';
import { createSharedQuestions, type SharedQuestions } from './shared-questions.ts';
import { type SharedRequests, shareRequests } from './shared-requests.ts';
import { type SharedTasks, shareTasks } from './shared-tasks.ts';
import type { TaskBook } from './task-book.ts';

/** What several processes of one gateway remember together. */
export interface SharedMemory {
  readonly questions: SharedQuestions;
  readonly requests: SharedRequests;
  readonly tasks: SharedTasks;
  readonly holds: SharedHolds;
}

/** @returns undefined where one process serves alone: it asks nobody, and nothing of this costs it anything */
export function shareMemory(
  { state, options, now, monotonic }: FilterDeps,
  outstanding: Outstanding,
  tasks: TaskBook,
): SharedMemory | undefined {
  if (state?.shared !== true) return undefined;
  return {
    questions: createSharedQuestions(state, options.memory.questionAge),
    requests: shareRequests(outstanding, state, options.memory.lateAnswers),
    tasks: shareTasks(tasks, state, options.handles.taskAge),
    holds: createSharedHolds(state, { now, monotonic }),
  };
}
