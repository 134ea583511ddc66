import type { Config } from '../config/schema.ts';
import { type AdminDependencies, createAdmin } from '../listener/admin.ts';
import { type ControlCommands, createControl } from '../listener/control.ts';
import type { Surroundings } from './surroundings.ts';

/** Where operators ask: the admin port, and the control socket where one is configured. */
export interface OperatorPorts {
  readonly adminUrl: string;
  close(): Promise<void>;
}

/** A worker has none: its primary asks it. @throws Error where an address is taken */
export async function openOperatorPorts(
  config: Config,
  around: Pick<Surroundings, 'adminUrl'> | undefined,
  deps: { readonly admin: AdminDependencies; readonly control: ControlCommands },
): Promise<OperatorPorts> {
  if (around !== undefined) return { adminUrl: around.adminUrl, close: () => Promise.resolve() };
  const admin = await createAdmin(config.admin, deps.admin);
  let control: Awaited<ReturnType<typeof createControl>> | undefined;
  try {
    control = config.control && (await createControl(config.control, deps.control));
  } catch (error) {
    await admin.close();
    throw error;
  }
  return {
    adminUrl: admin.address.url,
    async close() {
      await control?.close();
      await admin.close();
    },
  };
}
