import type { Frame } from '../mcp/frame.ts';
import { methodRow, targetsOf } from '../mcp/methods.ts';
import { addFinding, type Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, type Verdict } from '../pipeline/filter.ts';
import { scanArguments } from '../signatures/scan.ts';
import type { Signature } from '../signatures/signatures.ts';

/** Notes what looks like an attack in the arguments of tool calls. Alerts only: it refuses nothing. */
export function signatures(wanted: readonly Signature[]): Filter {
  return {
    name: 'signatures',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      if (wanted.length === 0 || frame.kind !== 'request') return pass;
      const row = methodRow(frame.method, exchange.revision, 'toUpstream', 'request');
      if (row === undefined || !row.targets.includes('tool')) return pass;
      const targets = targetsOf(row, frame.params);
      if (!targets.ok) return pass;
      for (const target of targets.value) {
        if (target.arguments === undefined) continue;
        for (const { signature, path } of scanArguments(target.arguments, wanted)) {
          addFinding(exchange, {
            check: 'signatures',
            effect: 'alert',
            rule: `signatures.${signature.name}`,
            path,
            detail: signature.class,
          });
        }
      }
      return pass;
    },
  };
}
