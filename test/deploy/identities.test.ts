import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { generateCerts } from '../../src/cli/generate-certs.ts';
import { parseSpiffeId } from '../../src/identity/spiffe.ts';
import type { CertificateSpec } from './identity-kinds.ts';
import { type Manifest, only, render } from './render.ts';
import { manifestProblems } from './strict-manifest.ts';

interface Volume {
  readonly name: string;
  readonly secret?: {
    readonly secretName: string;
    readonly items?: readonly { key: string; path: string }[];
  };
  readonly csi?: { readonly driver: string; readonly readOnly: boolean };
  readonly emptyDir?: { readonly medium?: string };
}

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly restartPolicy?: string;
  readonly startupProbe?: { readonly httpGet: { readonly path: string; readonly port: number } };
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly initContainers?: readonly Container[];
        readonly containers: readonly Container[];
        readonly volumes: readonly Volume[];
      };
    };
  };
}

interface GatewayFile {
  readonly listeners: readonly {
    readonly hosts: readonly string[];
    readonly tls: {
      readonly certificate: string;
      readonly key: string;
      readonly clients: { readonly ca: string };
    };
  }[];
  readonly identity: readonly {
    readonly certificate: { readonly trust?: readonly { domain: string; ca: string }[] };
  }[];
}

function gatewayFile(manifests: readonly Manifest[]): GatewayFile {
  const map = only<{ data: Record<string, string> }>(manifests, 'ConfigMap', /^sallyport-config-/);
  return parse(map.data['sallyport.yaml']!) as GatewayFile;
}

const podOf = (manifests: readonly Manifest[]) =>
  only<Deployment>(manifests, 'Deployment').spec.template.spec;
const volume = (pod: ReturnType<typeof podOf>, name: string) => pod.volumes.find((one) => one.name === name)!;

describe('the cert-manager overlay', () => {
  let manifests: readonly Manifest[];
  const certificate = (name: RegExp) => only<{ spec: CertificateSpec }>(manifests, 'Certificate', name).spec;

  beforeAll(async () => {
    manifests = await render('overlays/cert-manager');
  });

  it('writes the Secrets that the pod mounts, and keeps the key of the CA out of every pod', () => {
    const pod = podOf(manifests);
    const server = certificate(/^sallyport-tls$/);
    expect(volume(pod, 'tls').secret).toMatchObject({
      secretName: server.secretName,
      items: [{ key: 'tls.crt' }, { key: 'tls.key' }],
    });
    expect(volume(pod, 'clients').secret).toMatchObject({
      secretName: server.secretName,
      items: [{ key: 'ca.crt', path: 'ca.crt' }],
    });
    const mounted = pod.volumes.map(({ secret }) => secret?.secretName);
    expect(mounted).not.toContain(certificate(/^sallyport-ca$/).secretName);
    expect(mounted).not.toContain(certificate(/^example-agent$/).secretName);
  });

  it('gives each certificate one purpose, from an issuer that exists', () => {
    expect(certificate(/^sallyport-tls$/).usages).toEqual(['digital signature', 'server auth']);
    expect(certificate(/^example-agent$/).usages).toEqual(['digital signature', 'client auth']);
    expect(certificate(/^sallyport-ca$/)).toMatchObject({ isCA: true, usages: ['cert sign', 'crl sign'] });
    const issuers = manifests.filter(({ kind }) => kind === 'Issuer').map(({ metadata }) => metadata.name);
    for (const name of [/^sallyport-tls$/, /^example-agent$/, /^sallyport-ca$/])
      expect(issuers).toContain(certificate(name).issuerRef.name);
    const signing = only<{ spec: { ca: { secretName: string } } }>(manifests, 'Issuer', /^sallyport$/);
    expect(signing.spec.ca.secretName).toBe(certificate(/^sallyport-ca$/).secretName);
    expect(certificate(/^sallyport-tls$/).issuerRef.name).toBe('sallyport');
    expect(certificate(/^example-agent$/).issuerRef.name).toBe('sallyport');
  });

  it('names the hosts that the gateway serves, and one SPIFFE ID for the client', () => {
    expect(certificate(/^sallyport-tls$/).dnsNames).toEqual(gatewayFile(manifests).listeners[0]?.hosts);
    const { uris, dnsNames } = certificate(/^example-agent$/);
    expect(uris?.map(parseSpiffeId)).toEqual([expect.objectContaining({ trustDomain: 'acme.example' })]);
    expect(dnsNames).toBeUndefined();
  });
});

describe('the SPIRE overlay', () => {
  it('has the files that the gateway reads written by a helper that starts first', async () => {
    const manifests = await render('overlays/spire');
    const pod = podOf(manifests);
    const config = gatewayFile(manifests);
    const [helper] = pod.initContainers!;
    expect(helper).toMatchObject({ name: 'spiffe-helper', restartPolicy: 'Always' });
    const map = only<{ metadata: { name: string }; data: Record<string, string> }>(
      manifests,
      'ConfigMap',
      /^spiffe-helper-/,
    );
    const settings = Object.fromEntries(
      [...map.data['helper.conf']!.matchAll(/^\s*(\w+) = "?([^"\n]+)"?$/gm)].map(([, key, value]) => [
        key,
        value,
      ]),
    );
    const written = (name: string) => `${settings['cert_dir']}/${settings[name]}`;
    const tls = config.listeners[0]!.tls;
    expect(tls.certificate).toBe(written('svid_file_name'));
    expect(tls.key).toBe(written('svid_key_file_name'));
    expect(tls.clients.ca).toBe(written('svid_bundle_file_name'));
    // Without a domain, a bundle with more than one would let each name the workloads of all.
    expect(config.identity[0]?.certificate.trust).toEqual([{ domain: 'acme.example', ca: tls.clients.ca }]);
    expect(settings['include_federated_domains']).toBe('false');
    expect(helper!.startupProbe?.httpGet).toEqual({
      path: settings['readiness_path'],
      port: Number(settings['bind_port']),
    });
    const mount = (container: Container, path: string) =>
      container.volumeMounts.find(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`))!;
    const shared = mount(helper!, settings['cert_dir']!);
    expect(shared.readOnly).toBeUndefined();
    expect(volume(pod, shared.name).emptyDir?.medium).toBe('Memory');
    expect(mount(pod.containers[0]!, tls.key)).toMatchObject({ name: shared.name, readOnly: true });
    const agent = mount(helper!, settings['agent_address']!);
    expect(volume(pod, agent.name).csi).toEqual({ driver: 'csi.spiffe.io', readOnly: true });
    // Whoever reaches the agent can ask for the identity of the pod.
    expect(pod.containers[0]!.volumeMounts.map(({ name }) => name)).not.toContain(agent.name);
    const id = only<{ spec: { dnsNameTemplates: readonly string[] } }>(manifests, 'ClusterSPIFFEID');
    expect(id.spec.dnsNameTemplates).toEqual(config.listeners[0]!.hosts);
    expect(mount(helper!, helper!.args[1]!).name).toBe('spiffe-helper');
  });
});

describe('the component crl', () => {
  it('names the list in the Secret that clients are held against', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kustomize-'));
    try {
      const deploy = join(import.meta.dirname, '../../deploy/kustomize');
      const to = (name: string) => relative(folder, join(deploy, name));
      const lines = [`resources: [${to('base')}]`, `components: [${to('components/crl')}]`];
      await writeFile(join(folder, 'kustomization.yaml'), lines.join('\n'));
      const manifests = await render(relative(deploy, folder));
      expect(podOf(manifests).containers[0]!.args).toEqual([
        'run',
        '--set=listeners.0.tls.clients.crl=/etc/sallyport/clients/ca.crl',
        '--config',
        '/etc/sallyport/config/sallyport.yaml',
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('generate-certs --k8s-secrets', () => {
  let folder: string;
  const secrets = new Map<string, Manifest & { type: string; data: Record<string, string> }>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'k8s-secrets-'));
    const io = { stdout: () => {}, stderr: () => {} };
    const clients = ['--client', 'My_Agent.v1=spiffe://acme.example/a', '--client-cn', 'bob'];
    const out = ['--out', join(folder, 'certs'), '--k8s-secrets', join(folder, 'k8s')];
    expect(await generateCerts([...out, '--namespace', 'sallyport', ...clients], io)).toBe(0);
    for (const name of await readdir(join(folder, 'k8s'))) {
      const text = await readFile(join(folder, 'k8s', name), 'utf8');
      secrets.set(name.replace('.yaml', ''), parse(text));
    }
  });

  afterAll(() => rm(folder, { recursive: true }));

  it('writes Secrets that the Kubernetes types allow, readable by their owner alone', async () => {
    expect([...secrets.keys()].sort()).toEqual([
      'sallyport-client-bob',
      'sallyport-client-my-agent.v1',
      'sallyport-clients',
      'sallyport-tls',
    ]);
    for (const [name, secret] of secrets) {
      expect(await manifestProblems(secret)).toEqual([]);
      expect(secret.metadata).toMatchObject({ name, namespace: 'sallyport' });
      expect(((await stat(join(folder, 'k8s', `${name}.yaml`))).mode & 0o777).toString(8)).toBe('600');
    }
  });

  it('names them as the base mounts them, with the files that the gateway reads', async () => {
    const manifests = await render('base');
    const pod = podOf(manifests);
    const tls = gatewayFile(manifests).listeners[0]!.tls;
    for (const path of [tls.certificate, tls.key, tls.clients.ca]) {
      const mount = pod.containers[0]!.volumeMounts.find(({ mountPath }) =>
        path.startsWith(`${mountPath}/`),
      )!;
      const secret = secrets.get(volume(pod, mount.name).secret!.secretName);
      expect(Object.keys(secret!.data)).toContain(path.slice(mount.mountPath.length + 1));
    }
    expect(secrets.get('sallyport-clients')).toMatchObject({ type: 'Opaque' });
    expect(secrets.get('sallyport-tls')).toMatchObject({ type: 'kubernetes.io/tls' });
    // What is mounted to check clients must not be able to make them.
    expect(Object.keys(secrets.get('sallyport-clients')!.data)).toEqual(['ca.crt', 'ca.crl']);
    const decoded = Buffer.from(secrets.get('sallyport-clients')!.data['ca.crl']!, 'base64').toString();
    expect(decoded).toBe(await readFile(join(folder, 'certs/ca/ca.crl'), 'utf8'));
  });
});
