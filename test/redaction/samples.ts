import { crc32 } from 'node:zlib';

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** With a checksum from another implementation than the one under test. */
export function withChecksum(prefix: string, body: string): string {
  let left = crc32(body);
  let check = '';
  for (let i = 0; i < 6; i += 1) {
    check = base62[left % 62] + check;
    left = Math.floor(left / 62);
  }
  return prefix + body + check;
}

const hex64 = '0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0';
const letters = 'aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKlMn';

/** Made up, in the form of real ones. Put together here, so that scanners of repositories do not find them. */
export const secrets: Readonly<Record<string, string>> = {
  github: withChecksum('ghp_', 'aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0'),
  'github app': withChecksum('ghs_', 'zY8wV6uT4sR2qP0nM9lK7jH5gF3dC1'),
  npm: withChecksum('npm_', '0Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St'),
  'github fine-grained': `github_pat_${letters.slice(0, 22)}_${letters.slice(10, 69)}`,
  gitlab: `glpat-${letters.slice(0, 20)}`,
  slack: `xoxb-${'123456789012'}-1234567890123-${letters.slice(0, 24)}`,
  stripe: `sk_live_${letters.slice(0, 24)}`,
  google: `AIza${letters.slice(0, 35)}`,
  aws: `AKIA${'IOSFODNN7EXAMPLE'}`,
  openai: `sk-proj-${letters.slice(0, 40)}T3BlbkFJ${letters.slice(5, 45)}`,
  anthropic: `sk-ant-api03-${letters}AA`,
  sendgrid: `SG.${letters.slice(0, 22)}.${letters.slice(10, 53)}`,
  digitalocean: `dop_v1_${hex64}`,
  telegram: `123456789:AA${letters.slice(0, 33)}`,
  sallyport: `spk_abcd1234_${letters.slice(0, 42)}A`,
  jwt: `${b64({ alg: 'ES256', typ: 'JWT' })}.${b64({ sub: 'alice', exp: 1_900_000_000 })}.${letters.slice(0, 43)}`,
  'private key': `-----BEGIN PRIVATE KEY-----\n${letters}\n-----END PRIVATE KEY-----`,
};

function b64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The ways in which one text may be written. */
export const encodings: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => `see ${text} there`,
  JSON: (text) => JSON.stringify({ note: `see\n${text}`, more: [text] }),
  'JSON with escapes': (text) =>
    `"${[...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`,
  base64: (text) => `data ${Buffer.from(`see ${text} there`).toString('base64')} end`,
  'base64, one byte later': (text) => Buffer.from(`!see ${text}`).toString('base64'),
  'base64, two bytes later': (text) => Buffer.from(`!!see ${text}`).toString('base64'),
  base64url: (text) => Buffer.from(`see ${text} there`).toString('base64url'),
  'base64 amid other bytes': (text) =>
    Buffer.concat([
      Buffer.from([1, 2, 200, 255, 9]),
      Buffer.from(` ${text} `),
      Buffer.from([0, 250]),
    ]).toString('base64'),
  URL: (text) => `https://example.org/?q=${encodeURIComponent(text)}`,
  'URL, every character': (text) =>
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
};

/** Whether the text can be read out of what is left, as somebody who looks for it would. */
export function canBeRead(shown: string, text: string): boolean {
  const views = [shown, unescapePercent(shown), unescapeJson(shown)];
  for (const run of shown.match(/[A-Za-z0-9+/_-]{8,}/g) ?? []) {
    for (let shift = 0; shift < 4; shift += 1)
      views.push(Buffer.from(run.slice(shift), 'base64').toString('latin1'));
  }
  return views.some((view) => view.includes(text));
}

function unescapePercent(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function unescapeJson(text: string): string {
  return text
    .replace(/\\u([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll('\\n', '\n');
}
