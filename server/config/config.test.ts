import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from './config';
import { allowedText, parseSetting, SETTINGS, unknownSettings } from './settings.mjs';

const load = (env: Record<string, string> = {}) => loadConfig(env, '/srv/oc');

describe('loadConfig', () => {
  it('checks the settings of tracing, which is off unless a collector is named', () => {
    expect(load({})).toMatchObject({ otlpEndpoint: undefined, otelTracesSampler: 'parentbased_always_on' });
    expect(load({ OTEL_TRACES_SAMPLER_ARG: '0.25' }).otelTracesSamplerArg).toBe('0.25');
    for (const arg of ['2', '-1', 'x', '.'])
      expect(() => load({ OTEL_TRACES_SAMPLER_ARG: arg })).toThrow('allowed is a number from 0 to 1');
    expect(() => load({ OTEL_TRACES_SAMPLER: 'jaeger_remote' })).toThrow('allowed is one of always_on');
    expect(() => load({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' })).toThrow('http://');
  });

  it('gives every default when the environment is empty', () => {
    const config = load();
    expect(config).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      dataDir: '/srv/oc/.openconductor',
      roles: ['web', 'engine', 'sync'],
      shards: 64,
      leaseTtlMs: 3000,
      retentionDays: 0,
      maxBodyBytes: 1_048_576,
      maxPayloadBytes: 2_097_152,
      stdioCommands: ['node', 'npx', 'uvx', 'docker'],
      allowedHosts: [],
    });
    expect(config.databaseUrl).toBeUndefined();
  });

  it('has one field of Config for each row of the table, and no other', () => {
    expect(
      Object.keys(
        load({ DATABASE_URL: 'postgres://a@b/c', REDIS_URL: 'redis://r', OPENCONDUCTOR_URL: 'http://h' }),
      ).sort(),
    ).toEqual(SETTINGS.map((setting) => setting.key).sort());
  });

  it('reads values, trims them and drops repeated list items', () => {
    const config = load({ PORT: ' 8080 ', OPENCONDUCTOR_ROLES: 'engine, web,engine', HOST: '' });
    expect(config).toMatchObject({ port: 8080, roles: ['engine', 'web'], host: '127.0.0.1' });
  });

  it('names variable, value and what is allowed, all problems at once', () => {
    const attempt = () =>
      load({ PORT: '70000', OPENCONDUCTOR_ROLES: 'web,cook', OPENCONDUCTOR_LOG_LEVEL: 'loud' });
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow('PORT is "70000"; allowed is a whole number from 0 to 65535.');
    expect(attempt).toThrow('OPENCONDUCTOR_ROLES is "web,cook"; allowed is one or more of web, engine, sync');
    expect(attempt).toThrow('OPENCONDUCTOR_LOG_LEVEL is "loud"; allowed is one of fatal, error');
  });

  it.each(['1e3', '0x10', '-1', '3000.5', 'abc'])('refuses %s as a port', (PORT) => {
    expect(() => load({ PORT })).toThrow(`PORT is "${PORT}"`);
  });

  it('refuses a pool that schedules and bulk operations would use up', () => {
    expect(() => load({ OPENCONDUCTOR_DATABASE_POOL: '2' })).toThrow(
      'OPENCONDUCTOR_DATABASE_POOL is "2"; allowed is a whole number from 4 to 500.',
    );
    expect(load({ OPENCONDUCTOR_DATABASE_POOL: '4' }).databasePool).toBe(4);
  });

  it('never prints the password of a URL', () => {
    expect(() => load({ DATABASE_URL: 'mysql://me:hunter2@db/x' })).toThrow('mysql://me:***@db/x');
    expect(() => load({ DATABASE_URL: 'mysql://me:hunter2@db/x' })).not.toThrow('hunter2');
  });

  it('wants the start script to wait longer than the server drains', () => {
    expect(() => load({ OPENCONDUCTOR_DRAIN_TIMEOUT_MS: '30000' })).toThrow(
      'OPENCONDUCTOR_SHUTDOWN_TIMEOUT_MS is 20000',
    );
  });
});

describe('the table of settings', () => {
  it('has defaults that are allowed, unique names and unique keys', () => {
    for (const setting of SETTINGS) expect(parseSetting(setting, undefined).ok, setting.name).toBe(true);
    expect(new Set(SETTINGS.map((s) => s.name)).size).toBe(SETTINGS.length);
    expect(new Set(SETTINGS.map((s) => s.key)).size).toBe(SETTINGS.length);
  });

  it('can say in words what each setting allows', () => {
    for (const setting of SETTINGS) expect(allowedText(setting), setting.name).not.toMatch(/undefined/);
  });

  it('finds misspelt names', () => {
    expect(unknownSettings({ OPENCONDUCTOR_SHARD: '1', OPENCONDUCTOR_SHARDS: '2', PATH: '' })).toEqual([
      'OPENCONDUCTOR_SHARD',
    ]);
  });

  it('lets nobody in from the network without sign-in', () => {
    for (const HOST of ['0.0.0.0', '192.168.1.5', '::', 'example.com'])
      expect(() => load({ HOST }), HOST).toThrow('OPENCONDUCTOR_AUTH=required');
    for (const HOST of ['127.0.0.1', 'localhost', '::1', '']) expect(load({ HOST }).auth).toBe('local');
    expect(load({ HOST: '0.0.0.0', OPENCONDUCTOR_AUTH: 'required' }).auth).toBe('required');
  });
});
