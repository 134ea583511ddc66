/** Prints the microseconds of CPU of one call and its answer, decoding included: `full` or `bare`, which call, rounds. */
import { endAll, runToClient, runToUpstream } from '../../src/pipeline/run.ts';
import { median } from '../table.ts';
import { calls, createAnswer, createExchange } from './calls.ts';
import { createBenchGate } from './gate.ts';
import { cpu, gone, idOf, sealedSession } from './steps.ts';

const [which, index, rounds] = process.argv[2]!.split(' ');
const call = calls[Number(index)]!;
const gate = await createBenchGate(which === 'full');
const sessionId = sealedSession(gate, call);
/** The engine is not done with such a path before some tens of thousands of calls. */
const warmUp = 7;
const callsPerRound = 5000;

const samples: number[] = [];
for (let round = -warmUp; round < Number(rounds); round += 1) {
  const start = cpu();
  for (let done = 0; done < callsPerRound; done += 1) {
    const exchange = createExchange(call, gate, sessionId);
    const up = runToUpstream(gate.filters, exchange.request, exchange);
    const sent = gone(up instanceof Promise ? await up : up);
    const down = runToClient(gate.filters, createAnswer(idOf(sent), call.revision), exchange);
    const told = gone(down instanceof Promise ? await down : down);
    if (idOf(told) !== idOf(exchange.request)) throw new Error('not the answer to this call');
    endAll(gate.filters, exchange);
  }
  if (round >= 0) samples.push((cpu() - start) / callsPerRound);
}
console.log(median(samples));
