/**
 * A map with owners, bounded in all and for each of them. Beyond its own bound an owner loses its oldest entry; beyond
 * the bound of all, the owner that was silent longest loses its oldest: nobody makes another's be forgotten who has not
 * as many callers as it takes to fill the whole.
 */
export class OwnedMap<Value> {
  /** In the order in which owners last set something. */
  readonly #owners = new Map<string, Map<string, Value>>();
  readonly #most: number;
  readonly #mostPerOwner: number;
  #size = 0;

  constructor(most: number, mostPerOwner: number) {
    this.#most = most;
    this.#mostPerOwner = mostPerOwner;
  }

  get size(): number {
    return this.#size;
  }

  get(owner: string, key: string): Value | undefined {
    return this.#owners.get(owner)?.get(key);
  }

  /** Sets what is then the owner's newest. */
  set(owner: string, key: string, value: Value): void {
    const own = this.#owners.get(owner) ?? new Map<string, Value>();
    this.#owners.delete(owner);
    this.#owners.set(owner, own);
    if (!own.delete(key)) this.#size += 1;
    own.set(key, value);
    if (own.size > this.#mostPerOwner) this.#forgetOldest(owner, own);
    if (this.#size <= this.#most) return;
    for (const [silent, theirs] of this.#owners) {
      this.#forgetOldest(silent, theirs);
      return;
    }
  }

  delete(owner: string, key: string): void {
    const own = this.#owners.get(owner);
    if (own?.delete(key) !== true) return;
    this.#size -= 1;
    if (own.size === 0) this.#owners.delete(owner);
  }

  #forgetOldest(owner: string, own: Map<string, Value>): void {
    for (const key of own.keys()) {
      this.delete(owner, key);
      return;
    }
  }
}
