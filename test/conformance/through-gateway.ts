/**
 * The `--command` of the client scenarios: starts the gateway in front of the harness and plays the scenario
 * against the gateway. The harness then judges what came through.
 */

import { playScenario, scenarioFromEnvironment } from './reference-client.ts';
import { startTarget } from './target.ts';

const harness = process.argv.at(-1);
if (harness === undefined) throw new Error('The URL of the harness is missing');
const target = await startTarget(harness, { direct: process.argv.includes('--direct') });
try {
  await playScenario(target.url, scenarioFromEnvironment(process.env));
} finally {
  await target.close();
}
