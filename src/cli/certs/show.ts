import { stat } from 'node:fs/promises';
import { type Command, exitCodes, jsonLines } from '../command.ts';
import { readWithin } from './arguments.ts';
import { readCa } from './ca-folder.ts';
import { findIssued } from './ca-index.ts';
import { answering, RefusedError, toMessage, UsageError } from './problems.ts';
import { placeOption, readPlace } from './shared.ts';
import { type Clock, needsCare, type Standing, standingsInFile, standingsOf } from './standing.ts';

const help = `Shows certificates and revocation lists: names, kinds, when they expire, what is revoked or replaced.

Usage: sallyport generate-certs show [FILE | NAME] [options]

  FILE              a file in PEM, with certificates and lists of any CA
  NAME              what the index calls so, or a serial; without FILE and NAME: all
  --within N        what expires within N days is about to expire (default: 14d)
  --all             also what is revoked, and what newer certificates have replaced
  --json            a list of objects
  --out DIR         the folder of init (default: certs)

Exit code 0 all of it holds, 1 something has expired or is about to, or there is no such thing, 2 wrong arguments.

Examples:
  sallyport generate-certs show
  sallyport generate-certs show --within 30d --json
  sallyport generate-certs show /etc/sallyport/tls/tls.crt
`;

export const showCommand: Command = {
  summary: 'show certificates and when they expire',
  help,
  options: {
    ...placeOption,
    within: { type: 'string' },
    all: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  run: (values, positionals, io) =>
    answering('generate-certs show', io, async () => {
      const [wanted, ...others] = positionals;
      if (others.length > 0) throw new UsageError('one file or name at a time');
      // 14, because lists live 30 days and must not be about to expire all the time.
      const clock = { now: Date.now(), within: readWithin(values, 14) };
      const found = await look(readPlace(values).directory, wanted, clock);
      const everything = values['all'] === true || wanted !== undefined;
      const shown = everything
        ? found
        : found.filter(({ state }) => state !== 'superseded' && state !== 'revoked');
      io.stdout(values['json'] === true ? jsonLines(shown) : toTable(shown));
      const due = shown.filter(needsCare);
      for (const { kind, name, state, daysLeft } of due)
        io.stderr(
          `warning: ${kind} ${visible(name)} ${state === 'expired' ? 'has expired' : `expires in ${daysLeft} days`}\n`,
        );
      return due.length === 0 ? exitCodes.ok : exitCodes.no;
    }),
};

async function look(
  directory: string,
  wanted: string | undefined,
  clock: Clock,
): Promise<readonly Standing[]> {
  if (wanted !== undefined && (await isFile(wanted))) {
    let found: readonly Standing[];
    try {
      found = await standingsInFile(wanted, clock);
    } catch (error) {
      throw new RefusedError(`${wanted}: ${toMessage(error)}`);
    }
    if (found.length === 0) throw new RefusedError(`${wanted}: no certificate and no list in PEM in it`);
    return found;
  }
  const ca = await readCa(directory);
  const all = await standingsOf(ca, clock);
  if (wanted === undefined) return all;
  const serials = new Set(findIssued(ca.index, wanted).map(({ serial }) => serial));
  if (serials.size === 0) throw new RefusedError(`there is no certificate ${JSON.stringify(wanted)}`);
  return all.filter(({ serial }) => serial !== undefined && serials.has(serial));
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function toTable(standings: readonly Standing[]): string {
  const rows = standings.map((one) => [
    one.kind,
    one.name,
    one.state === 'revoked' ? `revoked ${one.revokedAt!.slice(0, 10)} (${one.reason})` : one.state,
    `${one.notAfter.slice(0, 10)} (${one.daysLeft} d)`,
    one.serial ?? '-',
    one.names.join(', '),
  ]);
  const head = ['KIND', 'NAME', 'STATE', 'UNTIL', 'SERIAL', 'NAMES'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  // Names of foreign certificates could hold anything that a terminal obeys.
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => visible(cell).padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

function visible(text: string): string {
  return text.replaceAll(/[^\x20-\x7e\p{L}\p{N}]/gu, '?');
}
