/** Parts of folded names: whatever contains one is a secret. */
const telling = [
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'secret',
  'token',
  'authorization',
  'apikey',
  'accesskey',
  'privatekey',
  'secretkey',
  'signingkey',
  'encryptionkey',
  'cookie',
  'credential',
  'sessionid',
  'connectionstring',
  'bearer',
  'jwt',
];
/** Whole folded names that are too short to look for inside others. */
const exact: ReadonlySet<string> = new Set([
  'auth',
  'pwd',
  'pass',
  'pin',
  'otp',
  'totp',
  'mfa',
  'cvv',
  'cvc',
  'dsn',
  'xauth',
  'proxyauth',
]);
/** Counts of language model tokens, when they are numbers. */
const tokenCount =
  /(?:max|min|total|prompt|completion|input|output|budget|new)tokens$|^tokens$|^token(?:count|limit|budget)$/;

/**
 * True if a member of this name holds a secret, whatever its spelling: case, separators and compatibility forms are
 * folded away (`X-Api_Key`, `apiKey`, `ＡＰＩ　ＫＥＹ`).
 *
 * @param value only looked at to let numbers through whose name counts tokens (`max_tokens`)
 */
export function isSecretName(name: string, value: unknown): boolean {
  const folded = name
    // Bounds the work; a name that only tells what it is after so many characters is not one that people write.
    .slice(0, 512)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
  if (exact.has(folded)) return true;
  if (!telling.some((word) => folded.includes(word))) return false;
  return !(typeof value === 'number' && tokenCount.test(folded));
}
