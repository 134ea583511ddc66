import { expect, it } from 'vitest';
import { createRelationFaults } from '../../src/gateway/relation-faults.ts';
import type { CatalogTool } from '../../src/pipeline/catalog.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import type { CompiledPolicy } from '../../src/policy/model.ts';

function compiled(relation: string): CompiledPolicy {
  const text = `
version: 1
arguments:
  - match: { tools: [send], upstreams: [mail] }
    relations: ["${relation}"]
`;
  const result = compilePolicy([{ file: 'policy.yaml', text }]);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.policy;
}

const tool = (properties: Readonly<Record<string, { type: string }>>): CatalogTool => ({
  name: 'send',
  mirroredArguments: undefined,
  definition: { name: 'send', inputSchema: { type: 'object', properties } },
});

it.each([
  ["args.to == 'a'", { to: { type: 'string' } }, undefined],
  ["args.to == 'a'", { recipient: { type: 'string' } }, 'args.to is not in the schema'],
  ["args.to.endsWith('a')", { to: { type: 'integer' } }, 'relations[0]: '],
])('%s over %j warns once for each policy: %s', (relation, properties, fault) => {
  const told: unknown[] = [];
  const faults = createRelationFaults({ warn: (_, fields) => void told.push(fields) });
  const policy = compiled(relation);
  for (let round = 0; round < 3; round += 1) faults.check(policy, 'mail', tool(properties));
  faults.check(policy, 'chat', tool(properties));
  expect(told).toEqual(
    fault === undefined
      ? []
      : [
          expect.objectContaining({
            upstream: 'mail',
            tool: 'send',
            location: 'policy.yaml:4',
            fault: expect.stringContaining(fault),
          }),
        ],
  );
});
