import { expect, it } from 'vitest';
import { methods } from '../../src/mcp/methods.ts';

// method | kind | direction | revisions | access | action | targets | Mcp-Name | may ask | long-lived | extension
// Who relies on a column: policies (access, action, targets), clients and servers (Mcp-Name), operators (all).
const frozen = `
initialize | request | toUpstream | 1234- | implied | use | method | - | - | - | -
server/discover | request | toUpstream | ----5 | implied | use | method | - | - | - | -
ping | request | toUpstream | 1234- | implied | use | method | - | - | - | -
tools/list | request | toUpstream | 12345 | implied | use | method | - | - | - | -
tools/call | request | toUpstream | 12345 | target | call | tool,augmentation | name | asks | - | -
resources/list | request | toUpstream | 12345 | implied | use | method | - | - | - | -
resources/templates/list | request | toUpstream | 12345 | implied | use | method | - | - | - | -
resources/read | request | toUpstream | 12345 | target | read | resource | uri | asks | - | -
resources/subscribe | request | toUpstream | 1234- | target | subscribe | resource | - | - | - | -
resources/unsubscribe | request | toUpstream | 1234- | target | subscribe | resource | - | - | - | -
prompts/list | request | toUpstream | 12345 | implied | use | method | - | - | - | -
prompts/get | request | toUpstream | 12345 | target | get | prompt | name | asks | - | -
completion/complete | request | toUpstream | 12345 | target | complete | reference | - | - | - | -
logging/setLevel | request | toUpstream | 1234- | method | use | method | - | - | - | -
subscriptions/listen | request | toUpstream | ----5 | target | subscribe | method,subscriptions,tasks | - | - | long | -
tasks/get | request | toUpstream | ---4- | method | use | method | - | - | - | -
tasks/result | request | toUpstream | ---4- | method | use | method | - | - | long | -
tasks/list | request | toUpstream | ---4- | method | use | method | - | - | - | -
tasks/cancel | request | toUpstream | ---4- | method | use | method | - | - | - | -
tasks/get | request | toClient | ---4- | method | ask | method | - | - | - | -
tasks/result | request | toClient | ---4- | method | ask | method | - | - | long | -
tasks/list | request | toClient | ---4- | method | ask | method | - | - | - | -
tasks/cancel | request | toClient | ---4- | method | ask | method | - | - | - | -
tasks/get | request | toUpstream | ----5 | method | use | method | taskId | - | - | io.modelcontextprotocol/tasks
tasks/update | request | toUpstream | ----5 | method | use | method | taskId | - | - | io.modelcontextprotocol/tasks
tasks/cancel | request | toUpstream | ----5 | method | use | method | taskId | - | - | io.modelcontextprotocol/tasks
skills/list | request | toUpstream | ----5 | method | use | method | - | - | - | io.modelcontextprotocol/skills
skills/get | request | toUpstream | ----5 | target | read | method,resource | - | - | - | io.modelcontextprotocol/skills
resources/directory/read | request | toUpstream | ----5 | target | read | method,resource | - | - | - | io.modelcontextprotocol/skills
ping | request | toClient | 1234- | free | use |  | - | - | - | -
sampling/createMessage | request | toClient | 1234- | method | ask | method | - | - | - | -
elicitation/create | request | toClient | --34- | method | ask | method | - | - | - | -
roots/list | request | toClient | 1234- | method | ask | method | - | - | - | -
notifications/initialized | notification | toUpstream | 1234- | free | use |  | - | - | - | -
notifications/roots/list_changed | notification | toUpstream | 1234- | free | use |  | - | - | - | -
notifications/cancelled | notification | both | 12345 | free | use |  | - | - | - | -
notifications/progress | notification | both | 1234- | free | use |  | - | - | - | -
notifications/progress | notification | toClient | ----5 | free | use |  | - | - | - | -
notifications/message | notification | toClient | 12345 | free | use |  | - | - | - | -
notifications/tools/list_changed | notification | toClient | 12345 | free | use |  | - | - | - | -
notifications/prompts/list_changed | notification | toClient | 12345 | free | use |  | - | - | - | -
notifications/resources/list_changed | notification | toClient | 12345 | free | use |  | - | - | - | -
notifications/resources/updated | notification | toClient | 12345 | target | subscribe | resource | - | - | - | -
notifications/elicitation/complete | notification | toClient | ---4- | free | use |  | - | - | - | -
notifications/tasks/status | notification | both | ---4- | free | use |  | - | - | - | -
notifications/tasks | notification | toClient | ----5 | free | use |  | - | - | - | io.modelcontextprotocol/tasks
notifications/subscriptions/acknowledged | notification | toClient | ----5 | free | use |  | - | - | - | -
`;

const numbers = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'] as const;

it('the method table is as it was', () => {
  const lines = methods.map((row) =>
    [
      row.method,
      row.kind,
      row.direction,
      numbers.map((revision, index) => (row.revisions.has(revision) ? String(index + 1) : '-')).join(''),
      row.access,
      row.action,
      row.targets.join(','),
      row.mirrors ?? '-',
      row.mayAskInput ? 'asks' : '-',
      row.longLived ? 'long' : '-',
      row.extension ?? '-',
    ].join(' | '),
  );
  expect(lines).toEqual(frozen.trim().split('\n'));
});

it('the lists that are filtered are as they were', () => {
  const lists = methods
    .filter((row) => row.list !== undefined)
    .map((row) => [row.method, row.list!.member, row.list!.key, row.list!.kind, row.list!.action].join(' '));
  expect(lists).toEqual([
    'tools/list tools name tool call',
    'resources/list resources uri resource read',
    'resources/templates/list resourceTemplates uriTemplate resource read',
    'prompts/list prompts name prompt get',
    'skills/list skills uri resource read',
    'resources/directory/read resources uri resource read',
  ]);
});
