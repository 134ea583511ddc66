// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are texts, not templates.
import type { HonestCall } from './honest.ts';
import {
  codes,
  endings,
  folders,
  hosts,
  mails,
  names,
  prose,
  sqls,
  stems,
  urlTails,
} from './honest-held-out-words.ts';
import type { Random } from './random.ts';

export interface HeldOutCall extends HonestCall {
  /** Of the first call of each tool. */
  readonly schema?: object;
}

/** Types of arguments as schemas of servers declare them; `?` for what may be left out. */
type Types = Readonly<Record<string, string>>;

interface Tool {
  readonly source: string;
  readonly name: string;
  readonly class: string;
  readonly types: Types;
  readonly make: (random: Random) => Readonly<Record<string, unknown>>;
  readonly roles?: Readonly<Record<string, string>>;
}

const file = (r: Random): string =>
  `${r.pick(stems)}${r.chance(0.2) ? `-${r.int(1, 400)}` : ''}${r.pick(endings)}`;
const inTree = (r: Random): string => `${r.pick(folders)}/${file(r)}`;
const home = (r: Random): string =>
  r.pick([
    '/Users/ann/Projects',
    '/home/dev/code',
    '/workspace',
    '/srv/data',
    '/mnt/nas',
    '/tmp',
    '/private/var/folders/zz',
  ]);
const absolute = (r: Random): string => `${home(r)}/${r.pick(names)}/${inTree(r)}`;
const anyPath = (r: Random): string =>
  r.chance(0.75)
    ? absolute(r)
    : r.pick([
        () => inTree(r),
        () => `./${inTree(r)}`,
        () => `../${r.pick(names)}/${file(r)}`,
        () => `~/${r.pick(folders)}/${file(r)}`,
        () => `C:\\Users\\ann\\${r.pick(['Desktop', 'source\\repos'])}\\${file(r)}`,
        () => `D:/games/${file(r)}`,
        () => '.',
        () => '/',
        () => `file:///home/dev/${r.pick(names)}/a%20b.txt`,
        () => `\\\\fileserver\\share\\${file(r)}`,
        () => '/etc/hosts',
        () => '$HOME/.zshrc',
      ])();
const web = (r: Random): string =>
  `${r.pick(['https', 'https', 'https', 'http'])}://${r.pick(hosts)}${r.chance(0.08) ? `:${r.pick([8443, 8080, 3000])}` : ''}${r.pick(urlTails)}`;
const plainWeb = (r: Random): string => web(r).replace(/\{id\}|\|/g, 'x');
const dev = (r: Random): string =>
  r.pick([
    `http://localhost:${r.int(3000, 9000)}/${r.pick(names)}`,
    `http://127.0.0.1:${r.int(3000, 9000)}`,
    'http://192.168.1.20/admin',
    'about:blank',
    'file:///home/dev/index.html',
    'http://host.docker.internal:8080',
    'https://app.test/login',
    'data:text/html,<h1>x</h1>',
    'chrome://version',
  ]);
const uuid = (r: Random): string => `${r.hex(8)}-${r.hex(4)}-4${r.hex(3)}-a${r.hex(3)}-${r.hex(12)}`;
const day = (r: Random): string =>
  `202${r.int(3, 6)}-${r.pick(['01', '03', '07', '11', '12'])}-${r.int(10, 28)}`;
const when = (r: Random): string =>
  r.pick([
    day(r),
    `${day(r)}T10:00:00Z`,
    `${day(r)}T09:30:00.123+05:30`,
    `${day(r)} 14:00`,
    '2 weeks ago',
    'yesterday',
    `${r.int(1, 28)}/03/2025`,
    'Mar 5, 2025',
    String(1_700_000_000 + r.int(0, 9_999_999)),
    'now-7d',
    '-1h',
    'next Monday',
    `${day(r)}T10:00`,
    '2025-W07',
    'last month',
  ]);
const text = (r: Random): string =>
  Array.from({ length: r.pick([1, 1, 1, 2, 3]) }, () => r.pick(prose)).join(' ');
const markdown = (r: Random): string =>
  `${r.pick(['## Summary', '# Fix', '**Why**', '### Steps'])}\n\n${text(r)}\n\n${r.chance(0.4) ? `\`\`\`\n${r.pick(codes)}\`\`\`\n` : ''}[link](${web(r)})`;
const zone = (r: Random): string =>
  r.pick([
    'Europe/Berlin',
    'America/Argentina/Buenos_Aires',
    'UTC',
    'Etc/GMT+3',
    'Asia/Kolkata',
    'US/Pacific',
  ]);
const sha = (r: Random): string => r.hex(r.pick([7, 40]));
const branch = (r: Random): string =>
  r.pick([
    'main',
    'master',
    `feature/${r.pick(names)}-${r.int(1, 99)}`,
    `dependabot/npm_and_yarn/lodash-4.17.${r.int(1, 30)}`,
    `release/v${r.int(1, 9)}.x`,
    `user/ann/fix_${r.hex(4)}`,
    `renovate/node-24.x`,
    `JIRA-${r.int(1, 999)}`,
    `fix-#${r.int(1, 99)}`,
    'HEAD~1',
    'origin/main',
    `v${r.int(1, 9)}.0.0-rc.1`,
  ]);
const base64 = (r: Random): string => Buffer.from(r.hex(30)).toString('base64');

const owner = (r: Random): string => r.pick(names).replaceAll('.', '-');
const gh = (r: Random): object => ({ owner: owner(r), repo: r.pick(names) });
const ghTypes = { owner: 'string', repo: 'string' };
const ghRoles = { owner: 'id', repo: 'id' };

const tools: readonly Tool[] = [
  {
    source: 'filesystem',
    name: 'read_text_file',
    class: 'path',
    types: { path: 'string', head: 'number?' },
    make: (r) => ({ path: anyPath(r), ...(r.chance(0.3) ? { head: r.int(1, 500) } : {}) }),
  },
  {
    source: 'filesystem',
    name: 'list_directory',
    class: 'path',
    types: { path: 'string' },
    make: (r) => ({ path: `${home(r)}/${r.pick(names)}/${r.pick(folders)}${r.chance(0.2) ? '/' : ''}` }),
    roles: { path: 'path' },
  },
  {
    source: 'filesystem',
    name: 'get_file_info',
    class: 'path',
    types: { path: 'string' },
    make: (r) => ({ path: absolute(r) }),
    roles: { path: 'path' },
  },
  {
    source: 'filesystem',
    name: 'write_file',
    class: 'code',
    types: { path: 'string', content: 'string' },
    make: (r) => ({ path: absolute(r), content: r.chance(0.6) ? r.pick(codes) : markdown(r) }),
    roles: { path: 'path', content: 'code' },
  },
  {
    source: 'filesystem',
    name: 'edit_file',
    class: 'code',
    types: { path: 'string', edits: 'array', dryRun: 'boolean?' },
    make: (r) => ({
      path: absolute(r),
      edits: [{ oldText: r.pick(codes).slice(0, 40), newText: r.pick(codes) }],
      ...(r.chance(0.3) ? { dryRun: true } : {}),
    }),
    roles: { path: 'path' },
  },
  {
    source: 'filesystem',
    name: 'search_files',
    class: 'path',
    types: { path: 'string', pattern: 'string', excludePatterns: 'array?' },
    make: (r) => ({
      path: `${home(r)}/${r.pick(names)}`,
      pattern: r.pick(['**/*.{ts,tsx}', '*.md', '!**/dist', '../**/x', '[A-Z]*.py', 'TODO|FIXME', '**']),
      excludePatterns: r.some(['node_modules', '**/.git/**', '*.min.js'], 2),
    }),
    roles: { path: 'path' },
  },
  {
    source: 'git',
    name: 'git_log',
    class: 'id',
    types: { repo_path: 'string', max_count: 'integer?' },
    make: (r) => ({ repo_path: `${home(r)}/${r.pick(names)}`, max_count: r.int(1, 50) }),
    roles: { repo_path: 'path' },
  },
  {
    source: 'git',
    name: 'git_checkout',
    class: 'id',
    types: { repo_path: 'string', branch_name: 'string' },
    make: (r) => ({ repo_path: `${home(r)}/${r.pick(names)}`, branch_name: branch(r) }),
    roles: { repo_path: 'path' },
  },
  {
    source: 'git',
    name: 'git_diff',
    class: 'id',
    types: { repo_path: 'string', target: 'string' },
    make: (r) => ({
      repo_path: r.chance(0.3) ? '.' : `${home(r)}/${r.pick(names)}`,
      target: r.chance(0.4) ? sha(r) : branch(r),
    }),
  },
  {
    source: 'git',
    name: 'git_add',
    class: 'path',
    types: { repo_path: 'string', files: 'array' },
    make: (r) => ({
      repo_path: `${home(r)}/${r.pick(names)}`,
      files: r.chance(0.2) ? ['.'] : Array.from({ length: r.int(1, 4) }, () => inTree(r)),
    }),
  },
  {
    source: 'git',
    name: 'git_commit',
    class: 'prose',
    types: { repo_path: 'string', message: 'string' },
    make: (r) => ({
      repo_path: `${home(r)}/${r.pick(names)}`,
      message: `${r.pick(['fix', 'feat!', 'chore(deps)'])}: ${text(r)}`,
    }),
    roles: { message: 'text' },
  },
  {
    source: 'github',
    name: 'get_file_contents',
    class: 'id',
    types: { ...ghTypes, path: 'string', branch: 'string?' },
    make: (r) => ({
      ...gh(r),
      path: r.chance(0.1) ? '' : inTree(r),
      ...(r.chance(0.4) ? { branch: branch(r) } : {}),
    }),
    roles: ghRoles,
  },
  {
    source: 'github',
    name: 'create_issue',
    class: 'markdown',
    types: { ...ghTypes, title: 'string', body: 'string?', labels: 'array?', assignees: 'array?' },
    make: (r) => ({
      ...gh(r),
      title: text(r).slice(0, 80),
      body: markdown(r),
      labels: r.some(['bug', 'good first issue', 'P0: critical', 'área/ui', 'c++'], r.int(0, 3)),
      assignees: r.some(['ann', 'bob-the-builder', 'x_y'], r.int(0, 2)),
    }),
    roles: { ...ghRoles, title: 'text', body: 'markdown' },
  },
  {
    source: 'github',
    name: 'search_code',
    class: 'prose',
    types: { q: 'string', page: 'number?' },
    make: (r) => ({
      q: r.pick([
        `repo:${owner(r)}/${r.pick(names)} path:*.ts "import x"`,
        'filename:Dockerfile FROM',
        '"../../../" language:go',
        'eval( extension:js',
        'org:acme-corp NOT is:archived',
        'content:/rm -rf/',
      ]),
      page: r.int(1, 5),
    }),
    roles: { q: 'text' },
  },
  {
    source: 'github',
    name: 'list_commits',
    class: 'id',
    types: { ...ghTypes, sha: 'string?', perPage: 'number?' },
    make: (r) => ({ ...gh(r), sha: r.chance(0.5) ? sha(r) : branch(r), perPage: r.pick([10, 30, 100]) }),
    roles: ghRoles,
  },
  {
    source: 'github',
    name: 'push_files',
    class: 'code',
    types: { ...ghTypes, branch: 'string', files: 'array', message: 'string' },
    make: (r) => ({
      ...gh(r),
      branch: branch(r),
      files: [{ path: inTree(r), content: r.pick(codes) }],
      message: text(r),
    }),
    roles: ghRoles,
  },
  {
    source: 'github',
    name: 'create_pull_request',
    class: 'markdown',
    types: {
      ...ghTypes,
      title: 'string',
      head: 'string',
      base: 'string',
      body: 'string?',
      draft: 'boolean?',
    },
    make: (r) => ({
      ...gh(r),
      title: text(r),
      head: r.chance(0.2) ? `ann:${branch(r)}` : branch(r),
      base: 'main',
      body: markdown(r),
      draft: r.chance(0.3),
    }),
    roles: ghRoles,
  },
  {
    source: 'gitlab',
    name: 'get_merge_request',
    class: 'id',
    types: { project_id: 'string', merge_request_iid: 'string' },
    make: (r) => ({
      project_id: r.pick([String(r.int(1000, 99_999_999)), `group/sub/${owner(r)}`, `acme%2F${owner(r)}`]),
      merge_request_iid: String(r.int(1, 4000)),
    }),
  },
  {
    source: 'gitlab',
    name: 'create_note',
    class: 'markdown',
    types: { project_id: 'string', noteable_type: 'string', noteable_iid: 'number', body: 'string' },
    make: (r) => ({
      project_id: `group/${owner(r)}`,
      noteable_type: r.pick(['issue', 'merge_request']),
      noteable_iid: r.int(1, 900),
      body: markdown(r),
    }),
    roles: { body: 'markdown' },
  },
  {
    source: 'slack',
    name: 'slack_post_message',
    class: 'prose',
    types: { channel_id: 'string', text: 'string' },
    make: (r) => ({
      channel_id: r.pick([
        `C0${r.hex(8).toUpperCase()}`,
        '#general',
        '@ann',
        `D0${r.hex(8).toUpperCase()}`,
        `C0${r.hex(8).toUpperCase()}`,
      ]),
      text: `<@U0${r.hex(6).toUpperCase()}> ${text(r)} <https://example.com|link>`,
    }),
    roles: { text: 'text' },
  },
  {
    source: 'slack',
    name: 'slack_get_thread_replies',
    class: 'id',
    types: { channel_id: 'string', thread_ts: 'string' },
    make: (r) => ({
      channel_id: `C0${r.hex(8).toUpperCase()}`,
      thread_ts: `17${r.digits(8)}.${r.digits(6)}`,
    }),
    roles: { channel_id: 'id', thread_ts: 'id' },
  },
  {
    source: 'slack',
    name: 'slack_add_reaction',
    class: 'id',
    types: { channel_id: 'string', timestamp: 'string', reaction: 'string' },
    make: (r) => ({
      channel_id: `C0${r.hex(8).toUpperCase()}`,
      timestamp: `17${r.digits(8)}.${r.digits(6)}`,
      reaction: r.pick(['+1', 'eyes', 'white_check_mark', '-1', 'man-shrugging::skin-tone-2']),
    }),
    roles: { channel_id: 'id' },
  },
  {
    source: 'postgres',
    name: 'query',
    class: 'sql',
    types: { sql: 'string' },
    make: (r) => ({ sql: `${r.pick(sqls.slice(0, 16))}${r.chance(0.3) ? ';' : ''}` }),
    roles: { sql: 'sql' },
  },
  {
    source: 'sqlite',
    name: 'read_query',
    class: 'sql',
    types: { query: 'string' },
    make: (r) => ({ query: r.pick(sqls) }),
    roles: { query: 'sql' },
  },
  {
    source: 'sqlite',
    name: 'append_insight',
    class: 'prose',
    types: { insight: 'string' },
    make: (r) => ({ insight: text(r) }),
    roles: { insight: 'text' },
  },
  {
    source: 'puppeteer',
    name: 'puppeteer_navigate',
    class: 'url',
    types: { url: 'string', launchOptions: 'object?' },
    make: (r) => ({ url: r.chance(0.4) ? dev(r) : web(r) }),
  },
  {
    source: 'puppeteer',
    name: 'puppeteer_click',
    class: 'prose',
    types: { selector: 'string' },
    make: (r) => ({
      selector: r.pick([
        '#login > button:nth-child(2)',
        '[data-testid="x"]',
        '.a.b, .c',
        "//div[@id='m']/a[1]",
        'text=Sign in',
        'a[href^="/x"]',
        'div::before',
      ]),
    }),
  },
  {
    source: 'puppeteer',
    name: 'puppeteer_evaluate',
    class: 'code',
    types: { script: 'string' },
    make: (r) => ({
      script: r.pick([
        'document.title',
        '[...document.querySelectorAll("a")].map(a => a.href)',
        'window.scrollTo(0, 1e4); await new Promise(r => setTimeout(r, 500))',
        '(() => { localStorage.clear(); return 1 })()',
      ]),
    }),
  },
  {
    source: 'playwright',
    name: 'browser_type',
    class: 'prose',
    types: { element: 'string', ref: 'string', text: 'string', submit: 'boolean?' },
    make: (r) => ({
      element: `${r.pick(['Search', 'E-mail', 'Passwort'])} field`,
      ref: `${r.pick(['e', 's1e', 'f1e'])}${r.int(1, 300)}`,
      text: r.chance(0.3) ? r.pick(mails) : text(r),
      submit: r.chance(0.5),
    }),
  },
  {
    source: 'playwright',
    name: 'browser_navigate',
    class: 'url',
    types: { url: 'string' },
    make: (r) => ({ url: r.chance(0.5) ? dev(r) : web(r) }),
  },
  {
    source: 'fetch',
    name: 'fetch',
    class: 'url',
    types: { url: 'uri', max_length: 'integer?', raw: 'boolean?' },
    make: (r) => ({
      url: plainWeb(r),
      ...(r.chance(0.5) ? { max_length: r.int(1, 100) * 1000 } : {}),
      ...(r.chance(0.2) ? { raw: true } : {}),
    }),
    roles: { url: 'url' },
  },
  {
    source: 'brave-search',
    name: 'brave_web_search',
    class: 'prose',
    types: { query: 'string', count: 'number?', offset: 'number?' },
    make: (r) => ({
      query: r.chance(0.5)
        ? text(r).slice(0, 390)
        : r.pick([
            'site:example.com filetype:pdf "x y"',
            'c++ vs c#',
            'what is 2*(3+4)?',
            'how to exit vim',
            "best café in l'Aquila",
            'ssh -L 8080:localhost:80 meaning',
            'CVE-2021-44228 ${jndi',
            'null',
            '0',
            '天気 東京',
          ]),
      count: r.int(1, 20),
      offset: r.int(0, 9),
    }),
    roles: { query: 'text' },
  },
  {
    source: 'google-drive',
    name: 'gdrive_search',
    class: 'prose',
    types: { query: 'string', pageToken: 'string?' },
    make: (r) => ({
      query: r.pick([
        "name contains 'Q3' and mimeType != 'application/pdf'",
        "'1AbC' in parents and trashed = false",
        'budget 2025',
        'fullText contains "O\'Neil"',
      ]),
      ...(r.chance(0.3) ? { pageToken: `~!!~${base64(r)}` } : {}),
    }),
  },
  {
    source: 'google-drive',
    name: 'gdrive_read',
    class: 'id',
    types: { file_id: 'string' },
    make: (r) => ({ file_id: `1${r.hex(10)}_${r.hex(10)}-${r.hex(11)}` }),
    roles: { file_id: 'id' },
  },
  {
    source: 'jira',
    name: 'jira_search',
    class: 'prose',
    types: { jql: 'string', fields: 'string?', limit: 'integer?' },
    make: (r) => ({
      jql: r.pick([
        `project = ${r.pick(['ABC', 'X1'])} AND status != Done ORDER BY created DESC`,
        'assignee = currentUser() AND due <= "2w"',
        'text ~ "login && fails"',
        'issuekey in (A-1, A-2); ',
        'labels in ("a b", c)',
      ]),
      fields: r.pick(['*all', 'summary,status', '*navigable,-comment']),
      limit: r.int(1, 50),
    }),
  },
  {
    source: 'jira',
    name: 'jira_get_issue',
    class: 'id',
    types: { issue_key: 'string', expand: 'string?' },
    make: (r) => ({
      issue_key: `${r.pick(['PROJ', 'AB2', 'OPS_X'])}-${r.int(1, 9999)}`,
      expand: r.pick(['renderedFields', 'changelog,names', '']),
    }),
    roles: { issue_key: 'id' },
  },
  {
    source: 'jira',
    name: 'jira_add_worklog',
    class: 'date',
    types: { issue_key: 'string', time_spent: 'string', started: 'string?' },
    make: (r) => ({
      issue_key: `PROJ-${r.int(1, 999)}`,
      time_spent: r.pick(['1h 30m', '2d', '15m']),
      started: `${day(r)}T12:00:00.000+0000`,
    }),
    roles: { issue_key: 'id' },
  },
  {
    source: 'notion',
    name: 'notion_retrieve_page',
    class: 'id',
    types: { page_id: 'string' },
    make: (r) => ({ page_id: r.chance(0.5) ? uuid(r) : r.hex(32) }),
    roles: { page_id: 'id' },
  },
  {
    source: 'notion',
    name: 'notion_query_database',
    class: 'json',
    types: { database_id: 'string', filter: 'object?', start_cursor: 'string?' },
    make: (r) => ({
      database_id: r.hex(32),
      filter: { property: r.pick(['Name', 'Stand (neu)', '日付']), rich_text: { contains: text(r) } },
      ...(r.chance(0.4) ? { start_cursor: uuid(r) } : {}),
    }),
    roles: { database_id: 'id' },
  },
  {
    source: 'linear',
    name: 'linear_create_issue',
    class: 'markdown',
    types: {
      title: 'string',
      teamId: 'string',
      description: 'string?',
      priority: 'number?',
      dueDate: 'string?',
    },
    make: (r) => ({
      title: text(r),
      teamId: r.chance(0.9) ? uuid(r) : 'ENG',
      description: markdown(r),
      priority: r.int(0, 4),
      ...(r.chance(0.4) ? { dueDate: day(r) } : {}),
    }),
  },
  {
    source: 'sentry',
    name: 'get_sentry_issue',
    class: 'id',
    types: { issue_id_or_url: 'string' },
    make: (r) => ({
      issue_id_or_url: r.chance(0.5)
        ? r.digits(10)
        : `https://acme.sentry.io/issues/${r.digits(10)}/?project=${r.digits(7)}`,
    }),
  },
  {
    source: 'sentry',
    name: 'search_events',
    class: 'prose',
    types: { organizationSlug: 'string', naturalLanguageQuery: 'string', regionUrl: 'string?' },
    make: (r) => ({
      organizationSlug: owner(r).toLowerCase(),
      naturalLanguageQuery: text(r),
      ...(r.chance(0.5) ? { regionUrl: r.pick(['https://us.sentry.io', 'https://de.sentry.io']) } : {}),
    }),
    roles: { organizationSlug: 'id' },
  },
  {
    source: 'kubernetes',
    name: 'kubectl_get',
    class: 'id',
    types: {
      resourceType: 'string',
      name: 'string?',
      namespace: 'string?',
      labelSelector: 'string?',
      output: 'string?',
    },
    make: (r) => ({
      resourceType: r.pick(['pods', 'deployments.apps', 'ingresses.networking.k8s.io', 'svc,ep', 'nodes']),
      name: r.pick(['', `web-7d4b9c6f5-${r.hex(5)}`, 'ip-10-0-1-12.ec2.internal']),
      namespace: r.pick(['default', 'kube-system', 'team-a', 'all']),
      labelSelector: r.pick(['app=web,tier!=db', 'env in (prod,qa)', '!canary']),
      output: r.pick(['json', 'wide', 'jsonpath={.items[*].metadata.name}']),
    }),
  },
  {
    source: 'kubernetes',
    name: 'pods_exec',
    class: 'shell',
    types: { name: 'string', namespace: 'string?', command: 'array' },
    make: (r) => ({
      name: `web-${r.hex(5)}`,
      namespace: 'default',
      command: r.pick([
        ['sh', '-c', 'ls -la /app && cat /etc/resolv.conf'],
        ['env'],
        ['psql', '-c', 'select 1;'],
        ['tail', '-n', '50', '/var/log/app.log'],
      ]),
    }),
    roles: { name: 'id', namespace: 'id' },
  },
  {
    source: 'docker',
    name: 'run_container',
    class: 'id',
    types: { image: 'string', name: 'string?', ports: 'object?', environment: 'object?', command: 'string?' },
    make: (r) => ({
      image: r.pick([
        'nginx',
        'postgres:16-alpine',
        'ghcr.io/acme/web:1.2.3',
        `redis@sha256:${r.hex(64)}`,
        'localhost:5000/x:latest',
        'mcr.microsoft.com/dotnet/sdk:8.0',
      ]),
      name: r.pick(names),
      environment: { PATH: '/usr/bin:/bin', DSN: 'postgres://u:p@db/x', OPTS: '-Xmx1g -Dx=y' },
      command: r.pick(['', 'npm start', 'sh -c "sleep 1; exec app"']),
    }),
    roles: { image: 'id' },
  },
  {
    source: 'docker',
    name: 'fetch_container_logs',
    class: 'id',
    types: { container_id: 'string', tail: 'string?' },
    make: (r) => ({
      container_id: r.chance(0.5) ? r.hex(12) : `compose-web-${r.int(1, 3)}`,
      tail: r.pick(['all', '100', 100 as unknown as string]),
    }),
    roles: { container_id: 'id' },
  },
  {
    source: 'aws',
    name: 'call_aws',
    class: 'shell',
    types: { cli_command: 'string', max_results: 'integer?' },
    make: (r) => ({
      cli_command: r.pick([
        `aws s3 ls s3://my-bucket-${r.int(1, 99)}/path/`,
        "aws ec2 describe-instances --query 'Reservations[*].Instances[*].[InstanceId]' --output table",
        `aws logs tail /aws/lambda/fn --since ${r.int(1, 9)}h`,
        'aws iam get-role --role-name x --profile "dev (eu)"',
      ]),
    }),
  },
  {
    source: 'aws',
    name: 's3_get_object',
    class: 'id',
    types: { bucket: 'string', key: 'string', versionId: 'string?' },
    make: (r) => ({
      bucket: r.pick([
        'my.bucket.name',
        'logs-prod-123456789012',
        'arn:aws:s3:eu-west-1:123456789012:accesspoint/x',
      ]),
      key: inTree(r),
      versionId: r.chance(0.5) ? 'null' : `${r.hex(8)}.${r.hex(8)}_${r.hex(4)}`,
    }),
    roles: { bucket: 'id' },
  },
  {
    source: 'aws',
    name: 'describe_resource',
    class: 'id',
    types: { arn: 'string', region: 'string?' },
    make: (r) => ({
      arn: r.pick([
        `arn:aws:iam::${r.digits(12)}:role/service-role/x`,
        `arn:aws:lambda:us-east-1:${r.digits(12)}:function:fn:$LATEST`,
        `arn:aws:sns:eu-west-1:${r.digits(12)}:topic.fifo`,
        'arn:aws:s3:::bucket/*',
      ]),
      region: r.pick(['us-east-1', 'eu-central-1']),
    }),
  },
  {
    source: 'stripe',
    name: 'create_refund',
    class: 'id',
    types: { payment_intent: 'string', amount: 'integer?', reason: 'string?' },
    make: (r) => ({
      payment_intent: `pi_3${r.hex(20)}`,
      amount: r.int(50, 99_999),
      reason: r.pick(['requested_by_customer', 'duplicate']),
    }),
    roles: { payment_intent: 'id' },
  },
  {
    source: 'stripe',
    name: 'create_customer',
    class: 'email',
    types: { name: 'string', email: 'email?' },
    make: (r) => ({
      name: r.pick(["Seán O'Brien", '李 小龙', 'ACME GmbH & Co. KG', 'J. Doe; Sons', 'Zoë']),
      email: r.pick(mails),
    }),
    roles: { email: 'email', name: 'text' },
  },
  {
    source: 'stripe',
    name: 'list_invoices',
    class: 'id',
    types: { customer: 'string?', limit: 'integer?', starting_after: 'string?' },
    make: (r) => ({
      customer: `cus_${r.hex(14)}`,
      limit: r.int(1, 100),
      ...(r.chance(0.3) ? { starting_after: `in_1${r.hex(22)}` } : {}),
    }),
    roles: { customer: 'id' },
  },
  {
    source: 'memory',
    name: 'create_entities',
    class: 'json',
    types: { entities: 'array' },
    make: (r) => ({
      entities: Array.from({ length: r.int(1, 3) }, () => ({
        name: r.pick(names),
        entityType: r.pick(['person', 'Projekt', '組織']),
        observations: [text(r)],
      })),
    }),
  },
  {
    source: 'memory',
    name: 'search_nodes',
    class: 'prose',
    types: { query: 'string' },
    make: (r) => ({ query: text(r) }),
  },
  {
    source: 'time',
    name: 'convert_time',
    class: 'date',
    types: { source_timezone: 'string', time: 'string', target_timezone: 'string' },
    make: (r) => ({
      source_timezone: zone(r),
      time: `${r.int(10, 23)}:${r.int(10, 59)}`,
      target_timezone: zone(r),
    }),
  },
  {
    source: 'time',
    name: 'get_current_time',
    class: 'date',
    types: { timezone: 'string' },
    make: (r) => ({ timezone: zone(r) }),
  },
  {
    source: 'sequential-thinking',
    name: 'sequentialthinking',
    class: 'prose',
    types: {
      thought: 'string',
      nextThoughtNeeded: 'boolean',
      thoughtNumber: 'integer',
      totalThoughts: 'integer',
      branchId: 'string?',
    },
    make: (r) => ({
      thought: text(r),
      nextThoughtNeeded: r.chance(0.7),
      thoughtNumber: r.int(1, 12),
      totalThoughts: r.int(3, 15),
      ...(r.chance(0.1) ? { branchId: r.pick(['alt', 'Option B', 'branch-2']) } : {}),
    }),
  },
  {
    source: 'everything',
    name: 'echo',
    class: 'prose',
    types: { message: 'string' },
    make: (r) => ({
      message: r.chance(0.4)
        ? r.pick([
            '',
            'null',
            'true',
            '42',
            '-1',
            '0x1F',
            '{}',
            '[]',
            '"',
            "'",
            '\\',
            '%',
            '\u0000'.slice(1),
            'undefined',
            '../..',
            '; ls',
            '$(date)',
            '\ufeffx',
          ])
        : text(r),
    }),
    roles: { message: 'text' },
  },
  {
    source: 'everything',
    name: 'get-sum',
    class: 'number',
    types: { a: 'number', b: 'number' },
    make: (r) => ({ a: r.chance(0.8) ? r.int(-50, 1000) : r.int(0, 999) / 7, b: r.int(0, 9999) }),
  },
  {
    source: 'calendar',
    name: 'create_event',
    class: 'date',
    types: {
      calendarId: 'string',
      summary: 'string',
      start: 'date-time',
      end: 'date-time',
      timeZone: 'string?',
      recurrence: 'array?',
      attendees: 'array?',
    },
    make: (r) => ({
      calendarId: r.pick(['primary', r.pick(mails), `${r.hex(26)}@group.calendar.google.com`]),
      summary: text(r),
      start: `${day(r)}T10:00:00${r.pick(['Z', '+02:00', ''])}`,
      end: `${day(r)}T11:00:00${r.pick(['Z', '+02:00', ''])}`,
      timeZone: zone(r),
      recurrence: ['RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10'],
      attendees: r.some(mails, r.int(0, 3)).map((email) => ({ email })),
    }),
  },
  {
    source: 'calendar',
    name: 'list_events',
    class: 'date',
    types: { timeMin: 'string?', since: 'string?', maxResults: 'integer?' },
    make: (r) => ({ since: when(r), maxResults: r.int(1, 250) }),
  },
  {
    source: 'grafana',
    name: 'query_prometheus',
    class: 'prose',
    types: { datasourceUid: 'string', expr: 'string', startTime: 'string', queryType: 'string?' },
    make: (r) => ({
      datasourceUid: r.chance(0.8) ? `P${r.hex(15).toUpperCase()}` : uuid(r),
      expr: r.pick([
        'sum(rate(http_requests_total{code=~"5..",job!="x"}[5m])) by (pod)',
        'up == 0',
        'histogram_quantile(0.99, sum(rate(x_bucket[1m])) by (le)) > 1 or vector(0)',
      ]),
      startTime: when(r),
      queryType: 'range',
    }),
  },
  {
    source: 'scheduler',
    name: 'create_job',
    class: 'shell',
    types: { cron: 'string', command: 'string', working_directory: 'string?' },
    make: (r) => ({
      cron: r.pick(['*/5 * * * *', '0 3 * * 1-5', '@daily', '0 0 1,15 * ?']),
      command: r.pick([
        'pg_dump x | gzip > /backups/$(date +%F).gz',
        'find . -name "*.tmp" -delete',
        'python3 -m jobs.sync --since=1d',
        'echo "done" >> ~/log; exit 0',
      ]),
      working_directory: r.pick(['/srv/app', '~', '.', '/opt/jobs/']),
    }),
  },
  {
    source: 'graphql',
    name: 'execute',
    class: 'prose',
    types: { query: 'string', variables: 'object?', endpoint: 'string?' },
    make: (r) => ({
      query: r.pick([
        '{ viewer { login } }',
        'query($id: ID!) { node(id: $id) { ... on User { name } } }',
        'mutation { addStar(input: {starrableId: "MDEw"}) { clientMutationId } }',
      ]),
      variables: { id: base64(r), after: null },
    }),
  },
  {
    source: 'elasticsearch',
    name: 'search',
    class: 'json',
    types: { index: 'string', query_body: 'object' },
    make: (r) => ({
      index: r.pick(['logs-*', 'users', '.kibana', 'a,b,-c', 'metrics-2025.01.02']),
      query_body: {
        query: { query_string: { query: `status:${r.int(400, 599)} AND path:"/../x"` } },
        size: r.int(0, 100),
      },
    }),
  },
  {
    source: 'mail',
    name: 'send_email',
    class: 'email',
    types: { to: 'array', subject: 'string', body: 'string', cc: 'array?', html: 'string?' },
    make: (r) => ({
      to: r.some(mails, r.int(1, 3)),
      subject: text(r),
      body: `${text(r)}\n\n-- \nAnn`,
      html: `<p style="color:red">${r.pick(names)}</p><img src="cid:x">`,
      cc: [],
    }),
    roles: { subject: 'text', body: 'text', to: 'email' },
  },
  {
    source: 'todoist',
    name: 'create_task',
    class: 'date',
    types: {
      content: 'string',
      due_string: 'string?',
      due_date: 'string?',
      priority: 'integer?',
      project_id: 'string?',
    },
    make: (r) => ({
      content: text(r),
      due_string: r.pick(['tomorrow at 12', 'every 2nd friday', 'Jan 23']),
      ...(r.chance(0.5) ? { due_date: day(r) } : {}),
      priority: r.int(1, 4),
      project_id: r.chance(0.5) ? r.digits(10) : `6X${r.hex(14)}`,
    }),
  },
  {
    source: 'obsidian',
    name: 'append_to_note',
    class: 'path',
    types: { filepath: 'string', content: 'string' },
    make: (r) => ({
      filepath: r.pick([
        `Daily/${day(r)}.md`,
        `Projects/${r.pick(names)}/Überblick ${r.int(1, 99)}.md`,
        'Inbox.md',
        `人/${r.pick(stems)}.md`,
        `Ideas: ${r.int(1, 9)}.md`,
      ]),
      content: markdown(r),
    }),
  },
  {
    source: 'maps',
    name: 'maps_geocode',
    class: 'prose',
    types: { address: 'string', language: 'string?' },
    make: (r) => ({
      address: r.pick([
        '10 Downing St, London SW1A 2AA',
        'Königstraße 5/2; Stuttgart',
        '東京都千代田区1-1',
        '221B Baker Street #3',
        "Rue de l'Église 12",
      ]),
      language: r.pick(['en', 'de-AT', 'zh-Hans']),
    }),
  },
  {
    source: 'npm',
    name: 'package_info',
    class: 'id',
    types: { package: 'string', version: 'string?' },
    make: (r) => ({
      package: r.pick(['@types/node', 'lodash', 'left-pad', '@scope/pkg.name', 'JSONStream', 'socket.io']),
      version: r.pick(['latest', '^1.2.3', '>=2 <3', '1.x', '~0.4', '*', '1.0.0-beta.2+exp.sha']),
    }),
    roles: { package: 'id' },
  },
  {
    source: 'network',
    name: 'dns_lookup',
    class: 'prose',
    types: { host: 'string', type: 'string?' },
    make: (r) => ({
      host: r.pick([
        'example.com',
        '_dmarc.example.com',
        '10.0.0.1',
        'fe80::1',
        'bücher.example',
        'localhost',
      ]),
      type: r.pick(['A', 'TXT', 'MX']),
    }),
  },
  {
    source: 'sheets',
    name: 'update_cells',
    class: 'json',
    types: { spreadsheetId: 'string', range: 'string', values: 'array' },
    make: (r) => ({
      spreadsheetId: `1${r.hex(20)}-_${r.hex(10)}`,
      range: r.pick(['Sheet1!A1:C3', "'Q1 Übersicht'!B2", 'A:A']),
      values: [
        [
          r.int(1, 99),
          '=SUM(A1:A3)',
          '=HYPERLINK("https://example.com","x")',
          null,
          true,
          "'0123",
          '-5',
          '@x',
        ],
      ],
    }),
  },
  {
    source: 'shell',
    name: 'run_command',
    class: 'shell',
    types: { command: 'string', timeout: 'number?', cwd: 'string?' },
    make: (r) => ({
      command: r.pick([
        'git status --porcelain',
        'npm test -- --watch=false && echo ok',
        'grep -rn "TODO" src | wc -l',
        'for i in 1 2 3; do echo $i; done',
        'cat <<EOF > a.txt\nhi\nEOF',
        'ls',
        'python - <<< "print(1)"',
        'kill -9 $(lsof -ti:3000)',
        'cd ../x && make',
        'export X=1; ./run.sh >/dev/null 2>&1 &',
      ]),
      timeout: r.int(1, 600),
      cwd: r.pick(['/workspace', '~/x', '.', '..', 'C:\\src']),
    }),
  },
];

function schemaOf(types: Types): object {
  const properties = Object.fromEntries(
    Object.entries(types).map(([name, declared]) => {
      const type = declared.replace('?', '');
      return [name, /^(?:uri|email|date-time)$/.test(type) ? { type: 'string', format: type } : { type }];
    }),
  );
  const required = Object.keys(types).filter((name) => !types[name]!.endsWith('?'));
  return { type: 'object', properties, required };
}

/** Calls of common servers as their schemas and traffic look, made apart from the first corpus; no two alike. */
export function makeHeldOut(random: Random, count: number): readonly HeldOutCall[] {
  const seen = new Set<string>();
  const begun = new Set<string>();
  const calls: HeldOutCall[] = [];
  for (let tries = 0; calls.length < count && tries < count * 50; tries += 1) {
    const { source, name, class: of, types, make, roles } = random.pick(tools);
    const args = make(random);
    const key = JSON.stringify([name, args]);
    if (seen.has(key)) continue;
    seen.add(key);
    const toolKey = `${source}/${name}`;
    calls.push({
      source,
      class: of,
      tool: name,
      arguments: args,
      ...(roles === undefined ? {} : { roles }),
      ...(begun.has(toolKey) ? {} : { schema: schemaOf(types) }),
    });
    begun.add(toolKey);
  }
  return calls;
}
