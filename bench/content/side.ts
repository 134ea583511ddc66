import type { JsonValue } from '../../src/values/json.ts';
import type { Members } from './members.ts';

/** Which of the two a row is. */
export type Side = 'attack' | 'honest';

const words: ReadonlyMap<string, Side> = new Map([
  ...[
    'attack',
    'attacks',
    'malicious',
    'malware',
    'adversarial',
    'exploit',
    'unsafe',
    'harmful',
    'bad',
    'evil',
    'anomalous',
    'anomaly',
    'anom',
    'refuse',
    'refused',
    'reject',
    'deny',
    'denied',
    'block',
    'blocked',
    'positive',
    'truepositive',
    'tp',
    'vulnerable',
    'jailbreak',
    'poisoned',
    'label1',
  ].map((word) => [word, 'attack'] as const),
  ...[
    'benign',
    'honest',
    'safe',
    'legit',
    'legitimate',
    'normal',
    'norm',
    'clean',
    'harmless',
    'good',
    'valid',
    'allow',
    'allowed',
    'pass',
    'accept',
    'accepted',
    'permit',
    'ok',
    'negative',
    'falsepositive',
    'fp',
    'label0',
  ].map((word) => [word, 'honest'] as const),
]);

/** Words that say a side also where they stand among others: `benign_sql`, `ssrf-attack`. */
const plainWords = /^(?:attacks?|malicious|adversarial|benign|honest|legit|legitimate|normal|harmless|safe)$/;

/** Members that are a side as a word, and as 1 or true for attacks where `counts`. */
const labels: readonly (readonly [name: string, counts: boolean])[] = [
  ['label', true],
  ['labels', true],
  ['groundtruth', true],
  ['goldlabel', true],
  ['gold', true],
  ['y', true],
  ['target', true],
  ['truth', false],
  ['expected', false],
  ['expect', false],
  ['expectation', false],
  ['expectedverdict', false],
  ['expectedoutcome', false],
  ['expectedresult', false],
  ['expectedaction', false],
  ['expecteddecision', false],
  ['expectedlabel', true],
  ['shouldbe', false],
  ['verdict', false],
  ['decision', false],
  ['side', false],
  ['polarity', false],
  ['classification', false],
  ['split', false],
  ['set', false],
  ['intent', false],
];

/** Members that are true, 1 or yes for one side. */
const flags: readonly (readonly [name: string, side: Side])[] = [
  ...[
    'attack',
    'isattack',
    'malicious',
    'ismalicious',
    'isinjection',
    'isharmful',
    'unsafe',
    'isunsafe',
    'isadversarial',
    'isanomaly',
    'shouldblock',
    'shouldrefuse',
    'shouldreject',
    'shoulddeny',
    'mustblock',
    'mustrefuse',
  ].map((name) => [name, 'attack'] as const),
  ...[
    'benign',
    'isbenign',
    'honest',
    'ishonest',
    'safe',
    'issafe',
    'legitimate',
    'islegitimate',
    'shouldallow',
    'shouldpass',
    'mustallow',
    'mustpass',
  ].map((name) => [name, 'honest'] as const),
];

/** Members that name a class, and at times a side with it or instead. */
const classes = ['class', 'category', 'label', 'type', 'kind', 'attack', 'attacktype', 'source', 'dataset'];

/**
 * Says which side a row is on by what it says of itself.
 *
 * @returns undefined where it says nothing; `contradiction` where it says both
 */
export function sideOf(members: Members): Side | 'contradiction' | undefined {
  const found = new Set<Side>();
  for (const [name, counts] of labels) {
    const value = members.get(name);
    const side = value === undefined ? undefined : (wordOf(value) ?? (counts ? countOf(value) : undefined));
    if (side !== undefined) found.add(side);
  }
  for (const [name, side] of flags) {
    const is = truthOf(members.get(name));
    if (is !== undefined) found.add(is ? side : other(side));
  }
  if (found.size === 0) {
    for (const name of classes) {
      const value = members.get(name);
      const side = typeof value === 'string' ? withinOf(value) : undefined;
      if (side !== undefined) return side;
    }
  }
  return found.size > 1 ? 'contradiction' : [...found][0];
}

/** What remains of the name of a class without the word that says its side: `sql` of `benign_sql`. */
export function withoutSide(name: string): string {
  const left = name.split(/[^A-Za-z0-9]+/).filter((word) => !plainWords.test(word.toLowerCase()));
  return left.length === 0 || left.join('').length === name.replace(/[^A-Za-z0-9]/g, '').length
    ? name
    : left.join('-');
}

/** Whether a text is nothing but a side. */
export function isSideWord(text: string): boolean {
  return (
    words.has(text.toLowerCase().replace(/[^a-z0-9]/g, '')) || /^(?:none|0|1|true|false|yes|no)$/i.test(text)
  );
}

function wordOf(value: JsonValue): Side | undefined {
  if (typeof value !== 'string') return undefined;
  return words.get(value.toLowerCase().replace(/[^a-z0-9]/g, '')) ?? withinOf(value);
}

function withinOf(text: string): Side | undefined {
  if (text.length > 64) return undefined;
  const sides = text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => plainWords.test(word))
    .map((word) => words.get(word)!);
  return new Set(sides).size === 1 ? sides[0] : undefined;
}

function countOf(value: JsonValue): Side | undefined {
  const is = truthOf(value);
  return is === undefined ? undefined : is ? 'attack' : 'honest';
}

function truthOf(value: JsonValue | undefined): boolean | undefined {
  if (value === true || value === 1 || /^(?:1|true|yes)$/i.test(String(value))) return true;
  // `attack: "none"` and `attack: ""`.
  if (value === false || value === 0 || value === '' || /^(?:0|false|no|none)$/i.test(String(value)))
    return false;
  return undefined;
}

function other(side: Side): Side {
  return side === 'attack' ? 'honest' : 'attack';
}
