import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resourceOptions, tokenOptions } from '../../src/identity/options.ts';
import { describeResource } from '../../src/identity/protected-resource.ts';
import { isPublicUrl, isScope } from '../../src/identity/resource-options.ts';

const resource = 'https://mcp.example/warehouse/mcp';
const tokenOf = (issuer: string, more: Readonly<Record<string, unknown>> = {}) =>
  tokenOptions.parse({ issuer, audience: 'a', jwks: `${issuer}/jwks`, ...more });
const optionsOf = (more: Readonly<Record<string, unknown>> = {}) =>
  resourceOptions.parse({ resource, ...more });

describe('the metadata of a resource', () => {
  it('stands between host and path', () => {
    const described = describeResource(optionsOf(), [tokenOf('https://idp.example')], false);
    expect(described.metadataUrl).toBe(
      'https://mcp.example/.well-known/oauth-protected-resource/warehouse/mcp',
    );
    expect(described.metadataPath).toBe('/.well-known/oauth-protected-resource/warehouse/mcp');
  });

  it('of a bare origin stands at its root', () => {
    for (const bare of ['https://mcp.example', 'https://mcp.example/']) {
      const described = describeResource(optionsOf({ resource: bare }), [], false);
      expect(described.metadataPath).toBe('/.well-known/oauth-protected-resource');
      expect(described.metadataUrl).toBe('https://mcp.example/.well-known/oauth-protected-resource');
      expect(described.metadata['resource']).toBe(bare);
    }
  });

  it('says no more than configuration', () => {
    const { metadata } = describeResource(optionsOf(), [tokenOf('https://idp.example')], false);
    expect(metadata).toStrictEqual({
      resource,
      authorization_servers: ['https://idp.example'],
      bearer_methods_supported: ['header'],
    });
  });

  it('says all that configuration makes true', () => {
    const tokens = [
      tokenOf('https://idp.example', { dpop: { algorithms: ['ES256', 'EdDSA'] } }),
      tokenOf('https://login.example', { dpop: { algorithms: ['ES256', 'PS256'] } }),
      tokenOf('https://elsewhere.example', { dpop: { algorithms: ['RS512'] } }),
    ];
    const options = optionsOf({
      servers: ['https://login.example', 'https://idp.example'],
      scopes: ['connect'],
      name: 'Warehouse',
      documentation: 'https://docs.example/warehouse',
    });
    expect(describeResource(options, tokens, true).metadata).toEqual({
      resource,
      authorization_servers: ['https://login.example', 'https://idp.example'],
      scopes_supported: ['connect'],
      bearer_methods_supported: ['header'],
      resource_name: 'Warehouse',
      resource_documentation: 'https://docs.example/warehouse',
      tls_client_certificate_bound_access_tokens: true,
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'PS256'],
    });
  });

  it('requires proofs only where no issuer gives tokens without', () => {
    const requiring = { dpop: {}, requireBinding: ['dpop'] };
    const rows = [
      [[tokenOf('https://a.example', requiring)], true],
      [[tokenOf('https://a.example', requiring), tokenOf('https://b.example')], undefined],
      [[tokenOf('https://a.example', { dpop: {}, requireBinding: ['dpop', 'certificate'] })], undefined],
      [[tokenOf('https://a.example', { dpop: {} })], undefined],
    ] as const;
    for (const [tokens, expected] of rows) {
      const { metadata } = describeResource(optionsOf(), tokens, false);
      expect(metadata['dpop_bound_access_tokens_required']).toBe(expected);
    }
  });
});

describe('the options of a resource', () => {
  it('take a URL that clients can compare character by character', () => {
    const good = [
      resource,
      'https://mcp.example:8443/w/mcp',
      'http://127.0.0.1:3000/w/mcp',
      'http://localhost/w/mcp',
      'http://[::1]:1/w/mcp',
    ];
    for (const text of good) expect(isPublicUrl(text), text).toBe(true);
    const bad = [
      '',
      'warehouse',
      '/warehouse/mcp',
      'http://mcp.example/w/mcp',
      'http://127.0.0.1.evil.example/w',
      'http://localhost.evil.example/w',
      'ftp://mcp.example/w',
      'ftp://localhost/w',
      'https://user@mcp.example/w',
      'https://user:secret@mcp.example/w',
      'https://mcp.example/w?x=1',
      'https://mcp.example/w?',
      'https://mcp.example/w#x',
      'https://mcp.example/w#',
      'https://MCP.example/w',
      'HTTPS://mcp.example/w',
      'https://mcp.example:443/w',
      'https://mcp.example/a/../w',
      'https://mcp.example/w\\mcp',
      'https:/mcp.example/w',
      ' https://mcp.example/w',
      'https://mcp.example/w ',
      'https://mcp.example/\nw',
      'https://b\u00fccher.example/w',
      'https://0x7f.1/w',
      'javascript:alert(1)',
      `https://mcp.example/${'w'.repeat(2048)}`,
    ];
    for (const text of bad) expect(isPublicUrl(text), JSON.stringify(text)).toBe(false);
  });

  it('take scopes as OAuth writes them, and never offline_access', () => {
    for (const scopes of [
      ['a b'],
      ['a"b'],
      ['a\\b'],
      [''],
      ['\u00fc'],
      ['a\n'],
      ['offline_access'],
      ['a', 'a'],
    ]) {
      expect(resourceOptions.safeParse({ resource, scopes }).success, JSON.stringify(scopes)).toBe(false);
    }
    expect(optionsOf({ scopes: ['mcp:tools', 'https://api.example/read'] }).scopes).toHaveLength(2);
  });

  it('take a page for developers only by https', () => {
    for (const documentation of ['http://docs.example', 'javascript:alert(1)', 'docs']) {
      expect(resourceOptions.safeParse({ resource, documentation }).success, documentation).toBe(false);
    }
  });

  it('let nothing be a scope that could leave the quotes of a challenge', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        if (isScope(text)) expect(text).toMatch(/^[!#-[\]-~]{1,256}$/);
      }),
    );
  });
});
