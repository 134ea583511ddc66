import { setTimeout as sleep } from 'node:timers/promises';
import { certificateExpiries } from './config/certificate-expiries.ts';
import { readPolicySources } from './config/policy-sources.ts';
import type { Config } from './config/schema.ts';
import { readSessionKeys } from './config/session-keys.ts';
import { watchedFiles, watchFiles } from './config/watch.ts';
import { formatProblem } from './document/problems.ts';
import { createFilters } from './filters/index.ts';
import { createSessionSealer } from './filters/session-sealer.ts';
import { callAt } from './gateway/call-at.ts';
import { createContentChecks } from './gateway/content-checks.ts';
import { describeResources, firstOf, resourceDocuments, resourceOptionsOf } from './gateway/documents.ts';
import { reportFilterEvent } from './gateway/filter-events.ts';
import { createOutbound } from './gateway/outbound.ts';
import { recordRefusal } from './gateway/record-refusal.ts';
import { createReloader, type ReloadReason } from './gateway/reloader.ts';
import { revocationListExpiries } from './gateway/revocation-list-expiries.ts';
import { withoutRolesOfKeys } from './gateway/roles-of-keys.ts';
import { createUpstreams } from './gateway/upstreams.ts';
import { createWithdrawal } from './gateway/withdrawal.ts';
import { createIdentity } from './identity/identity.ts';
import { createAdmin } from './listener/admin.ts';
import { createListener, type RunningListener } from './listener/listener.ts';
import { createAudit } from './observe/audit.ts';
import { createLog } from './observe/log.ts';
import { createMetrics } from './observe/metrics.ts';
import { readinessOf } from './observe/readiness.ts';
import { createRecorder } from './observe/recorder.ts';
import { createRedactor } from './observe/redact.ts';
import { createIdSource } from './pipeline/exchange-id.ts';
import { createGate } from './pipeline/gate.ts';
import { compilePolicy, type PolicyCompilation } from './policy/compile.ts';
import type { PolicyWarning } from './policy/lint/warning.ts';
import { version } from './version.ts';

/** A running gateway. */
export interface Gateway {
  /** Where it listens, in the order of the configuration. */
  readonly listeners: readonly { readonly url: string }[];
  readonly adminUrl: string;
  /**
   * Reads policies, certificates, keys and lists again, each whole or not at all: what does not load leaves the last
   * good one in force, and log, metric and `/readyz` tell.
   */
  reload(reason: ReloadReason): Promise<void>;
  /** Stops as an operator wants it: readiness off, no new work, running calls end, streams end, audit flushed. */
  drain(): Promise<void>;
}

export type Started =
  | { readonly ok: true; readonly gateway: Gateway }
  /** Nothing was started. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** Compiles the policy files of a folder. */
export async function loadPolicies(folder: string): Promise<PolicyCompilation> {
  return compilePolicy(await readPolicySources(folder));
}

/**
 * Builds a gateway from a configuration and starts it. Either all of it runs, or nothing does.
 *
 * The composition root: the only file that sees all rooms.
 */
export async function startGateway(config: Config): Promise<Started> {
  const compiled = await loadPolicies(config.policies);
  if (!compiled.ok) return { ok: false, problems: compiled.problems.map(formatProblem) };
  const closers: (() => Promise<void> | void)[] = [];
  try {
    return { ok: true, gateway: await build(config, compiled, closers) };
  } catch (error) {
    for (const close of closers.reverse()) await close();
    return { ok: false, problems: [(error as Error).message] };
  }
}

async function build(
  config: Config,
  compiled: Extract<PolicyCompilation, { ok: true }>,
  closers: (() => Promise<void> | void)[],
): Promise<Gateway> {
  let { policy } = compiled;
  let draining = false;
  let active = 0;

  const keys = readSessionKeys(config.session.keys);
  const upstreams = await createUpstreams(config, (url, request) => outbound.dial(url, request));
  const { ports } = upstreams;
  for (const port of ports.values()) closers.push(() => port.close());

  const ownSecrets = (): readonly string[] => [
    ...[...ports.values()].flatMap((port) => port.secrets()),
    ...keys.map((key) => key.toString('latin1')),
  ];
  const redactor = createRedactor(ownSecrets());
  const log = createLog(config.log, redactor);
  for (const warning of config.warnings) log.warn('the configuration weakens the gateway', { warning });
  const warn = (found: readonly PolicyWarning[]): void => {
    for (const warning of withoutRolesOfKeys(found, config))
      log.warn('a policy warning', { warning: formatProblem(warning) });
  };
  warn(compiled.warnings);
  const audit = await createAudit(config.audit, { log, redactor });
  closers.push(() => audit.close());
  let certificates = certificateExpiries(config);
  let lists = revocationListExpiries(config);
  const now = (): number => Date.now();
  const withdrawal = createWithdrawal(config, { log, now });
  const metrics = createMetrics({
    upstreams: [...ports.keys()],
    version,
    audit,
    certificates: () => certificates,
    lists: () => lists,
    activeExchanges: () => active,
    revocations: () => withdrawal.revocations.counts(),
    redactor,
  });
  const recorder = createRecorder({ audit, metrics, log });
  const apiKeyHeader = config.identity.find((entry) => entry.apiKeys !== undefined)?.apiKeys?.header;
  const outbound = createOutbound(config.outbound, { log, metrics });
  closers.push(() => outbound.close());
  const identity = createIdentity(
    {
      authenticators: config.identity,
      require: config.require,
      anonymous: config.insecure.anonymous,
      resources: resourceOptionsOf(config),
    },
    { dial: outbound.dial, revocations: withdrawal.revocations, nonceKeys: keys, metrics },
  );
  closers.push(() => identity.close());

  const content = await createContentChecks(config, {
    ports,
    log,
    policy: () => policy,
    onPinEvent(event) {
      metrics.pinEvent(event);
      audit.definition(event, now());
    },
  });
  closers.push(() => content.close());
  const holdSecrets = (): void => {
    const own = ownSecrets();
    content.hold(own);
    redactor.hold([...own, ...content.secrets()]);
  };
  holdSecrets();

  const resources = describeResources(config);
  const documents = firstOf([resourceDocuments(resources.values()), upstreams.documents]);
  const sessions = createSessionSealer({ keys, maxAge: config.session.maxAge });
  const upstream = (name: string) => {
    const port = ports.get(name);
    return port === undefined ? undefined : { port, catalog: content.catalogOf(name) };
  };
  const monotonic = (): number => performance.now();
  const filters = createFilters({
    options: {
      revisions: config.revisions,
      session: config.session,
      definitions: config.definitions,
      signatures: config.signatures,
      ...config.limits,
    },
    ...content.filterDeps,
    keys,
    sessions,
    resources,
    disclosures: new Map(config.upstreams.map(({ name, disclosure }) => [name, disclosure])),
    report: (event) => reportFilterEvent(event, metrics, log),
    now,
    monotonic,
  });
  const gate = createGate({
    filters,
    recorder,
    upstreamDecodeLimits: config.limits.result,
    clientDecodeLimits: config.limits.request,
    monotonic,
    now,
    at: callAt,
    open: withdrawal.open,
    newId: createIdSource(),
    identify: (evidence) => identity.authenticate(evidence),
    apiKeyHeader: apiKeyHeader ?? 'x-api-key',
    upstream,
    policy: () => policy,
    openSession: (sealed, principal, name, time) => sessions.openSession(sealed, principal.id, name, time),
    onFault: (cause, exchange) => log.error('a part of the gateway failed', { exchange, cause }),
  });

  const routes = new Map(config.upstreams.map(({ path, name }) => [path, name]));
  const listeners: RunningListener[] = [];
  for (const options of config.listeners) {
    const listener = await createListener(options, {
      routes,
      tokenRoutes: new Set(resources.keys()),
      documents,
      log,
      async handle(arrival, reply) {
        active += 1;
        try {
          await gate(arrival, reply);
        } finally {
          active -= 1;
        }
      },
      allowPlaintext: config.insecure.plaintext,
      isRevoked: (certificate) => withdrawal.revocations.isCertificateRevoked(certificate),
      onCut: (peer) => withdrawal.onCut(peer),
      onRefusal: (refusal) => recordRefusal(refusal, recorder, now()),
    });
    closers.push(() => listener.close(0));
    listeners.push(listener);
  }
  withdrawal.attach({ identity, listeners });

  const admin = await createAdmin(config.admin, {
    live: () => true,
    ready: () =>
      readinessOf({
        draining,
        auditAccepting: audit.accepting(),
        policyHash: policy.hash,
        failedReloads: reload.failing(),
      }),
    metrics: () => metrics.scrape(),
    metricsType: metrics.contentType,
    onRefusal: (refusal) => recordRefusal(refusal, recorder, now()),
  });
  closers.push(() => admin.close());

  const reload = createReloader(
    () => [
      {
        what: 'policies',
        async read() {
          const next = await loadPolicies(config.policies);
          if (!next.ok) throw new Error(next.problems.map(formatProblem).join('; '));
          warn(next.warnings);
          policy = next.policy;
          content.policyChanged();
        },
      },
      { what: 'outbound', read: () => outbound.reload() },
      ...withdrawal.reloadSteps,
      ...content.reloadSteps,
      ...upstreams.reloadSteps,
      ...listeners.map((listener, index) => ({
        what: `listener ${index}`,
        read: () => listener.reloadTls(),
      })),
    ],
    {
      log,
      async after(reason, failing) {
        if (reason === 'signal') await audit.reload();
        holdSecrets();
        certificates = certificateExpiries(config);
        lists = revocationListExpiries(config);
        metrics.reloaded(failing.length === 0 ? 'success' : 'failure', now());
        log.info('reloaded', { reason, policy: policy.hash, failing });
      },
    },
  );

  const watcher = config.reload.watch
    ? await watchFiles(
        watchedFiles(config),
        config.reload,
        async (groups) => {
          if (groups.has('config')) log.warn('the gateway file changed: it is read at the next start');
          await gateway.reload('files');
        },
        (cause) => log.error('watching files failed', { cause }),
      )
    : undefined;
  closers.push(() => watcher?.close());

  const gateway: Gateway = {
    listeners: listeners.map(({ address }) => ({ url: address.url })),
    adminUrl: admin.address.url,
    reload: (reason) => reload.run(reason),
    async drain() {
      draining = true;
      log.info('draining', { deadlineMs: config.drain.deadline });
      watcher?.close();
      await sleep(config.drain.delay);
      for (const listener of listeners) listener.stopAccepting();
      for (const listener of listeners) listener.endStreams();
      await Promise.all(listeners.map((listener) => listener.close(config.drain.deadline)));
      await Promise.all([...ports.values()].map((port) => port.close()));
      await content.close();
      identity.close();
      await outbound.close();
      await audit.close();
      await admin.close();
      log.info('stopped');
    },
  };
  metrics.reloaded('success', now());
  log.info('serving', {
    version,
    policy: policy.hash,
    listeners: gateway.listeners.map(({ url }) => url),
    admin: gateway.adminUrl,
  });
  return gateway;
}
