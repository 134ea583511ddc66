import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from './config/schema.ts';
import { readSessionKeys } from './config/session-keys.ts';
import type { Digests } from './config/watch.ts';
import { formatProblem } from './document/problems.ts';
import { chooseLimitStore } from './gateway/choose-limit-store.ts';
import { composeGate } from './gateway/compose-gate.ts';
import { createContentChecks } from './gateway/content-checks.ts';
import type { Gateway, Started } from './gateway/contract.ts';
import { describeResources, firstOf, resourceDocuments } from './gateway/documents.ts';
import { createDoorkeeping } from './gateway/doors.ts';
import { drain } from './gateway/drain.ts';
import { createExpiries } from './gateway/expiries.ts';
import { identityOptionsOf } from './gateway/identity-options.ts';
import { numbered } from './gateway/numbered-log.ts';
import { openListeners, tlsReloadSteps } from './gateway/open-listeners.ts';
import { openOperatorPorts } from './gateway/operator-ports.ts';
import { createOutbound } from './gateway/outbound.ts';
import { createShedding } from './gateway/overload.ts';
import { createPolicyInForce, loadPolicies } from './gateway/policy-in-force.ts';
import { recordRefusal } from './gateway/record-refusal.ts';
import { openSharedStore } from './gateway/redis.ts';
import { createReloader } from './gateway/reloader.ts';
import { secretsOf } from './gateway/secrets-of.ts';
import { chooseState } from './gateway/shared-state.ts';
import type { Surroundings } from './gateway/surroundings.ts';
import { logUpstreamChange } from './gateway/upstream-changes.ts';
import { upstreamMetrics } from './gateway/upstream-metrics.ts';
import { createUpstreams } from './gateway/upstreams.ts';
import { beforeReading, watchConfig } from './gateway/watch-config.ts';
import { createWithdrawal } from './gateway/withdrawal.ts';
import { createIdentity } from './identity/identity.ts';
import { createAudit } from './observe/audit.ts';
import { createLog } from './observe/log.ts';
import { createMetrics } from './observe/metrics.ts';
import { type Readiness, readinessOf } from './observe/readiness.ts';
import { createRecorder } from './observe/recorder.ts';
import { createRedactor } from './observe/redact.ts';
import { createStoreMetrics } from './observe/store-metrics.ts';
import type { PolicyCompilation } from './policy/compile.ts';
import { HeldBytes } from './upstream/held-bytes.ts';
import { version } from './version.ts';

export type { Gateway, Started } from './gateway/contract.ts';
export { loadPolicies } from './gateway/policy-in-force.ts';

/**
 * Builds a gateway from a configuration and starts it. Either all of it runs, or nothing does.
 *
 * The composition root: the only file that sees all rooms.
 *
 * @param around of one worker among several: the primary has the ports of operators, and says what workers share
 */
export async function startGateway(config: Config, around?: Surroundings): Promise<Started> {
  const before = await beforeReading(config);
  const compiled = await loadPolicies(config.policies);
  if (!compiled.ok) return { ok: false, problems: compiled.problems.map(formatProblem) };
  const closers: (() => Promise<void> | void)[] = [];
  try {
    return { ok: true, gateway: await build(config, compiled, closers, before, around) };
  } catch (error) {
    for (const close of closers.reverse()) await close();
    return { ok: false, problems: [(error as Error).message] };
  }
}

async function build(
  config: Config,
  compiled: Extract<PolicyCompilation, { ok: true }>,
  closers: (() => Promise<void> | void)[],
  before: Digests | undefined,
  around: Surroundings | undefined,
): Promise<Gateway> {
  let draining = false;
  let active = 0;
  const keys = readSessionKeys(config.session.keys, around?.sessionKey);
  const held = new HeldBytes(config.limits.memory.answerBytes, () =>
    metrics.boundReached({ bound: 'answers-held', upstream: '_other' }),
  );
  const upstreams = await createUpstreams(config, (url, request) => outbound.dial(url, request), held, {
    onChange: (change) => logUpstreamChange(change, log),
  });
  const { ports } = upstreams;
  for (const port of ports.values()) closers.push(() => port.close());

  const ownSecrets = () => secretsOf(config, ports, keys);
  const redactor = createRedactor(ownSecrets());
  const log = numbered(createLog(config.log, redactor), around?.worker);
  const isFirst = around === undefined || around.worker === 1;
  for (const warning of isFirst ? config.warnings : [])
    log.warn('the configuration weakens the gateway', { warning });
  const inForce = createPolicyInForce(config, compiled, {
    log,
    silent: !isFirst,
    onChange: () => content.policyChanged(),
  });
  const audit = await createAudit(config.audit, { log, redactor });
  closers.push(async () => void (await audit.close()));
  const expiries = createExpiries(config);
  const now = (): number => Date.now();
  const withdrawal = createWithdrawal(config, { log, now });
  const shedding = createShedding(config.overload);
  closers.push(shedding.stop);
  const doors = createDoorkeeping(config, { log });
  const storeMetrics = createStoreMetrics(() => shared?.limits.isUp);
  const metrics = createMetrics({
    blocks: doors.counts,
    upstreams: [...ports.keys()],
    further: [
      ...upstreamMetrics(() => [...ports.values()].map((port) => port.standing())),
      ...storeMetrics.metrics,
    ],
    version,
    audit,
    certificates: () => expiries.certificates,
    lists: () => expiries.lists,
    activeExchanges: () => active,
    limitKeys: () => limitStore.size,
    overload: shedding.measures,
    revocations: () => withdrawal.revocations.counts(),
    redactor,
  });
  const recorder = doors.watching(createRecorder({ audit, metrics, log }));
  const outbound = createOutbound(config.outbound, { log, metrics });
  closers.push(() => outbound.close());
  const shared = await openSharedStore(config, {
    keys,
    workers: around?.workers ?? 1,
    log,
    metrics,
    answered: storeMetrics.answered,
  });
  closers.push(() => shared?.close());
  const state = chooseState(shared?.state, around);
  closers.push(() => state.close());
  const identity = createIdentity(identityOptionsOf(config), {
    dial: outbound.dial,
    revocations: withdrawal.revocations,
    nonceKeys: keys,
    metrics,
    state,
  });
  closers.push(() => identity.close());

  const content = await createContentChecks(config, {
    ports,
    redactionKey: around?.redactionKey,
    log,
    policy: () => inForce.policy,
    onPinEvent(event) {
      metrics.pinEvent(event);
      audit.definition(event, now());
    },
    onBound: (bound, upstream) => metrics.boundReached({ bound, upstream }),
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
  const upstream = (name: string) => {
    const port = ports.get(name);
    return port === undefined ? undefined : { port, catalog: content.catalogOf(name) };
  };
  const monotonic = (): number => performance.now();
  const limitStore = chooseLimitStore(config, shared?.limits, around, { log, metrics });
  closers.push(() => limitStore.close());
  const gate = composeGate(config, {
    ...content.filterDeps,
    limits: limitStore,
    state,
    shedding,
    keys,
    resources,
    now,
    monotonic,
    log,
    metrics,
    recorder,
    open: withdrawal.open,
    identify: (evidence) => identity.authenticate(evidence),
    upstream,
    policy: () => inForce.policy,
  });

  const listeners = await openListeners(
    config,
    {
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
      ...doors.listening,
      onFlood: (kind) => metrics.floodRefused(kind),
      entrance: shedding.entrance,
      isRevoked: (certificate) => withdrawal.revocations.isCertificateRevoked(certificate),
      onCut: (peer) => withdrawal.onCut(peer),
      onRefusal: (refusal) => recordRefusal(refusal, recorder, now()),
    },
    (listener) => closers.push(() => listener.close(0)),
  );
  withdrawal.attach({ identity, listeners });

  const ready = (): Readiness =>
    readinessOf({
      draining,
      auditAccepting: audit.accepting(),
      policyHash: inForce.policy.hash,
      failedReloads: reload.failing(),
      storeUp: shared?.limits.isUp,
    });
  const operators = await openOperatorPorts(config, around, {
    admin: {
      live: () => true,
      ready,
      metrics: () => metrics.scrape(),
      metricsType: metrics.contentType,
      onRefusal: (refusal) => recordRefusal(refusal, recorder, now()),
    },
    control: doors.commands,
  });
  closers.push(() => operators.close());

  const reload = createReloader(
    () => [
      // First: what is withdrawn waits for nothing else.
      ...withdrawal.reloadSteps,
      inForce.reloadStep,
      { what: 'outbound', read: () => outbound.reload() },
      ...content.reloadSteps,
      ...upstreams.reloadSteps,
      ...tlsReloadSteps(listeners),
    ],
    {
      log,
      sleep,
      monotonic,
      onJoined: () => metrics.reloadJoined(),
      async after(reason, failing) {
        if (reason === 'signal') await audit.reload();
        holdSecrets();
        expiries.readAgain();
        metrics.reloaded(failing.length === 0 ? 'success' : 'failure', now());
        log.info('reloaded', { reason, policy: inForce.policy.hash, failing });
      },
    },
  );

  const watcher = await watchConfig(config, before, log, () => reload.run('files'));
  closers.push(() => watcher?.close());

  const gateway: Gateway = {
    listeners: listeners.map(({ address }) => ({ url: address.url })),
    adminUrl: operators.adminUrl,
    inner: {
      ready,
      numbers: () => metrics.snapshot(),
      policy: () => inForce.policy.hash,
      blocks: doors.commands,
    },
    reload: (reason) => reload.run(reason),
    drain() {
      draining = true;
      return drain({
        delayMs: config.drain.delay,
        deadlineMs: config.drain.deadline,
        listeners,
        open: withdrawal.open,
        active: () => active,
        streams: () => active - shedding.measures.underWay,
        log,
        sleep,
        quiet: () => watcher?.close(),
        async closeInner() {
          await Promise.all([...ports.values()].map((port) => port.close()));
          await content.close();
          identity.close();
          await outbound.close();
          shedding.stop();
          await limitStore.close();
          await shared?.close();
        },
        closeAudit: () => audit.close(),
        closeAdmin: () => operators.close(),
      });
    },
  };
  metrics.reloaded('success', now());
  // Of several, the primary says it, once all of them do.
  log[around === undefined ? 'info' : 'debug'](around === undefined ? 'serving' : 'a worker serves', {
    version,
    policy: inForce.policy.hash,
    listeners: gateway.listeners.map(({ url }) => url),
    admin: gateway.adminUrl,
  });
  return gateway;
}
