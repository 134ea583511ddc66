/** What was found in one message: never a value. */
export interface ResultFinding {
  readonly effect: 'redacted' | 'stripped' | 'rewritten' | 'alert';
  readonly rule: string | undefined;
  readonly path: string;
  readonly detail: string;
  readonly count: number;
}

export interface ResultRefusal {
  readonly rule: string;
  readonly path: string;
  /** One stable word. */
  readonly detail: string;
}

type PathPart = string | number;

const none: readonly ResultFinding[] = Object.freeze([]);

/** Values looked at between two places to stop: less than a millisecond. */
const valuesPerStep = 256;

const longestPath = 200;
const longestKey = 48;

/** Gathers what is found on the way through one message, and where. */
export class Report {
  refusal: ResultRefusal | undefined;
  /** Made with the first: most messages have none. */
  #findings: Map<string, { -readonly [K in keyof ResultFinding]: ResultFinding[K] }> | undefined;
  readonly #path: PathPart[] = [];
  #work = 0;
  /** Set while what is read must stay as it is: finds are alerts. */
  frozen = false;

  /** Whether so much was looked at that others should have their turn. */
  isLong(): boolean {
    if (this.#work < valuesPerStep) return false;
    this.#work = 0;
    return true;
  }

  /** Counts work that costs as much as so many values. */
  worked(values: number): void {
    this.#work += values;
  }

  enter(part: PathPart): void {
    this.#work += 1;
    this.#path.push(part);
  }

  leave(): void {
    this.#path.pop();
  }

  /** The first refusal stays: one suffices. */
  refuse(rule: string, detail: string): void {
    this.refusal ??= { rule, detail, path: this.#where() };
  }

  add(effect: ResultFinding['effect'], rule: string | undefined, detail: string, count = 1): void {
    const told = this.frozen ? 'alert' : effect;
    const key = `${told} ${detail} ${rule}`;
    this.#findings ??= new Map();
    const known = this.#findings.get(key);
    if (known !== undefined) known.count += count;
    else this.#findings.set(key, { effect: told, rule, path: this.#where(), detail, count });
  }

  get findings(): readonly ResultFinding[] {
    return this.#findings === undefined ? none : [...this.#findings.values()];
  }

  /** `content[2].text`. Keys that are not plain words come from data, which may be secret: they are not told. */
  #where(): string {
    let text = '';
    for (const part of this.#path) {
      if (typeof part === 'number') text += `[${part}]`;
      else {
        const known = /^[A-Za-z_][A-Za-z_]*$/.test(part) && part.length <= longestKey ? part : '*';
        text += text === '' ? known : `.${known}`;
      }
      if (text.length > longestPath) return `${text.slice(0, longestPath)}...`;
    }
    return text;
  }
}
