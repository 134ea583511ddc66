/** Operators' files that take long to read: what a reload of them must not keep callers waiting for. */

export interface ReloadInput {
  readonly name: string;
  /** Below the folder of the configuration. */
  readonly file: string;
  readonly text: () => string;
}

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('');
}

export const reloadInputs: readonly ReloadInput[] = [
  {
    name: 'reload: a policy of 2,000 roles with five rules each',
    file: 'policies/roles.yaml',
    text: () =>
      `version: 1\nroles:\n${lines(
        2000,
        (index) =>
          `  role${index}:\n    allow:\n` +
          `      - { tools: [query_${index}, "describe_*"], upstreams: [server] }\n` +
          `      - tools: [export_${index}]\n        when: { args: { limit: { max: 1000 }, database: { oneOf: [replica] } } }\n` +
          `      - { resources: ["file:///team${index}/**"], actions: [read] }\n` +
          `      - { tools: [cel_${index}], when: { cel: "args.a == 'x${index}' && args.n < ${index}" } }\n` +
          `    deny:\n      - { tools: [drop_${index}] }\n`,
      )}bindings:\n${lines(
        2000,
        (index) =>
          `  - { roles: [role${index}], to: [{ certificate: { uri: "spiffe://acme.example/user${index}" } }] }\n`,
      )}`,
  },
  {
    name: 'reload: a deny list of 20,000 entries',
    file: 'revoked.yaml',
    text: () =>
      `version: 1\ntokens:\n${lines(
        20_000,
        (index) =>
          `  - { issuer: "https://login.example.com", id: "token-${index}-0123456789abcdef", reason: leaked, until: "2099-01-01T00:00:00Z" }\n`,
      )}`,
  },
];
