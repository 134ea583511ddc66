/**
 * A policy of so many rules in the usual mixture: exact names, prefixes, globs, URIs, conditions, several upstreams and
 * roles. The caller of {@link callerCredential} holds three of the roles, whatever their number.
 */
export function widePolicy(rules: number): string {
  const lines: string[] = ['version: 1', 'roles:'];
  const roles = Math.max(3, Math.floor(rules / 100));
  const perRole = Math.ceil(rules / roles);
  let made = 0;
  for (let role = 0; role < roles; role++) {
    lines.push(`  role${role}:`, '    allow:');
    for (let i = 0; i < perRole && made < rules; i++, made++) lines.push(`      - ${ruleText(made)}`);
    lines.push('    deny:', `      - { tools: ["drop_${role}_*"] }`);
  }
  lines.push('bindings:', '  - { roles: [role0, role1, role2], to: { apiKey: caller } }');
  if (roles > 3) {
    const others = Array.from({ length: roles - 3 }, (_, i) => `role${i + 3}`).join(', ');
    lines.push(`  - { roles: [${others}], to: { apiKey: other } }`);
  }
  return `${lines.join('\n')}\n`;
}

function ruleText(index: number): string {
  switch (index % 5) {
    case 0:
      return `{ tools: [tool_${index}], upstreams: [warehouse] }`;
    case 1:
      return `{ tools: ["group${index}_*"] }`;
    case 2:
      return `{ tools: [exact_${index}], when: { args: { limit: { max: 1000 }, mode: { oneOf: [a, b] } } } }`;
    case 3:
      return `{ resources: ["file:///area${index}/*/public/**"], upstreams: ["ware*"] }`;
    default:
      return `{ tools: ["set${index}_*_item"], prompts: [prompt_${index}] }`;
  }
}

export const callerCredential = { kind: 'apiKey', name: 'caller' } as const;

/** Names that hit each kind of rule of the first role, and one that hits none. */
export const hits = [
  { kind: 'tool', name: 'tool_0', action: 'call' },
  { kind: 'tool', name: 'group1_x', action: 'call' },
  { kind: 'tool', name: 'exact_2', action: 'call' },
  { kind: 'resource', name: 'file:///area3/x/public/y', action: 'read' },
  { kind: 'tool', name: 'set4_some_item', action: 'call' },
  { kind: 'tool', name: 'nothing_of_the_kind', action: 'call' },
] as const;
