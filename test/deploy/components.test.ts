import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { crossChecks } from '../../src/config/checks.ts';
import { type GatewayFile, gatewayFileSchema } from '../../src/config/schema.ts';
import { metricDefinitions } from '../../src/observe/metric-definitions.ts';
import { type Manifest, only, render } from './render.ts';
import { manifestProblems } from './strict-manifest.ts';

const deploy = join(import.meta.dirname, '../../deploy/kustomize');

async function withComponents(...names: readonly string[]): Promise<readonly Manifest[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kustomize-'));
  try {
    const to = (name: string) => relative(folder, join(deploy, name));
    const components = names.map((name) => to(`components/${name}`)).join(', ');
    await writeFile(
      join(folder, 'kustomization.yaml'),
      `resources: [${to('base')}]\ncomponents: [${components}]\n`,
    );
    return await render(relative(deploy, folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface PodSpec {
  readonly containers: readonly {
    readonly args: readonly string[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
}

describe('the component redis', () => {
  let manifests: readonly Manifest[];
  let deployment: {
    readonly spec: { readonly replicas: number; readonly template: { readonly spec: PodSpec } };
  };

  beforeAll(async () => {
    manifests = await withComponents('redis');
    deployment = only(manifests, 'Deployment');
  });

  /** The gateway file of the base with the flags of the pod, as `loadConfig` reads it but for the files that it names. */
  function config(): GatewayFile {
    const { args } = deployment.spec.template.spec.containers[0]!;
    const flags = args.filter((arg) => arg.startsWith('--set=')).map((arg) => arg.slice('--set='.length));
    const { data } = only<{ data: Record<string, string> }>(manifests, 'ConfigMap', /^sallyport-config-/);
    const raw = parse(data['sallyport.yaml']!) as Record<string, unknown>;
    for (const flag of flags) {
      const [, path, value] = /^([^=]+)=(.*)$/.exec(flag)!;
      const steps = path!.split('.');
      let place = raw;
      for (const step of steps.slice(0, -1)) {
        place[step] ??= {};
        place = place[step] as Record<string, unknown>;
      }
      place[steps.at(-1)!] = parse(value!);
    }
    return gatewayFileSchema.parse(raw);
  }

  it('is what the Kubernetes types allow, field by field', async () => {
    for (const manifest of manifests) expect(await manifestProblems(manifest)).toEqual([]);
  });

  it('gives a gateway file that loads, with TLS, a user of its own, and as many replicas as there are', () => {
    const file = config();
    expect(crossChecks(file)).toEqual([]);
    expect(file.store.redis).toMatchObject({
      url: expect.stringMatching(/^rediss:/),
      username: 'sallyport',
      replicas: deployment.spec.replicas,
    });
  });

  it('mounts the Secret that holds the password and the CA', () => {
    const { redis } = config().store;
    const { containers, volumes } = deployment.spec.template.spec;
    const { mountPath } = containers[0]!.volumeMounts.find(({ name }) => name === 'redis')!;
    const named = [(redis!.password as { file: string }).file, ...[redis!.tls?.ca].flat()];
    expect(named).toEqual([`${mountPath}/password`, `${mountPath}/ca.crt`]);
    expect(volumes.find(({ name }) => name === 'redis')?.secret?.secretName).toBe('sallyport-redis');
  });

  it('lets the pods reach the port of the server, and no other', () => {
    const { egress } = only<{ spec: { egress: readonly unknown[] } }>(manifests, 'NetworkPolicy').spec;
    expect(egress).toHaveLength(3);
    const { hostname, port } = new URL(config().store.redis!.url!);
    expect(egress[2]).toEqual({
      to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': hostname.split('.')[1] } } }],
      ports: [{ protocol: 'TCP', port: Number(port) }],
    });
  });
});

describe('the component alerts', () => {
  let rules: readonly Rule[];

  beforeAll(async () => {
    const manifests = await withComponents('alerts');
    rules = only<{ spec: { groups: readonly { rules: readonly Rule[] }[] } }>(
      manifests,
      'PrometheusRule',
    ).spec.groups.flatMap((group) => group.rules);
    const monitor = only<{ spec: unknown }>(manifests, 'PodMonitor');
    expect(monitor.spec).toEqual({
      selector: { matchLabels: { 'app.kubernetes.io/name': 'sallyport' } },
      podMetricsEndpoints: [{ port: 'admin', path: '/metrics' }],
    });
  });

  it('asks only for metrics and labels that the gateway has', () => {
    const known = new Map(metricDefinitions.map(({ name, labels }) => [name, labels as readonly string[]]));
    for (const { alert, expr } of rules) {
      const asked = [...expr.matchAll(/(sallyport_\w+)(?:\{([^}]*)\})?/g)];
      expect(asked, alert).not.toEqual([]);
      for (const [, name, selector] of asked) {
        expect([...known.keys()], alert).toContain(name);
        const named = [...(selector ?? '').matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label);
        const grouped = [
          ...expr.matchAll(/(?:by|ignoring) \(([^)]*)\)/g),
          ...expr.matchAll(/ignoring\(([^)]*)\)/g),
        ];
        const labels = grouped.flatMap(([, list]) => list!.split(',').map((label) => label.trim()));
        for (const label of [...named, ...labels])
          expect(known.get(name!), `${alert}: ${label}`).toContain(label);
      }
    }
  });

  it('has one for each way in which a gateway stops doing its work', () => {
    const alerts = rules.map(({ alert }) => alert);
    expect(new Set(alerts).size).toBe(alerts.length);
    expect(alerts).toEqual(
      expect.arrayContaining([
        'SallyportAuditFailing',
        'SallyportStoreLost',
        'SallyportBreakerOpen',
        'SallyportSheds',
        'SallyportShedsCalls',
        'SallyportAddressesBlocked',
        'SallyportCertificateExpires',
        'SallyportWorkersMissing',
      ]),
    );
    for (const { labels } of rules) expect(['page', 'ticket']).toContain(labels.severity);
  });

  it('is told of in the documentation, alert by alert', async () => {
    const page = await readFile(join(deploy, '../../docs/metrics.md'), 'utf8');
    const told = [...page.matchAll(/`(Sallyport[A-Z]\w+)`/g)].map(([, name]) => name);
    expect(told.sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });
});
