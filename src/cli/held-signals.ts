const names = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
const held = new Set<NodeJS.Signals>();

/**
 * Keeps signals for whoever acts upon them once all is loaded. Called before anything else is: without a handler SIGHUP
 * ends a process, and one that is the first of its container gets no signal at all.
 *
 * A second one that says to stop ends the process. A worker is told by its primary, and its own signals mean nothing.
 */
export function holdSignals(): void {
  for (const name of names) process.on(name, hold);
}

function hold(signal: NodeJS.Signals): void {
  const stops = signal !== 'SIGHUP';
  if (stops && process.send === undefined && (held.has('SIGTERM') || held.has('SIGINT'))) process.exit(1);
  held.add(signal);
}

/** Holds no more. Call it once handlers are there. @returns what came, oldest first */
export function releaseSignals(): readonly NodeJS.Signals[] {
  for (const name of names) process.off(name, hold);
  const came = [...held];
  held.clear();
  return came;
}
