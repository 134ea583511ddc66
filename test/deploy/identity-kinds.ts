/** The part of cert-manager's and SPIRE's kinds that the overlays use; all else is refused, because it may be misspelt. */

import { type ZodType, z } from 'zod';

const metadata = z.strictObject({
  name: z.string(),
  namespace: z.string().optional(),
  labels: z.record(z.string(), z.string()),
});
const object = <T extends ZodType>(spec: T) =>
  z.strictObject({ apiVersion: z.string(), kind: z.string(), metadata, spec });
const hours = z.string().regex(/^\d+h$/);

const certificate = z.strictObject({
  isCA: z.literal(true).optional(),
  commonName: z.string().max(64).optional(),
  secretName: z.string(),
  dnsNames: z.array(z.string()).optional(),
  uris: z.array(z.string()).optional(),
  duration: hours,
  renewBefore: hours.optional(),
  usages: z.array(z.enum(['digital signature', 'server auth', 'client auth', 'cert sign', 'crl sign'])),
  privateKey: z.strictObject({
    algorithm: z.literal('ECDSA'),
    size: z.union([z.literal(256), z.literal(384)]),
    rotationPolicy: z.enum(['Always', 'Never']),
  }),
  issuerRef: z.strictObject({
    group: z.literal('cert-manager.io'),
    kind: z.enum(['Issuer', 'ClusterIssuer']),
    name: z.string(),
  }),
});

const issuer = z.union([
  z.strictObject({ selfSigned: z.strictObject({}) }),
  z.strictObject({ ca: z.strictObject({ secretName: z.string() }) }),
]);

const selector = z.strictObject({ matchLabels: z.record(z.string(), z.string()) });

const clusterSpiffeId = z.strictObject({
  spiffeIDTemplate: z.string(),
  dnsNameTemplates: z.array(z.string()),
  namespaceSelector: selector,
  podSelector: selector,
});

export type CertificateSpec = z.infer<typeof certificate>;

export const identityKinds: ReadonlyMap<string, ZodType> = new Map<string, ZodType>([
  ['cert-manager.io/v1 Certificate', object(certificate)],
  ['cert-manager.io/v1 Issuer', object(issuer)],
  ['spire.spiffe.io/v1alpha1 ClusterSPIFFEID', object(clusterSpiffeId)],
]);
