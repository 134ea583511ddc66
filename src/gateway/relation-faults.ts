import type { Log } from '../observe/log.ts';
import type { CatalogTool } from '../pipeline/catalog.ts';
import { argumentRulesAbout } from '../policy/content.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import { own } from '../values/json.ts';

/** Warnings that are remembered, so that each is given once. When full, all may be given once more. */
const mostTold = 10_000;

/** Tells of relations that can hold for no call, since the tool's schema has no such argument or another type. */
export interface RelationFaults {
  /** To be called where a tool was learnt, or a policy took force. Cheap where everything was told already. */
  check(policy: CompiledPolicy, upstream: string, tool: CatalogTool): void;
}

export function createRelationFaults(log: Pick<Log, 'warn'>): RelationFaults {
  const told = new Set<string>();
  return {
    check(policy, upstream, { name, definition }) {
      for (const rule of argumentRulesAbout(policy, upstream, name)) {
        for (const fault of rule.relationFaults(own(definition, 'inputSchema') ?? null)) {
          const key = JSON.stringify([policy.hash, rule.id, upstream, name, fault]);
          if (told.has(key)) continue;
          if (told.size >= mostTold) told.clear();
          told.add(key);
          log.warn('a relation does not fit the schema of a tool', {
            rule: rule.id,
            location: rule.location,
            upstream,
            tool: name,
            fault,
          });
        }
      }
    },
  };
}
