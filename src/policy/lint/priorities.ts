import { type Lint, warn } from './warning.ts';

/** Whoever asks for high priority and proves nothing for it would starve all others in the overload that it makes. */
export const openPriorities: Lint = function* (files) {
  const high = new Set<string>();
  for (const { document } of files) {
    for (const [name, { priority }] of Object.entries(document.roles))
      if (priority === 'high') high.add(name);
  }
  for (const file of files) {
    for (const [index, { roles, to }] of file.document.bindings.entries()) {
      const names = roles.filter((role) => high.has(role));
      const open = to.some((credential) => 'any' in credential || 'anonymous' in credential);
      if (names.length === 0 || !open) continue;
      const message = `gives ${names.map((name) => `"${name}"`).join(', ')}, of high priority, to anybody: in an overload nobody is refused`;
      yield warn(file, ['bindings', index], 'priority-anybody', message);
    }
  }
};
