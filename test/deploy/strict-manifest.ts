/**
 * Says what an API server in strict mode would refuse: wrong types, missing fields, and fields that it does not know.
 * A misspelt field is the dangerous one: without strictness it is dropped, and with it what it was meant to forbid.
 */

import { type ZodType, z } from 'zod';
import { identityKinds } from './identity-kinds.ts';
import type { Manifest } from './render.ts';

interface Validate {
  (data: unknown): boolean;
  errors?: readonly { readonly instancePath: string; readonly keyword: string }[] | null;
}

const schemas: ReadonlyMap<string, string> = new Map([
  ['v1 ConfigMap', 'IoK8sApiCoreV1ConfigMap'],
  ['v1 Namespace', 'IoK8sApiCoreV1Namespace'],
  ['v1 Secret', 'IoK8sApiCoreV1Secret'],
  ['v1 Service', 'IoK8sApiCoreV1Service'],
  ['v1 ServiceAccount', 'IoK8sApiCoreV1ServiceAccount'],
  ['apps/v1 Deployment', 'IoK8sApiAppsV1Deployment'],
  ['networking.k8s.io/v1 NetworkPolicy', 'IoK8sApiNetworkingV1NetworkPolicy'],
  ['policy/v1 PodDisruptionBudget', 'IoK8sApiPolicyV1PodDisruptionBudget'],
]);

/** All problems of one object; none where it is fine. */
export async function manifestProblems(manifest: Manifest): Promise<readonly string[]> {
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const own = gatewayApi.get(kind) ?? identityKinds.get(kind);
  if (own !== undefined) {
    const parsed = own.safeParse(manifest);
    return parsed.success
      ? []
      : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  }
  const schema = schemas.get(kind);
  if (schema === undefined) return [`${kind}: no schema to check it against`];
  const { validate } = (await import(`kubernetes-models/_schemas/${schema}`)) as { validate: Validate };
  const watched = new Watched();
  const problems: string[] = [];
  if (!validate(watched.wrap(manifest, ''))) {
    problems.push(...(validate.errors ?? []).map((error) => `${error.instancePath}: ${error.keyword}`));
  }
  return [...problems, ...watched.unread().map((path) => `${path}: unknown field`)];
}

/**
 * Lets the compiled validators tell which fields exist: they read every field that the Kubernetes types have, and
 * walk over the keys where any key goes, such as labels. What they never looked at is unknown.
 */
class Watched {
  readonly #objects: {
    readonly path: string;
    readonly keys: readonly string[];
    readonly read: Set<string>;
  }[] = [];

  wrap<T extends object>(value: T, path: string): T {
    const keys = Array.isArray(value) ? [] : Object.keys(value);
    const read = new Set<string>();
    this.#objects.push({ path, keys, read });
    const wrapped = new Map<string, unknown>();
    return new Proxy(value, {
      get: (target, key) => {
        const member = Reflect.get(target, key) as unknown;
        if (typeof key === 'symbol' || typeof member !== 'object' || member === null) {
          read.add(String(key));
          return member;
        }
        read.add(key);
        if (!wrapped.has(key)) wrapped.set(key, this.wrap(member, `${path}/${key}`));
        return wrapped.get(key);
      },
      ownKeys: (target) => {
        for (const key of keys) read.add(key);
        return Reflect.ownKeys(target);
      },
    });
  }

  unread(): readonly string[] {
    return this.#objects.flatMap(({ path, keys, read }) =>
      keys.filter((key) => !read.has(key)).map((key) => `${path}/${key}`),
    );
  }
}

const metadata = z.strictObject({
  name: z.string(),
  namespace: z.string(),
  labels: z.record(z.string(), z.string()),
});
const hostname = z.string().regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/);
const port = z.int().min(1).max(65_535);

/** The part of the Gateway API (1.5, standard channel) that the ingress overlay uses; all else is refused. */
const gatewayApi: ReadonlyMap<string, ZodType> = new Map<string, ZodType>([
  [
    'gateway.networking.k8s.io/v1 Gateway',
    z.strictObject({
      apiVersion: z.string(),
      kind: z.string(),
      metadata,
      spec: z.strictObject({
        gatewayClassName: z.string(),
        listeners: z
          .array(
            z.strictObject({
              name: z.string(),
              protocol: z.literal('TLS'),
              port,
              hostname,
              tls: z.strictObject({ mode: z.literal('Passthrough') }),
              allowedRoutes: z.strictObject({
                namespaces: z.strictObject({ from: z.enum(['All', 'Same', 'Selector', 'None']) }),
                kinds: z.array(z.strictObject({ kind: z.literal('TLSRoute') })),
              }),
            }),
          )
          .min(1),
      }),
    }),
  ],
  [
    'gateway.networking.k8s.io/v1 TLSRoute',
    z.strictObject({
      apiVersion: z.string(),
      kind: z.string(),
      metadata,
      spec: z.strictObject({
        parentRefs: z.array(z.strictObject({ name: z.string(), sectionName: z.string() })).min(1),
        hostnames: z.array(hostname).min(1),
        rules: z
          .array(z.strictObject({ backendRefs: z.array(z.strictObject({ name: z.string(), port })).min(1) }))
          .length(1),
      }),
    }),
  ],
]);
