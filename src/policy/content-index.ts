import { mapInTime } from './in-time.ts';
import type { ContentIndex, ContentRow, InTime, Role, Scope } from './model.ts';
import { addToScopeIndex, createScopeIndex } from './scope.ts';

/** Gathers the rules of one section by what they match. */
export class ContentIndexBuilder<T> {
  readonly #index = createScopeIndex<ContentRow<T>>();
  #count = 0;

  add(scope: Scope, roles: ReadonlySet<Role> | undefined, rule: InTime<T>): void {
    const { upstreams } = scope;
    const alone = mapInTime(rule, (one) => [one]);
    const row: ContentRow<T> = { alone, order: this.#count++, upstreams, roles };
    addToScopeIndex(this.#index, scope, row);
  }

  finish(): ContentIndex<T> {
    return { count: this.#count, index: this.#index };
  }
}
