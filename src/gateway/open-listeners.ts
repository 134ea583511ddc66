import type { Config } from '../config/schema.ts';
import type { ListenerDependencies, RunningListener } from '../listener/contract.ts';
import { createListener } from '../listener/listener.ts';
import type { ReloadStep } from './reloader.ts';

/** What all listeners share; routes come from the configuration. */
export type SharedByListeners = Omit<ListenerDependencies, 'routes' | 'allowPlaintext'>;

/**
 * Opens all listeners of the configuration, in its order.
 *
 * @param onOpen told of each as soon as it listens: where a later one fails, it must be closed again
 */
export async function openListeners(
  config: Config,
  shared: SharedByListeners,
  onOpen: (listener: RunningListener) => void,
): Promise<readonly RunningListener[]> {
  const routes = new Map(config.upstreams.map(({ path, name }) => [path, name]));
  const listeners: RunningListener[] = [];
  for (const options of config.listeners) {
    const listener = await createListener(options, {
      ...shared,
      routes,
      allowPlaintext: config.insecure.plaintext,
    });
    onOpen(listener);
    listeners.push(listener);
  }
  return listeners;
}

/** Reads certificates and keys of all listeners again. */
export function tlsReloadSteps(listeners: readonly RunningListener[]): readonly ReloadStep[] {
  return listeners.map((listener, index) => ({
    what: `listener ${index}`,
    read: () => listener.reloadTls(),
  }));
}
