/** Kinds of identifiers that need more, or can do with less, than the default. */
export type IdPreset =
  | 'branch'
  | 'handle'
  | 'hash'
  | 'host'
  | 'image'
  | 'kubernetes'
  | 'name'
  | 'number'
  | 'opaque'
  | 'package'
  | 'repository'
  | 'resource'
  | 'slug'
  | 'version';

/**
 * What is one identifier nearly everywhere: UUIDs, keys of tickets, tags, e-mail-like and namespaced ids. No empty
 * segment, and no `:` before a `/`: neither a URL nor a path with a drive is an id.
 */
export const defaultId =
  /^(?!.*:\/)(?!.*\/\.(?:\/|$))[A-Za-z0-9_][A-Za-z0-9_.:@+-]*(?:\/[A-Za-z0-9_.:@+-]+)*$/;

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

/**
 * Anchored at both ends, without nested repetition of the same characters: each takes linear time. Which characters may
 * never stand in an id is settled before.
 */
export const idPresets: Readonly<Record<IdPreset, RegExp>> = {
  // git check-ref-format: no part begins with a dot or ends in `.lock`, the whole does not end in a dot. `@/etc/x` is a
  // file to programs that read arguments from files.
  branch:
    /^(?!@(?:\/|$))(?!.*(?:\.lock)(?:\/|$))(?!.*\.$)[A-Za-z0-9_@+][A-Za-z0-9_.@+=,-]*(?:\/[A-Za-z0-9_@+=,-][A-Za-z0-9_.@+=,-]*)*$/,
  handle: /^@?[A-Za-z0-9_][A-Za-z0-9_.-]*(?:@[A-Za-z0-9][A-Za-z0-9.-]*)?$/,
  hash: /^(?:(?:md5|sha1|sha224|sha256|sha384|sha512):)?(?:[0-9a-f]{4,128}|[0-9A-F]{4,128})$/,
  host: /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/,
  image:
    /^(?:[a-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?\/)?[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha(?:256|512):[0-9a-f]{64,128})?$/,
  kubernetes: new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*$`),
  name: /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
  number: /^[0-9]{1,40}$/,
  // Page tokens and keys in base64, either alphabet.
  opaque: /^[A-Za-z0-9_][A-Za-z0-9_.:+/=-]*$/,
  package: /^(?:@[a-z0-9_][a-z0-9_.-]*\/)?[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
  repository: /^(?!(?:.*\/)?\.(?:\/|$))[A-Za-z0-9_.][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_.][A-Za-z0-9_.-]*){1,8}$/,
  // Names of clouds: `arn:…`, `projects/…/locations/…`, `/subscriptions/…`, `urn:…`.
  resource: /^(?!.*:\/)(?!.*\/\/)(?!.*\/\.(?:\/|$))\/?[A-Za-z0-9_][A-Za-z0-9_.:@/+=,-]*$/,
  slug: /^[a-z0-9]+(?:[-_][a-z0-9]+)*$/,
  version: /^[A-Za-z0-9][A-Za-z0-9_.+-]*$/,
};
