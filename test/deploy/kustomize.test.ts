import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { crossChecks } from '../../src/config/checks.ts';
import { type GatewayFile, gatewayFileSchema } from '../../src/config/schema.ts';
import { parseDocument } from '../../src/document/parse-document.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { type Manifest, only, render } from './render.ts';
import { manifestProblems } from './strict-manifest.ts';

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly restartPolicy?: string;
  readonly ports?: readonly {
    readonly name: string;
    readonly containerPort: number;
    readonly hostPort?: number;
  }[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: Record<string, unknown>;
  readonly resources: { readonly limits?: Record<string, string> };
  readonly livenessProbe?: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly readinessProbe?: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
  }[];
}

interface Deployment {
  readonly spec: {
    readonly selector: { readonly matchLabels: Record<string, string> };
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> };
      readonly spec: {
        readonly initContainers?: readonly Container[];
        readonly containers: readonly Container[];
        readonly securityContext: Record<string, unknown>;
        readonly terminationGracePeriodSeconds: number;
        readonly volumes: readonly {
          readonly name: string;
          readonly configMap?: { readonly name: string };
        }[];
        readonly [member: string]: unknown;
      };
    };
  };
}

const restricted = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  privileged: false,
  capabilities: { drop: ['ALL'] },
};

describe.each(['base', 'overlays/sidecar', 'overlays/ingress', 'overlays/cert-manager', 'overlays/spire'])(
  'deploy/kustomize/%s',
  (folder) => {
    let manifests: readonly Manifest[];
    let pod: Deployment['spec']['template']['spec'];
    let containers: readonly Container[];
    let gateway: Container;
    let config: GatewayFile;

    beforeAll(async () => {
      manifests = await render(folder);
      pod = only<Deployment>(manifests, 'Deployment').spec.template.spec;
      containers = [...(pod.initContainers ?? []), ...pod.containers];
      gateway = containers.find(({ name }) => name === 'sallyport') as Container;
      config = readConfig(configMapText(manifests, /^sallyport-config-/, 'sallyport.yaml'));
    });

    it('is what the Kubernetes types allow, field by field', async () => {
      for (const manifest of manifests) {
        expect({ [manifest.kind]: await manifestProblems(manifest) }).toEqual({ [manifest.kind]: [] });
      }
    });

    it('keeps every container within the restricted pod security standard', () => {
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { name, securityContext } of containers) {
        expect({ name, securityContext }).toEqual({ name, securityContext: restricted });
      }
      for (const member of ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace']) {
        expect(pod).not.toHaveProperty(member);
      }
      const kinds = new Set(pod.volumes.flatMap((volume) => Object.keys(volume)));
      // The CSI volume is the way to the agent of the node, in place of a path of the node.
      const csi = folder === 'overlays/spire' ? ['csi'] : [];
      expect(kinds).toEqual(new Set(['name', 'configMap', 'secret', 'emptyDir', ...csi]));
      expect(only(manifests, 'Namespace').metadata).toMatchObject({
        labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
      });
    });

    it('opens no port of the node and bounds the memory of every container', () => {
      for (const { ports, resources } of containers) {
        expect(ports?.filter((port) => port.hostPort !== undefined) ?? []).toEqual([]);
        expect(resources.limits?.['memory']).toMatch(/^\d+Mi$/);
      }
    });

    it('gives the pod no token for the API server', () => {
      expect(pod['automountServiceAccountToken']).toBe(false);
      expect(only(manifests, 'ServiceAccount')['automountServiceAccountToken']).toBe(false);
    });

    it('pins every image to a version, the own one to the version of this package', async () => {
      const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
        version: string;
      };
      expect(gateway.image).toBe(`registry.example.com/sallyport:${version}`);
      for (const { image } of containers) expect(image).toMatch(/^[a-z0-9.-]+\/[a-z0-9/-]+:\d+\.\d+\.\d+$/);
    });

    it('selects its own pods everywhere, and leaves the selectors of others alone', () => {
      const labels = only<Deployment>(manifests, 'Deployment').spec.template.metadata.labels;
      const selectors = [
        only<Deployment>(manifests, 'Deployment').spec.selector.matchLabels,
        only<{ spec: { selector: Record<string, string> } }>(manifests, 'Service').spec.selector,
        only<{ spec: { selector: { matchLabels: Record<string, string> } } }>(
          manifests,
          'PodDisruptionBudget',
        ).spec.selector.matchLabels,
        only<NetworkPolicy>(manifests, 'NetworkPolicy').spec.podSelector.matchLabels,
      ];
      for (const selector of selectors) {
        expect(Object.keys(selector)).not.toEqual([]);
        expect(labels).toMatchObject(selector);
      }
      expect(only<NetworkPolicy>(manifests, 'NetworkPolicy').spec.egress[0]?.to[0]?.podSelector).toEqual({
        matchLabels: { 'k8s-app': 'kube-dns' },
      });
    });

    it('denies what the network policy does not name, and keeps the admin port from other pods', () => {
      const { policyTypes, ingress } = only<NetworkPolicy>(manifests, 'NetworkPolicy').spec;
      expect(policyTypes).toEqual(['Ingress', 'Egress']);
      const admin = ingress.filter(({ ports }) => ports.some(({ port }) => port === 'admin'));
      expect(admin.map(({ from }) => from)).toEqual([
        [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
      ]);
      const service = only<{ spec: { ports: readonly { targetPort: string }[] } }>(manifests, 'Service');
      expect(service.spec.ports.map(({ targetPort }) => targetPort)).toEqual(['mcp']);
    });

    it('carries a gateway file that loads, on the ports of the pod', () => {
      expect(crossChecks(config)).toEqual([]);
      const port = (name: string) => gateway.ports?.find((one) => one.name === name)?.containerPort;
      expect(config.listeners.map(({ bind }) => bind)).toEqual([`0.0.0.0:${port('mcp')}`]);
      expect(config.admin.bind).toBe(`0.0.0.0:${port('admin')}`);
      expect(config.listeners[0]?.tls?.clients?.mode).toBe('require');
      expect(config.insecure).toEqual({ plaintext: false });
    });

    it('carries policies that compile without a warning', () => {
      const { data } = only<{ data: Record<string, string> }>(manifests, 'ConfigMap', /^sallyport-policies$/);
      const compiled = compilePolicy(Object.entries(data).map(([file, text]) => ({ file, text })));
      expect(compiled).toMatchObject({ ok: true, warnings: [] });
    });

    it('mounts folders for all that the gateway file names, so that changes arrive in place', () => {
      const mounts = gateway.volumeMounts ?? [];
      expect(mounts.filter((mount) => mount.subPath !== undefined)).toEqual([]);
      const tls = config.listeners[0]?.tls;
      const named = [
        tls?.certificate,
        tls?.key,
        ...(tls?.clients?.ca ?? []),
        ...(config.session.keys ?? []),
        config.audit.file,
        `${config.policies}/`,
        gateway.args?.at(-1),
      ];
      for (const path of named) {
        expect(
          mounts.some(({ mountPath }) => path?.startsWith(`${mountPath}/`)),
          path,
        ).toBe(true);
      }
      const mapped = pod.volumes.find(({ name }) => name === 'config')?.configMap?.name;
      expect(mapped).toBe(only(manifests, 'ConfigMap', /^sallyport-config-/).metadata.name);
    });

    it('asks the admin port whether it lives and is ready, and has time to drain', () => {
      expect(gateway.livenessProbe?.httpGet).toEqual({ path: '/livez', port: 'admin' });
      expect(gateway.readinessProbe?.httpGet).toEqual({ path: '/readyz', port: 'admin' });
      const drain = (config.drain.delay + config.drain.deadline) / 1000;
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(drain);
    });
  },
);

describe('the sidecar overlay', () => {
  it('starts the gateway before the server, keeps it running, and talks to the server over loopback', async () => {
    const manifests = await render('overlays/sidecar');
    const pod = only<Deployment>(manifests, 'Deployment').spec.template.spec;
    expect(pod.initContainers?.map(({ name, restartPolicy }) => ({ name, restartPolicy }))).toEqual([
      { name: 'sallyport', restartPolicy: 'Always' },
    ]);
    expect(pod.containers.map(({ name }) => name)).toEqual(['example-mcp-server']);
    expect(pod.containers[0]?.env).toContainEqual({ name: 'HOST', value: '127.0.0.1' });
    expect(pod.containers[0]?.ports).toBeUndefined();
    const config = readConfig(configMapText(manifests, /^sallyport-config-/, 'sallyport.yaml'));
    expect(config.upstreams.map(({ http }) => http.url)).toEqual(['http://127.0.0.1:3001/mcp']);
    expect(only<NetworkPolicy>(manifests, 'NetworkPolicy').spec.egress).toHaveLength(1);
  });
});

describe('the ingress overlay', () => {
  it('passes TLS through to the gateway for a name that the gateway serves', async () => {
    const manifests = await render('overlays/ingress');
    const config = readConfig(configMapText(manifests, /^sallyport-config-/, 'sallyport.yaml'));
    const route = only<{
      spec: {
        parentRefs: readonly { name: string; sectionName: string }[];
        hostnames: readonly string[];
        rules: readonly { backendRefs: readonly { name: string; port: number }[] }[];
      };
    }>(manifests, 'TLSRoute').spec;
    const edge = only<Manifest & { spec: { listeners: readonly { name: string; hostname: string }[] } }>(
      manifests,
      'Gateway',
    );
    const service = only<Manifest & { spec: { ports: readonly { port: number }[] } }>(manifests, 'Service');
    const [listener] = edge.spec.listeners;
    expect(route.parentRefs).toEqual([{ name: edge.metadata.name, sectionName: listener?.name }]);
    expect(route.hostnames).toEqual([listener?.hostname]);
    expect(config.listeners[0]?.hosts).toEqual(expect.arrayContaining([...route.hostnames]));
    expect(route.rules[0]?.backendRefs).toEqual([
      { name: service.metadata.name, port: service.spec.ports[0]?.port },
    ]);
  });
});

describe('the strict check itself', () => {
  // Every misspelling here would be dropped in silence by a lenient API server.
  it.each([
    ['securitycontext', ['spec', 'template', 'spec']],
    ['runAsNonroot', ['spec', 'template', 'spec', 'securityContext']],
    ['readOnlyRootFileSystem', ['spec', 'template', 'spec', 'containers', '0', 'securityContext']],
    ['readonly', ['spec', 'template', 'spec', 'containers', '0', 'volumeMounts', '0']],
    ['replica', ['spec']],
    ['specs', []],
  ])('refuses the unknown field %s', async (field, path) => {
    const deployment = structuredClone(only(await render('base'), 'Deployment'));
    let place: Record<string, unknown> = deployment as unknown as Record<string, unknown>;
    for (const step of path) place = place[step] as Record<string, unknown>;
    place[field] = true;
    expect(await manifestProblems(deployment)).toEqual([`/${[...path, field].join('/')}: unknown field`]);
  });

  it('refuses a wrong type, a kind that it does not know, and unknown fields of the Gateway API', async () => {
    const deployment = structuredClone(
      only<{ spec: { replicas: unknown } }>(await render('base'), 'Deployment'),
    );
    deployment.spec.replicas = 'two';
    expect(await manifestProblems(deployment as unknown as Manifest)).toContainEqual('/spec/replicas: type');
    const route = structuredClone(only(await render('overlays/ingress'), 'TLSRoute'));
    expect(await manifestProblems({ ...route, apiVersion: 'gateway.networking.k8s.io/v1alpha2' })).toEqual([
      'gateway.networking.k8s.io/v1alpha2 TLSRoute: no schema to check it against',
    ]);
    expect(await manifestProblems({ ...route, status: {} })).toHaveLength(1);
  });
});

interface NetworkPolicy {
  readonly spec: {
    readonly podSelector: { readonly matchLabels: Record<string, string> };
    readonly policyTypes: readonly string[];
    readonly ingress: readonly {
      readonly from: unknown;
      readonly ports: readonly { readonly port: string | number }[];
    }[];
    readonly egress: readonly { readonly to: readonly { readonly podSelector?: unknown }[] }[];
  };
}

const root = join(import.meta.dirname, '../..');

function configMapText(manifests: readonly Manifest[], name: RegExp, key: string): string {
  const text = only<{ data: Record<string, string> }>(manifests, 'ConfigMap', name).data[key];
  if (text === undefined) throw new Error(`The ConfigMap has no ${key}`);
  return text;
}

/** The gateway's own reading of the file, without the files that it names: those come with the cluster's secrets. */
function readConfig(text: string): GatewayFile {
  const parsed = parseDocument<GatewayFile>({ file: 'sallyport.yaml', text }, gatewayFileSchema, {
    environment: {},
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems, null, 2));
  return parsed.value;
}
