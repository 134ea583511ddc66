/**
 * How long one input keeps everybody else waiting: `node bench/stalls.ts [--runs 5] [--only text]`.
 *
 * Each input is as large as the default limits let it be, and goes through a whole gateway with every check switched
 * on. Printed is the longest turn of the event loop, in CPU time of its thread.
 */
import { parseArgs } from 'node:util';
import { answerInputs, requestInputs } from './stalls/inputs.ts';
import { startStallsBench } from './stalls/measure.ts';
import { reloadInputs } from './stalls/reloads.ts';

const { values: flags } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, only: { type: 'string', default: '' } },
});
const bench = await startStallsBench();
for (const input of [...requestInputs, ...answerInputs].filter(({ name }) => name.includes(flags.only))) {
  const { name, longest, reply, requestBytes, answerBytes } = await bench.measure(input, Number(flags.runs));
  const code =
    /"(?:reason|error)":"?([a-z-]+)/.exec(reply.head)?.[1] ??
    (reply.head.includes('"result"') ? 'result' : reply.head.slice(-80));
  console.log(
    `${longest.toFixed(1).padStart(9)} ms  ${name.padEnd(55)} ${(requestBytes / 1e6).toFixed(1)} MB up, ${(answerBytes / 1e6).toFixed(1)} MB down, ${reply.status} ${code}`,
  );
}
for (const input of reloadInputs.filter(({ name }) => name.includes(flags.only))) {
  const { name, longest } = await bench.measureReload(input, Number(flags.runs));
  console.log(`${longest.toFixed(1).padStart(9)} ms  ${name}`);
}
await bench.close();
