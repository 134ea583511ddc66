import type { DocumentPath } from '../document/problems.ts';
import { isLoopbackBind } from '../listener/options.ts';
import { binds } from './bind-checks.ts';
import { outboundChecks } from './outbound-checks.ts';
import { resources } from './resource-checks.ts';
import type { GatewayFile } from './schema.ts';
import { tokenChecks } from './token-checks.ts';
import { clearCredentials, upstreamCredentials } from './upstream-credential-checks.ts';

/** What a check of the whole file found. */
export interface Finding {
  readonly at: DocumentPath;
  readonly message: string;
}

/** What one section alone cannot tell: names that must differ, parts that need one another. */
export function crossChecks(config: GatewayFile): readonly Finding[] {
  return [
    ...repeated(config.upstreams, 'name'),
    ...repeated(config.upstreams, 'path'),
    ...binds(config),
    ...plaintext(config),
    ...identity(config),
    ...resources(config),
    ...tokenChecks(config),
    ...outboundChecks(config),
    ...upstreamCredentials(config),
    ...sharedStore(config),
  ];
}

/** Replicas find each other's counts only under names that all of them make alike. */
function sharedStore(config: GatewayFile): readonly Finding[] {
  if (config.store.redis === undefined || config.session.keys !== undefined) return [];
  return [
    {
      at: ['store', 'redis'],
      message:
        'session.keys is missing: names in the store are made with it, and with a random key no two processes would ' +
        'count the same. Give every replica the same session.keys',
    },
  ];
}

/** Sentences about what the operator chose to leave open. */
export function insecureWarnings(config: GatewayFile): readonly string[] {
  const warnings: string[] = [];
  if (config.insecure.anonymous !== undefined) {
    warnings.push(
      `insecure.anonymous: callers without any credential are let in as "${config.insecure.anonymous}"`,
    );
  }
  if (config.insecure.plaintext) {
    warnings.push(
      'insecure.plaintext: listeners may speak plain HTTP to the network; credentials travel in the clear',
    );
  }
  if (!isLoopbackBind(config.admin.bind)) {
    warnings.push(
      `admin.bind: ${config.admin.bind} is reachable from the network, and nobody is authenticated there`,
    );
  }
  if (config.audit.onFailure === 'drop') {
    warnings.push('audit.onFailure: drop: calls go on while they cannot be recorded');
  }
  warnings.push(...clearCredentials(config));
  return warnings;
}

function repeated(upstreams: GatewayFile['upstreams'], key: 'name' | 'path'): readonly Finding[] {
  const seen = new Map<string, number>();
  const findings: Finding[] = [];
  for (const [index, upstream] of upstreams.entries()) {
    // Clients and proxies differ in whether case matters in paths: two that differ in case alone would be mixed up.
    const value = upstream[key].toLowerCase();
    const first = seen.get(value);
    if (first === undefined) seen.set(value, index);
    else
      findings.push({
        at: ['upstreams', index, key],
        message: `upstreams[${first}] has this ${key} already`,
      });
  }
  return findings;
}

function plaintext(config: GatewayFile): readonly Finding[] {
  if (config.insecure.plaintext) return [];
  return [...config.listeners.entries()]
    .filter(([, { tls, bind }]) => tls === undefined && !isLoopbackBind(bind))
    .map(([index]) => ({
      at: ['listeners', index, 'bind'],
      message:
        'without tls only loopback addresses are allowed: give tls, or set insecure.plaintext where something in front ends TLS',
    }));
}

function identity(config: GatewayFile): readonly Finding[] {
  const findings: Finding[] = [];
  const configured = new Set<string>();
  for (const [index, entry] of config.identity.entries()) {
    if (entry.token !== undefined) configured.add('token');
    if (entry.apiKeys !== undefined) configured.add('apiKey');
    if (entry.certificate === undefined) continue;
    configured.add('certificate');
    if (!config.listeners.some(({ tls }) => tls?.clients !== undefined && tls.clients.mode !== 'none')) {
      findings.push({
        at: ['identity', index, 'certificate'],
        message: 'no listener asks for client certificates: set tls.clients on one of them',
      });
    }
  }
  if (configured.size === 0 && config.insecure.anonymous === undefined) {
    findings.push({
      at: ['identity'],
      message:
        'nobody could be authenticated: give at least one of certificate, token, apiKeys, or insecure.anonymous',
    });
  }
  for (const [index, alternative] of (config.require ?? []).entries()) {
    for (const [place, kind] of alternative.entries()) {
      if (!configured.has(kind)) {
        findings.push({
          at: ['require', index, place],
          message: `identity has no ${kind} entry, so this can never be met`,
        });
      }
    }
  }
  return findings;
}
