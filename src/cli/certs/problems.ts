import { type CommandIo, exitCodes } from '../command.ts';

/** The arguments cannot be understood. */
export class UsageError extends Error {}
/** They can, but what they ask for is refused or fails. */
export class RefusedError extends Error {}

/** Turns the two into a line on stderr and an exit code; anything else is a fault of this program. */
export async function answering(
  command: string,
  io: CommandIo,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr(`${command}: ${error.message}\nTry: sallyport ${command} --help\n`);
      return exitCodes.usage;
    }
    // RangeError: names that the CA may not vouch for.
    if (error instanceof RefusedError || error instanceof RangeError) {
      io.stderr(`${command}: ${error.message}\n`);
      return exitCodes.no;
    }
    throw error;
  }
}

export function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
