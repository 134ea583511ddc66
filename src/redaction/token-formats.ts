import { hasBase62Checksum } from './checksums.ts';

/**
 * Known forms of secrets, strict: what is redacted from a result is missing for good, so a form is matched at its full
 * length, at the borders of a word, and with its checksum where its issuer gives it one.
 */
export interface TokenFormat {
  readonly name: string;
  /** Fixed texts that it begins with. */
  readonly prefixes: readonly string[];
  /** What follows the prefix. Sticky and bounded in length, so that the search stays linear. */
  readonly body: RegExp;
  /** Checks what the pattern cannot. @param body what followed the prefix */
  readonly check?: (body: string, prefix: string) => boolean;
  /** Characters of its body: a run of them that ends with the text may go on in the next one. */
  readonly alphabet: RegExp;
}

const word = /[A-Za-z0-9]/;
const urlSafe = /[A-Za-z0-9_-]/;
const dotted = /[A-Za-z0-9_.-]/;

export const tokenFormats: readonly TokenFormat[] = [
  {
    name: 'github',
    prefixes: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    body: /[A-Za-z0-9]{36}(?![A-Za-z0-9])/y,
    check: hasBase62Checksum,
    alphabet: word,
  },
  {
    name: 'npm',
    prefixes: ['npm_'],
    body: /[A-Za-z0-9]{36}(?![A-Za-z0-9])/y,
    check: hasBase62Checksum,
    alphabet: word,
  },
  format('github-fine-grained', ['github_pat_'], /[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?![A-Za-z0-9_])/y, urlSafe),
  format(
    'gitlab',
    ['glpat-', 'gldt-', 'glrt-', 'glcbt-', 'glptt-', 'glsoat-', 'glimt-', 'glagent-', 'gloas-', 'glft-'],
    /[A-Za-z0-9_-]{20,300}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?(?![A-Za-z0-9_-])/y,
    dotted,
  ),
  format(
    'slack',
    ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxo-', 'xoxe-', 'xoxe.xoxp-', 'xoxe.xoxb-', 'xapp-'],
    /(?:[A-Z0-9]{1,20}-){1,6}[A-Za-z0-9]{10,200}(?![A-Za-z0-9-])/y,
    urlSafe,
  ),
  format(
    'slack-webhook',
    ['hooks.slack.com/services/', 'hooks.slack.com/workflows/'],
    /T[A-Z0-9]{6,14}\/[AB][A-Z0-9]{6,14}\/[A-Za-z0-9/]{16,64}/y,
    /[A-Za-z0-9/]/,
  ),
  format(
    'stripe',
    ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'],
    /[A-Za-z0-9]{16,247}(?![A-Za-z0-9])/y,
    word,
  ),
  format('stripe-webhook', ['whsec_'], /[A-Za-z0-9+/]{32,64}={0,2}(?![A-Za-z0-9])/y, /[A-Za-z0-9+/=]/),
  format('google', ['AIza'], /[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/y, urlSafe),
  format('google-oauth', ['ya29.'], /[A-Za-z0-9_-]{20,2048}/y, urlSafe),
  format('google-client', ['GOCSPX-'], /[A-Za-z0-9_-]{28}(?![A-Za-z0-9_-])/y, urlSafe),
  // Base 32, as all ids of AWS: no 0, 1, 8 or 9.
  {
    name: 'aws',
    prefixes: ['AKIA', 'ASIA', 'ABIA', 'ACCA'],
    body: /[A-Z2-7]{16}(?![A-Za-z0-9])/y,
    check: (body) => distinct(body) > 5,
    alphabet: word,
  },
  {
    // "OpenAI" in base64 stands in the middle of each.
    name: 'openai',
    prefixes: ['sk-'],
    body: /(?:[a-z]{2,12}-)?[A-Za-z0-9_-]{20,180}(?![A-Za-z0-9_-])/y,
    check: (body) => body.includes('T3BlbkFJ') || /^(?:proj|svcacct|admin|None)-[\w-]{40,}$/.test(body),
    alphabet: urlSafe,
  },
  format('anthropic', ['sk-ant-'], /[a-z]{2,8}[0-9]{2}-[A-Za-z0-9_-]{40,200}(?![A-Za-z0-9_-])/y, urlSafe),
  format('hugging-face', ['hf_'], /[A-Za-z]{34}(?![A-Za-z0-9])/y, word),
  // The location `pypi.org` in base64.
  format('pypi', ['pypi-AgEIcHlwaS5vcmc', 'pypi-AgENdGVzdC5weXBpLm9yZw'], /[A-Za-z0-9_-]{50,1000}/y, urlSafe),
  format('sendgrid', ['SG.'], /[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/y, dotted),
  format('twilio', ['SK'], /[0-9a-f]{32}(?![A-Za-z0-9])/y, word),
  format('digitalocean', ['dop_v1_', 'doo_v1_', 'dor_v1_'], /[0-9a-f]{64}(?![A-Za-z0-9])/y, word),
  format('shopify', ['shpat_', 'shpca_', 'shppa_', 'shpss_'], /[0-9a-fA-F]{32}(?![A-Za-z0-9])/y, word),
  format('databricks', ['dapi'], /[0-9a-f]{32}(?:-[0-9])?(?![A-Za-z0-9])/y, urlSafe),
  format('vault', ['hvs.', 'hvb.'], /[A-Za-z0-9_-]{24,300}/y, urlSafe),
  format('linear', ['lin_api_', 'lin_oauth_'], /[A-Za-z0-9]{40,64}(?![A-Za-z0-9])/y, word),
  format('notion', ['ntn_'], /[A-Za-z0-9]{40,50}(?![A-Za-z0-9])/y, word),
  format('doppler', ['dp.pt.', 'dp.st.', 'dp.sa.'], /[A-Za-z0-9_.]{40,64}(?![A-Za-z0-9])/y, dotted),
  format('grafana', ['glsa_', 'glc_'], /[A-Za-z0-9+/]{32,400}(?:_[0-9a-f]{8}|={0,2})/y, /[A-Za-z0-9_+/=]/),
  format('atlassian', ['ATATT3xFfGF0'], /[A-Za-z0-9_-]{50,250}(?:=[0-9A-F]{8})?/y, /[A-Za-z0-9_=-]/),
  format('telegram', [':AA'], /[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])/y, urlSafe),
  format('mailgun', ['key-'], /[0-9a-f]{32}(?![A-Za-z0-9])/y, word),
  format('age', ['AGE-SECRET-KEY-1'], /[02-9AC-HJ-NP-Z]{58}(?![A-Za-z0-9])/y, word),
  {
    name: 'sallyport',
    prefixes: ['spk_'],
    body: /[a-z0-9]{8}_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/y,
    // 43 characters are 32 bytes and two bits, which are zero.
    check: (body) => 'AEIMQUYcgkosw048'.includes(body.at(-1)!),
    alphabet: urlSafe,
  },
];

/** Begin with their prefix in the middle of a word: the name of a bot stands before it. */
export const infixFormats: ReadonlySet<string> = new Set(['telegram']);

function format(name: string, prefixes: readonly string[], body: RegExp, alphabet: RegExp): TokenFormat {
  return { name, prefixes, body, alphabet, check: (text) => distinct(text) > 7 || text.length < 12 };
}

/** Different characters: documentation writes `sk_live_xxxxxxxxxxxxxxxxxxxx`. */
function distinct(text: string): number {
  return new Set(text).size;
}
