import type { RedactionClass } from '../redaction/span.ts';
import type { CharacterClass } from '../values/characters.ts';
import type { ResultRuleDocument } from './options.ts';

/** Something that a rule asks for, with the rule that is named for it. */
export interface Asked<T> {
  readonly rule: string;
  readonly value: T;
}

/** What the rules about one result ask for together: of several, the strictest. */
export interface ResultPlan {
  readonly maxBytes: Asked<number> | undefined;
  readonly maxItems: Asked<number> | undefined;
  readonly types: readonly Asked<ReadonlySet<string>>[];
  readonly mimeTypes: readonly Asked<readonly string[]>[];
  readonly links: Asked<'policy' | 'allow' | 'refuse'>;
  readonly schemes: readonly Asked<ReadonlySet<string>>[];
  /** Class to the rule that asks for it first. */
  readonly redact: ReadonlyMap<RedactionClass, string>;
  readonly redactClasses: ReadonlySet<RedactionClass>;
  readonly strip: ReadonlyMap<CharacterClass, string>;
  readonly stripClasses: ReadonlySet<CharacterClass>;
  readonly refuse: ReadonlyMap<CharacterClass, string>;
  readonly refuseClasses: ReadonlySet<CharacterClass>;
  readonly escapeHtml: string | undefined;
  readonly label: string | undefined;
  readonly relaysErrors: boolean;
  /** Whether any text may be changed, or refused for what it holds. */
  readonly readsTexts: boolean;
}

const strictness = ['allow', 'policy', 'refuse'] as const;

/**
 * What applies to a message that holds one of the gateway's own secrets, whatever rules say: a server that shows them
 * is not one whose other words are to be trusted with secrets.
 */
export const ownSecretsPlan = (): ResultPlan =>
  createPlan([{ id: 'own-secrets', document: { redact: ['secrets'], links: 'allow' } }]);

export function createPlan(
  rules: readonly { readonly id: string; readonly document: ResultRuleDocument }[],
): ResultPlan {
  const asked = <T>(read: (document: ResultRuleDocument) => T | undefined): Asked<T>[] =>
    rules.flatMap(({ id, document }) => {
      const value = read(document);
      return value === undefined ? [] : [{ rule: id, value }];
    });
  const least = (all: readonly Asked<number>[]): Asked<number> | undefined =>
    all.reduce<Asked<number> | undefined>(
      (least, each) => (least === undefined || each.value < least.value ? each : least),
      undefined,
    );
  const byValue = <T>(all: readonly Asked<readonly T[]>[]): ReadonlyMap<T, string> => {
    const map = new Map<T, string>();
    for (const { rule, value } of all) for (const each of value) if (!map.has(each)) map.set(each, rule);
    return map;
  };
  const first = rules[0]!.id;
  const links = asked(({ links }) => (typeof links === 'object' ? links.judge : links));
  const strictest = links.toSorted((a, b) => strictness.indexOf(b.value) - strictness.indexOf(a.value))[0];
  const redact = byValue(asked(({ redact }) => redact));
  const strip = byValue(asked(({ strip }) => strip));
  const refuse = byValue(asked(({ refuse }) => refuse));
  const errors = asked((document) => document.errors);
  const escapeHtml = asked((document) => document.escapeHtml || undefined)[0]?.rule;
  return {
    maxBytes: least(asked(({ maxBytes }) => maxBytes)),
    maxItems: least(asked(({ maxItems }) => maxItems)),
    types: asked(({ types }) => types && new Set<string>(types)),
    mimeTypes: asked(({ mimeTypes }) => mimeTypes),
    links: strictest ?? { rule: first, value: 'policy' },
    schemes: asked(({ links }) =>
      typeof links === 'object' && links.schemes ? new Set(links.schemes) : undefined,
    ),
    redact,
    redactClasses: new Set(redact.keys()),
    strip,
    stripClasses: new Set(strip.keys()),
    refuse,
    refuseClasses: new Set(refuse.keys()),
    escapeHtml,
    label: asked((document) => document.label || undefined)[0]?.rule,
    relaysErrors: errors.length > 0 && errors.every(({ value }) => value === 'relay'),
    readsTexts: redact.size + strip.size + refuse.size > 0 || escapeHtml !== undefined,
  };
}
