import { readIfThere } from '../config/replace-file.ts';
import type { ApiKeyEntry } from '../identity/api-key-file.ts';
import { exitCodes } from './command.ts';
import { isExpired, type KeyTask } from './key-actions.ts';
import { keysOf, UnfitFile } from './key-edits.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** Shows who has a key, and never its hash. Expired ones are warned of: they are only there to be taken out. */
export async function listKeys({ file, io, json, now }: KeyTask): Promise<number> {
  let keys: readonly ApiKeyEntry[];
  try {
    keys = keysOf({ file, text: await readIfThere(file) });
  } catch (error) {
    if (!(error instanceof UnfitFile)) throw error;
    io.stderr(`${error.message}\n`);
    return exitCodes.configuration;
  }
  if (json) {
    for (const { hash: _, ...entry } of keys) {
      io.stdout(`${JSON.stringify({ ...entry, expired: isExpired({ hash: '', ...entry }, now) })}\n`);
    }
  } else {
    const rows = keys.map((entry) => [
      entry.name,
      `spk_${entry.prefix}`,
      entry.createdAt === undefined ? '-' : span(now - Date.parse(entry.createdAt)),
      expiry(entry, now),
      entry.roles?.join(', ') ?? '-',
    ]);
    if (rows.length > 0) io.stdout(table([['NAME', 'PREFIX', 'AGE', 'EXPIRES', 'ROLES'], ...rows]));
  }
  for (const entry of keys.filter((each) => isExpired(each, now))) {
    io.stderr(
      `warning: ${entry.name} spk_${entry.prefix} has expired: \`sallyport keys revoke spk_${entry.prefix}\`\n`,
    );
  }
  return exitCodes.ok;
}

function expiry(entry: ApiKeyEntry, now: number): string {
  if (entry.expiresAt === undefined) return 'never';
  return isExpired(entry, now) ? 'expired' : `in ${span(Date.parse(entry.expiresAt) - now)}`;
}

/** Two days and more in days, less in hours. A clock that was set back gives no age below zero. */
function span(ms: number): string {
  const length = Math.max(0, ms);
  if (length >= 2 * dayMs) return `${Math.floor(length / dayMs)}d`;
  return length >= hourMs ? `${Math.floor(length / hourMs)}h` : `${Math.floor(length / 60_000)}m`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
