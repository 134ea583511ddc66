import { amountFromArguments } from '../amount.ts';
import { type Lint, warn } from './warning.ts';

/** An amount that nothing but arguments tell, of targets that have none: every such call would be refused. */
export const untoldAmounts: Lint = function* (files) {
  for (const file of files) {
    for (const [index, { match, cost, sum }] of file.document.limits.entries()) {
      const { tools, prompts, resources, methods } = match;
      const alwaysHasArguments =
        (tools ?? prompts) !== undefined && resources === undefined && methods === undefined;
      if (alwaysHasArguments) continue;
      const amounts = { cost: typeof cost === 'string' ? cost : undefined, sum: sum?.amount };
      for (const [key, text] of Object.entries(amounts)) {
        if (text === undefined) continue;
        const untold = amountFromArguments(text, 0).measure({ args: undefined, tool: '' });
        if (untold !== undefined) continue;
        const message =
          'reads arguments, and the limit counts what has none: all of it is refused. Name tools or prompts only, or ' +
          'ask with has()';
        yield warn(file, ['limits', index, key], 'arguments-impossible', message);
      }
    }
  }
};
