import { resolve } from 'node:path';
import { z } from 'zod';
import { conflicts, parseSetting, SETTINGS } from './settings.mjs';

/** What a process does; one process does all by default. */
const PROCESS_ROLES = ['web', 'engine', 'sync'] as const;

/** One rule for each row of the table: the raw text of the environment in, the value out. */
const fields = Object.fromEntries(
  SETTINGS.map((setting) => [
    setting.name,
    z
      .string()
      .optional()
      .transform((raw, context) => {
        const parsed = parseSetting(setting, raw);
        if (parsed.ok) return parsed.value;
        context.addIssue({ code: 'custom', message: parsed.problem });
        return z.NEVER;
      }),
  ]),
);
const environment = z.object(fields);

/** The type of each value, checked once more so that a wrong `kind` in the table cannot pass as a type. */
const config = z.object({
  port: z.int(),
  host: z.string(),
  auth: z.enum(['local', 'required']),
  rateLimit: z.int(),
  trustProxy: z.enum(['no', 'yes']),
  oidcIssuer: z.string().optional(),
  oidcClientId: z.string(),
  oidcClientSecret: z.string(),
  oidcDomain: z.string(),
  dataDir: z.string(),
  roles: z.array(z.enum(PROCESS_ROLES)),
  databaseUrl: z.string().optional(),
  redisUrl: z.string().optional(),
  databasePool: z.int(),
  postgresPort: z.int(),
  postgresSharedBuffers: z.string(),
  postgresMaxConnections: z.int(),
  shards: z.int(),
  leaseTtlMs: z.int(),
  maxResidentRuns: z.int(),
  maxResidentBytes: z.int(),
  retentionDays: z.int(),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  webhookTimeoutMs: z.int(),
  webhookRetryMs: z.int(),
  webhookDisableAfterMs: z.int(),
  alertIntervalMs: z.int(),
  maxBodyBytes: z.int(),
  maxPayloadBytes: z.int(),
  payloadThresholdBytes: z.int(),
  maxMessageBytes: z.int(),
  stdioCommands: z.array(z.string()),
  networks: z.array(z.enum(['public', 'loopback', 'private'])),
  secretKey: z.string(),
  secretKeyPrevious: z.string(),
  probeIntervalMs: z.int(),
  samplingKind: z.enum(['off', 'openai', 'anthropic']),
  samplingUrl: z.string(),
  samplingModel: z.string(),
  samplingApiKey: z.string(),
  samplingMaxTokens: z.int(),
  allowedHosts: z.array(z.string()),
  configFile: z.string(),
  drainTimeoutMs: z.int(),
  shutdownTimeoutMs: z.int(),
  startTimeoutMs: z.int(),
  url: z.string().optional(),
  apiKey: z.string(),
  profile: z.string(),
  otlpEndpoint: z.string().optional(),
  otlpTracesEndpoint: z.string().optional(),
  otlpHeaders: z.string(),
  otlpTracesHeaders: z.string(),
  otelServiceName: z.string(),
  otelResourceAttributes: z.string(),
  otelTracesSampler: z.string(),
  otelTracesSamplerArg: z.string(),
  otelSdkDisabled: z.enum(['true', 'false']),
});

/**
 * Every setting, typed. Paths are absolute; times are milliseconds; sizes are bytes. `databaseUrl` is the
 * administrator's: processes connect with `roleUrl(databaseUrl, role)`, never with it.
 */
export type Config = z.infer<typeof config>;

/** Settings that cannot be used; the message has one line for each. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

/**
 * Reads the settings.
 *
 * @param env the environment; an empty value counts as missing
 * @param root folder that relative paths start from (the clone: `npm start` runs the server there)
 * @throws ConfigError naming each variable, its value and what is allowed
 */
export function loadConfig(
  env: Record<string, string | undefined> = process.env,
  root: string = process.cwd(),
): Config {
  const known = Object.fromEntries(SETTINGS.map(({ name }) => [name, env[name]]));
  const parsed = environment.safeParse(known);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map((issue) => issue.message));
  const raw = parsed.data as Record<string, unknown>;
  const values = Object.fromEntries(
    SETTINGS.map((setting) => {
      const value = raw[setting.name];
      return [setting.key, setting.kind === 'path' ? resolve(root, String(value)) : value];
    }),
  );
  const result = config.parse(values);
  const clashes = conflicts(result);
  if (clashes.length > 0) throw new ConfigError(clashes);
  if (result.samplingKind !== 'off' && result.samplingModel === '') {
    throw new ConfigError([
      'OPENCONDUCTOR_SAMPLING_MODEL is not set; OPENCONDUCTOR_SAMPLING needs to know which model to ask.',
    ]);
  }
  if (result.shutdownTimeoutMs <= result.drainTimeoutMs) {
    throw new ConfigError([
      `OPENCONDUCTOR_SHUTDOWN_TIMEOUT_MS is ${result.shutdownTimeoutMs}; allowed is more than ` +
        `OPENCONDUCTOR_DRAIN_TIMEOUT_MS (${result.drainTimeoutMs}).`,
    ]);
  }
  return result;
}
