/**
 * Every setting of OpenConductor, as data. Plain JavaScript on nothing, because `npm start -- --help` and the
 * check at start run before any package is installed; `config.ts` makes the typed Config from the same table.
 *
 * The types are in settings.d.mts.
 */

import { CLI_SETTINGS } from './cli-settings.mjs';
import { ENGINE_SETTINGS } from './engine-settings.mjs';
import { OTEL_SETTINGS } from './otel-settings.mjs';
import { WEBHOOK_SETTINGS } from './webhook-settings.mjs';

const MIB = 1024 * 1024;

/** @type {readonly import('./settings.mjs').Setting[]} */
export const SETTINGS = [
  {
    name: 'PORT',
    key: 'port',
    kind: 'integer',
    default: '3000',
    min: 0,
    max: 65535,
    flag: '--port',
    meaning: 'TCP port of the web server; 0 takes any free one.',
  },
  {
    name: 'HOST',
    key: 'host',
    kind: 'text',
    default: '127.0.0.1',
    flag: '--host',
    meaning:
      'Address to listen on. The default is reachable from this machine only; 0.0.0.0 opens it to the network, which needs OPENCONDUCTOR_AUTH=required.',
  },
  {
    name: 'OPENCONDUCTOR_AUTH',
    key: 'auth',
    kind: 'choice',
    default: 'local',
    choices: ['local', 'required'],
    meaning:
      'local: no sign-in, whoever can use this machine is the owner, and HOST must be loopback. required: everybody signs in or sends an API key.',
  },
  {
    name: 'OPENCONDUCTOR_RATE_LIMIT',
    key: 'rateLimit',
    kind: 'integer',
    default: '1000',
    min: 0,
    max: 1_000_000,
    meaning: 'Most requests of one user in a minute when sign-in is required; 0 sets no limit.',
  },
  {
    name: 'OPENCONDUCTOR_OIDC_ISSUER',
    key: 'oidcIssuer',
    kind: 'url',
    default: '',
    protocols: ['http:', 'https:'],
    meaning:
      'OpenID Connect provider whose users may sign in (its redirect address here: /api/auth/sso/callback/oidc). Newcomers become viewers.',
  },
  {
    name: 'OPENCONDUCTOR_OIDC_CLIENT_ID',
    key: 'oidcClientId',
    kind: 'text',
    default: '',
    meaning: 'Client id of this instance at the OpenID Connect provider.',
  },
  {
    name: 'OPENCONDUCTOR_OIDC_CLIENT_SECRET',
    key: 'oidcClientSecret',
    kind: 'text',
    default: '',
    meaning: 'Client secret of this instance at the OpenID Connect provider.',
  },
  {
    name: 'OPENCONDUCTOR_OIDC_DOMAIN',
    key: 'oidcDomain',
    kind: 'text',
    default: '',
    meaning: 'Domain of the e-mail addresses that the OpenID Connect provider answers for.',
  },
  {
    name: 'OPENCONDUCTOR_TRUST_PROXY',
    key: 'trustProxy',
    kind: 'choice',
    default: 'no',
    choices: ['no', 'yes'],
    meaning:
      'yes: a reverse proxy of yours is in front, and the last address in X-Forwarded-For is where a request came from.',
  },
  {
    name: 'OPENCONDUCTOR_DATA_DIR',
    key: 'dataDir',
    kind: 'path',
    default: '.openconductor',
    flag: '--data-dir',
    meaning:
      'Folder of the embedded database, logs and run-time files. One running OpenConductor per folder.',
  },
  {
    name: 'OPENCONDUCTOR_ROLES',
    key: 'roles',
    kind: 'list',
    default: 'web,engine,sync',
    choices: ['web', 'engine', 'sync'],
    flag: '--roles',
    meaning: 'What this process does: web (pages, REST, sockets), engine (runs workflows), sync (catalogue).',
  },
  {
    name: 'DATABASE_URL',
    key: 'databaseUrl',
    kind: 'url',
    default: '',
    protocols: ['postgres:', 'postgresql:'],
    meaning:
      'Postgres 15 to 18, as a user that may create roles and databases. Empty: an embedded Postgres is started.',
  },
  {
    name: 'REDIS_URL',
    key: 'redisUrl',
    kind: 'url',
    default: '',
    protocols: ['redis:', 'rediss:'],
    meaning:
      'A Redis that several processes share: it carries hints between them and counts requests and sign-ins for all. It may be away.',
  },
  {
    name: 'OPENCONDUCTOR_DATABASE_POOL',
    key: 'databasePool',
    kind: 'integer',
    default: '10',
    // A turn of a schedule and one of a bulk operation hold a connection each while what they start needs others.
    min: 4,
    max: 500,
    meaning: 'Most database connections of one pool of one process.',
  },
  {
    name: 'OPENCONDUCTOR_POSTGRES_PORT',
    key: 'postgresPort',
    kind: 'integer',
    default: '0',
    min: 0,
    max: 65535,
    meaning: 'Port of the embedded Postgres on 127.0.0.1; 0 finds a free one and keeps it.',
  },
  {
    name: 'OPENCONDUCTOR_POSTGRES_SHARED_BUFFERS',
    key: 'postgresSharedBuffers',
    kind: 'text',
    default: '256MB',
    pattern: '^[1-9][0-9]*(kB|MB|GB)$',
    allowed: 'a whole number with kB, MB or GB, e.g. 256MB',
    meaning: 'Cache of the embedded Postgres.',
  },
  {
    name: 'OPENCONDUCTOR_POSTGRES_MAX_CONNECTIONS',
    key: 'postgresMaxConnections',
    kind: 'integer',
    default: '200',
    min: 20,
    max: 5000,
    meaning: 'Most connections to the embedded Postgres.',
  },
  ...ENGINE_SETTINGS,
  {
    name: 'OPENCONDUCTOR_RETENTION_DAYS',
    key: 'retentionDays',
    kind: 'integer',
    default: '0',
    min: 0,
    max: 36_500,
    unit: 'days',
    meaning:
      'Runs that closed longer ago are deleted with their histories, a whole week at a time; 0 keeps them for ever.',
  },
  {
    name: 'OPENCONDUCTOR_LOG_LEVEL',
    key: 'logLevel',
    kind: 'choice',
    default: 'info',
    choices: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    meaning: 'Least severity that is logged.',
  },
  ...WEBHOOK_SETTINGS,
  {
    name: 'OPENCONDUCTOR_MAX_BODY_BYTES',
    key: 'maxBodyBytes',
    kind: 'integer',
    default: String(MIB),
    min: 1024,
    max: 1024 * MIB,
    unit: 'bytes',
    meaning: 'Largest body of a request.',
  },
  {
    name: 'OPENCONDUCTOR_MAX_PAYLOAD_BYTES',
    key: 'maxPayloadBytes',
    kind: 'integer',
    default: String(2 * MIB),
    min: 1024,
    max: 1024 * MIB,
    unit: 'bytes',
    meaning: 'Largest input or output of one step.',
  },
  {
    name: 'OPENCONDUCTOR_PAYLOAD_THRESHOLD_BYTES',
    key: 'payloadThresholdBytes',
    kind: 'integer',
    default: String(64 * 1024),
    min: 1024,
    max: 1024 * MIB,
    unit: 'bytes',
    meaning: 'Pictures, sound, files and texts of tools from this size on are kept apart from the history.',
  },
  {
    name: 'OPENCONDUCTOR_MAX_MESSAGE_BYTES',
    key: 'maxMessageBytes',
    kind: 'integer',
    default: String(16 * MIB),
    min: 1024,
    max: 512 * MIB,
    unit: 'bytes',
    meaning: 'Largest message to or from a tool, with what is kept apart.',
  },
  {
    name: 'OPENCONDUCTOR_STDIO_COMMANDS',
    key: 'stdioCommands',
    kind: 'list',
    default: 'node,npx,uvx,docker',
    meaning: 'Commands that may be started as stdio MCP servers.',
  },
  {
    name: 'OPENCONDUCTOR_NETWORKS',
    key: 'networks',
    kind: 'list',
    default: 'public',
    choices: ['public', 'loopback', 'private'],
    meaning:
      'Where remote MCP servers may be reached: public addresses always; loopback (this machine) and private networks only when named.',
  },
  {
    name: 'OPENCONDUCTOR_SECRET_KEY',
    key: 'secretKey',
    kind: 'text',
    default: '',
    meaning:
      'What secrets and tokens in the database are sealed under: 32 characters or more, the same for all processes. Empty: secret.key in the data folder.',
  },
  {
    name: 'OPENCONDUCTOR_SECRET_KEY_PREVIOUS',
    key: 'secretKeyPrevious',
    kind: 'text',
    default: '',
    meaning:
      'The key before OPENCONDUCTOR_SECRET_KEY, until `secret rotate-key` has brought everything to the new one; also to read a backup of that time.',
  },
  {
    name: 'OPENCONDUCTOR_PROBE_INTERVAL_MS',
    key: 'probeIntervalMs',
    kind: 'integer',
    default: '60000',
    min: 0,
    max: 86_400_000,
    unit: 'ms',
    meaning: 'How often remote MCP servers are asked whether they are well; 0 never.',
  },
  {
    name: 'OPENCONDUCTOR_SAMPLING',
    key: 'samplingKind',
    kind: 'choice',
    default: 'off',
    choices: ['off', 'openai', 'anthropic'],
    meaning: 'Kind of the language model that answers servers whose configuration says `sampling: endpoint`.',
  },
  {
    name: 'OPENCONDUCTOR_SAMPLING_URL',
    key: 'samplingUrl',
    kind: 'url',
    default: 'https://api.openai.com/v1',
    protocols: ['http:', 'https:'],
    meaning: 'Address of its API, without /chat/completions or /v1/messages.',
  },
  {
    name: 'OPENCONDUCTOR_SAMPLING_MODEL',
    key: 'samplingModel',
    kind: 'text',
    default: '',
    meaning: 'Name of the model. Needed unless sampling is off.',
  },
  {
    name: 'OPENCONDUCTOR_SAMPLING_API_KEY',
    key: 'samplingApiKey',
    kind: 'text',
    default: '',
    meaning: 'Key for its API.',
  },
  {
    name: 'OPENCONDUCTOR_SAMPLING_MAX_TOKENS',
    key: 'samplingMaxTokens',
    kind: 'integer',
    default: '4096',
    min: 1,
    max: 1_000_000,
    meaning: 'Most tokens of one answer, whatever a server asks for.',
  },
  {
    name: 'OPENCONDUCTOR_ALLOWED_HOSTS',
    key: 'allowedHosts',
    kind: 'list',
    default: '',
    meaning: 'Host names, besides localhost and HOST, under which browsers may call (behind a proxy, say).',
  },
  {
    name: 'OPENCONDUCTOR_CONFIG',
    key: 'configFile',
    kind: 'path',
    default: 'openconductor.config.json',
    meaning: 'File that lists MCP servers. It need not exist.',
  },
  {
    name: 'OPENCONDUCTOR_DRAIN_TIMEOUT_MS',
    key: 'drainTimeoutMs',
    kind: 'integer',
    default: '10000',
    min: 0,
    max: 600_000,
    unit: 'ms',
    meaning: 'How long a stopping server waits for steps in flight before it leaves them to the next start.',
  },
  {
    name: 'OPENCONDUCTOR_SHUTDOWN_TIMEOUT_MS',
    key: 'shutdownTimeoutMs',
    kind: 'integer',
    default: '20000',
    min: 1000,
    max: 900_000,
    unit: 'ms',
    meaning: 'After this the start script ends a server that does not stop. Longer than the drain timeout.',
  },
  {
    name: 'OPENCONDUCTOR_START_TIMEOUT_MS',
    key: 'startTimeoutMs',
    kind: 'integer',
    default: '60000',
    min: 1000,
    max: 900_000,
    unit: 'ms',
    meaning: 'How long the server may take from its start to its first answer.',
  },
  ...CLI_SETTINGS,
  ...OTEL_SETTINGS,
];

/** Variables that only `npm test` and the benches read. */
export const TEST_SETTINGS = [
  {
    name: 'OPENCONDUCTOR_TEST_DATABASE_URL',
    key: 'testDatabaseUrl',
    kind: 'url',
    default: '',
    protocols: ['postgres:', 'postgresql:'],
    meaning: 'Postgres for the test suites. Empty: an embedded one in a temporary folder.',
  },
];

/**
 * What a value must look like, in words.
 * @param {import('./settings.mjs').Setting} setting
 */
export function allowedText(setting) {
  if (setting.allowed !== undefined) return setting.allowed;
  switch (setting.kind) {
    case 'integer':
      return `a whole number from ${setting.min} to ${setting.max}${setting.unit ? ` (${setting.unit})` : ''}`;
    case 'choice':
      return `one of ${(setting.choices ?? []).join(', ')}`;
    case 'list':
      return setting.choices
        ? `one or more of ${setting.choices.join(', ')}, separated by commas`
        : 'names separated by commas';
    case 'url':
      return `a URL beginning with ${(setting.protocols ?? []).map((p) => `${p}//`).join(' or ')}`;
    case 'path':
      return 'a path';
    default:
      return 'text';
  }
}

/**
 * A value as it may be printed: the password of a URL is hidden.
 * @param {import('./settings.mjs').Setting} setting
 * @param {string} raw
 */
export function printable(setting, raw) {
  return setting.kind === 'url' ? raw.replace(/(:\/\/[^:/@]*:)[^@]*@/, '$1***@') : raw;
}

/**
 * Reads one raw value (empty and missing mean the default). Paths stay as given: who reads them resolves them.
 * @param {import('./settings.mjs').Setting} setting
 * @param {string | undefined} raw
 * @returns {import('./settings.mjs').Parsed}
 */
export function parseSetting(setting, raw) {
  const text = raw === undefined || raw.trim() === '' ? setting.default : raw.trim();
  const refuse = () => ({
    ok: /** @type {const} */ (false),
    problem: `${setting.name} is "${printable(setting, text)}"; allowed is ${allowedText(setting)}.`,
  });
  const accept = (value) => ({ ok: /** @type {const} */ (true), value });
  switch (setting.kind) {
    case 'integer': {
      const number = Number(text);
      const fits = /^\d+$/.test(text) && number >= (setting.min ?? 0) && number <= (setting.max ?? number);
      return fits ? accept(number) : refuse();
    }
    case 'choice':
      return setting.choices?.includes(text) ? accept(text) : refuse();
    case 'list': {
      const items = [...new Set(text.split(',').map((item) => item.trim()))].filter((item) => item !== '');
      if (setting.choices === undefined) return accept(items);
      return items.length > 0 && items.every((item) => setting.choices?.includes(item))
        ? accept(items)
        : refuse();
    }
    case 'url': {
      if (text === '') return accept(undefined);
      if (!URL.canParse(text) || !setting.protocols?.includes(new URL(text).protocol)) return refuse();
      return accept(text);
    }
    default:
      return setting.pattern === undefined || new RegExp(setting.pattern).test(text)
        ? accept(text)
        : refuse();
  }
}

/**
 * What is wrong with settings that are fine one by one.
 * @param {Record<string, unknown>} values
 * @returns {string[]}
 */
export function conflicts(values) {
  const host = String(values.host);
  const isLoopback = host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
  if (values.auth !== 'local' || isLoopback) return [];
  return [
    `HOST is "${host}", but OPENCONDUCTOR_AUTH=local lets everybody in who can connect: it listens on 127.0.0.1 only. ` +
      'Set OPENCONDUCTOR_AUTH=required to open OpenConductor to the network.',
  ];
}

/**
 * Reads all settings of an environment.
 * @param {Record<string, string | undefined>} env
 * @returns {{ values: Record<string, unknown>, problems: string[] }}
 */
export function parseSettings(env) {
  /** @type {Record<string, unknown>} */
  const values = {};
  const problems = [];
  for (const setting of SETTINGS) {
    const parsed = parseSetting(setting, env[setting.name]);
    if (parsed.ok) values[setting.key] = parsed.value;
    else problems.push(parsed.problem);
  }
  if (problems.length === 0) problems.push(...conflicts(values));
  return { values, problems };
}

/**
 * Names in the environment that look like settings but are none: a slip of the pen that would otherwise go unseen.
 * @param {Record<string, string | undefined>} env
 */
export function unknownSettings(env) {
  const known = new Set([...SETTINGS, ...TEST_SETTINGS].map((setting) => setting.name));
  return Object.keys(env).filter((name) => name.startsWith('OPENCONDUCTOR_') && !known.has(name));
}
