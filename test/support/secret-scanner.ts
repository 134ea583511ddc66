/** Remembers secrets and finds them in what somebody saw, however they are written there. */

import type { RecordedRequest } from './recorder.ts';

export interface SecretScanner {
  /** @returns the secret itself */
  remember(name: string, secret: string): string;
  names(): readonly string[];
  /** Names of the secrets that can be read out of requests: verb, path, headers or body. */
  found(requests: readonly RecordedRequest[]): readonly string[];
  /** The same for a text: as it is, percent-decoded up to twice, and any run of base64 in these, at any alignment. */
  readOutOf(text: string): readonly string[];
}

export function createSecretScanner(): SecretScanner {
  const secrets = new Map<string, string>();

  function readOutOf(text: string): readonly string[] {
    const plain = [text, percentDecoded(text), percentDecoded(percentDecoded(text))];
    const views = [...new Set(plain.flatMap((view) => [view, ...base64Decoded(view)]))];
    return [...secrets].flatMap(([name, secret]) =>
      partsOf(secret).some((part) => views.some((view) => view.includes(part))) ? [name] : [],
    );
  }

  return {
    remember(name, secret) {
      secrets.set(name, secret);
      return secret;
    },
    names: () => [...secrets.keys()],
    found: (requests) =>
      readOutOf(
        requests
          .map(({ verb, path, rawHeaders, body }) =>
            [verb, path, ...rawHeaders, body.toString('latin1')].join('\n'),
          )
          .join('\n'),
      ),
    readOutOf,
  };
}

/** The whole, and each part of a compound secret that alone would be enough to know it again. */
function partsOf(secret: string): readonly string[] {
  return [secret, ...secret.split(/[.;= ]/).filter((part) => part.length >= 20)];
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function base64Decoded(text: string): readonly string[] {
  const runs = [...new Set(text.match(/[A-Za-z0-9+/_-]{8,}/g) ?? [])];
  return [0, 1, 2, 3].map((shift) =>
    runs.map((run) => Buffer.from(run.slice(shift), 'base64').toString('latin1')).join('\n'),
  );
}
