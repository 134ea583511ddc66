import { GrammarMissing, loadGrammar } from '../sql/grammars.ts';

/**
 * Does work that compiles rules, at once or in turns, and does it once more for each grammar of SQL that they turn out to
 * need: judging is synchronous, loading is not.
 *
 * @param compile has no effect but its result
 */
export async function withGrammars<T>(compile: () => T | Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await compile();
    } catch (error) {
      if (!(error instanceof GrammarMissing)) throw error;
      await loadGrammar(error.dialect);
    }
  }
}
