import { suggestion } from '../../document/did-you-mean.ts';
import type { RuleDocument } from '../document.ts';
import { rulesOf } from './walk.ts';
import { itemPath, type Lint, warn } from './warning.ts';

const isAll = (texts: readonly string[] | undefined) => texts?.some((text) => /^\*+$/.test(text)) === true;
const isEverywhere = ({ upstreams }: RuleDocument) => upstreams === undefined || isAll(upstreams);

/** A bare wildcard, without a condition, that is enforced. `*` in URIs stays within a segment: `**` is all of them. */
function isWide(rule: RuleDocument): boolean {
  if (rule.mode !== 'enforce' || rule.when !== undefined) return false;
  return isAll(rule.tools) || rule.resources?.includes('**') === true;
}

/** Rules that allow every tool or resource there is, and will be. */
export const wideRules: Lint = function* (files) {
  const wide = new Set<string>();
  for (const { file, path, role, effect, rule } of rulesOf(files)) {
    if (effect === 'deny' || !isWide(rule)) continue;
    wide.add(role);
    if (isEverywhere(rule)) {
      const what = isAll(rule.tools) ? 'tool' : 'resource';
      const message = `allows every ${what} of every upstream, those too that do not exist yet: name upstreams`;
      yield warn(file, path, 'allows-all', message);
    }
  }
  for (const file of files) {
    for (const [index, { roles, to }] of file.document.bindings.entries()) {
      const names = roles.filter((role) => wide.has(role));
      const open = to.findIndex((credential) => 'any' in credential || 'anonymous' in credential);
      if (names.length === 0 || open < 0) continue;
      const message = `gives ${names.map((name) => `"${name}"`).join(', ')}, with a wildcard for all there is, to anybody`;
      yield warn(file, ['bindings', index], 'allows-anybody-all', message);
    }
  }
};

/** Bindings that cannot do what they seem to. */
export const doubtfulBindings: Lint = function* (files, { issuers }) {
  const useful = new Set<string>();
  for (const { role } of rulesOf(files)) useful.add(role);
  for (const { document } of files) {
    for (const [name, { priority }] of Object.entries(document.roles)) {
      if (priority !== undefined) useful.add(name);
    }
    for (const object of document.acl) {
      for (const { roles } of [...object.allow, ...object.deny]) for (const role of roles) useful.add(role);
    }
    for (const section of [
      'scopes',
      'limits',
      'arguments',
      'results',
      'tools',
      'flows',
      'timeouts',
    ] as const) {
      for (const { match } of document[section]) for (const role of match.roles ?? []) useful.add(role);
    }
  }
  for (const file of files) {
    for (const [index, { roles, to }] of file.document.bindings.entries()) {
      if (!roles.some((role) => useful.has(role))) {
        const message = 'no rule of any sort is about these roles: the binding does nothing';
        yield warn(file, ['bindings', index, 'roles'], 'binding-empty', message);
      }
      for (const [at, credential] of to.entries()) {
        const path = itemPath(file, ['bindings', index, 'to'], at);
        if ('certificate' in credential) {
          const { cn, ...others } = credential.certificate;
          if (cn === undefined || Object.values(others).some((value) => value !== undefined)) continue;
          const message =
            'tells callers apart by the common name alone, which no CA has to keep unique: use "uri" or "dns"';
          yield warn(file, [...path, 'certificate', 'cn'], 'common-name', message);
        }
        if ('token' in credential && issuers !== undefined && !issuers.includes(credential.token.issuer)) {
          const { issuer } = credential.token;
          const message = `the gateway takes no tokens of "${issuer}"${suggestion(issuer, issuers)}`;
          yield warn(file, [...path, 'token', 'issuer'], 'issuer-unknown', message);
        }
      }
    }
    if (issuers?.length === 0 && file.document.scopes.length > 0) {
      const message = 'the gateway takes no tokens: nobody is asked for scopes';
      yield warn(file, ['scopes'], 'scopes-unasked', message);
    }
  }
};
