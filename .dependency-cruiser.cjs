/**
 * The import law. Imports run one way:
 *   shared ← protocol ← engine | registry | commands | keyboard | theme | api-client ← client ← components ← app
 *   ports ← services ← adapters | workers, wired only in server/index.ts and server/runtime.ts
 * `npm run check` and tests/architecture hold it, and fail too when no module was looked at.
 */

const TEST = ['\\.test\\.tsx?$', '/testing\\.ts$'];
/** Folders of lib/ that only compute: no clock, randomness, environment or I/O. */
const PURE = ['shared', 'protocol', 'engine', 'registry', 'commands', 'keyboard', 'theme'];
/** What npm packages a pure folder may use. */
const PURE_PACKAGES = { protocol: ['zod', 'yaml'], engine: ['zod', '@marcbachmann/cel-js'] };

const packages = (names) => names.map((name) => `^node_modules/${name}/`);

/** A pure folder reaches itself, what stands below it, and its few packages; nothing else, and no Node module. */
const pureRule = (folder) => {
  const below = { shared: [], protocol: ['shared'] }[folder] ?? ['shared', 'protocol'];
  return {
    name: `lib-${folder}-stands-alone`,
    comment: `lib/${folder} is pure: it may import ${[...below, folder].map((x) => `lib/${x}`).join(', ')} and ${
      (PURE_PACKAGES[folder] ?? []).join(', ') || 'no package'
    }.`,
    severity: 'error',
    from: { path: `^lib/${folder}/`, pathNot: TEST },
    to: {
      pathNot: [...below, folder].map((x) => `^lib/${x}/`).concat(packages(PURE_PACKAGES[folder] ?? [])),
    },
  };
};

/** Source files of `path` (tests aside) must not import anything under `to`. */
const forbid = (name, comment, path, to, more = {}) => ({
  name,
  comment,
  severity: 'error',
  from: { path, pathNot: TEST, ...more.from },
  to: { path: to, ...more.to },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that import each other cannot be understood, tested or moved apart.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    ...PURE.map(pureRule),
    forbid(
      'lib-never-server',
      'lib/ knows nothing of the server or the pages.',
      '^lib/',
      '^(server|components|app|scripts|bench)/',
    ),
    {
      name: 'lib-api-client-stands-low',
      comment:
        'The typed client runs anywhere: it knows lib/shared, lib/protocol and openapi-fetch, and no Node module.',
      severity: 'error',
      from: { path: '^lib/api-client/', pathNot: TEST },
      to: {
        pathNot: ['^lib/api-client/', '^lib/shared/', '^lib/protocol/', ...packages(['openapi-fetch'])],
      },
    },
    forbid(
      'lib-client-is-browser',
      'lib/client runs in browsers: no Node modules.',
      '^(lib/client|components)/',
      '',
      {
        to: { dependencyTypes: ['core'] },
      },
    ),
    forbid(
      'components-never-server',
      'Components get data over REST and sockets.',
      '^components/',
      '^(server|app|scripts|bench)/',
    ),
    forbid(
      'app-never-server',
      'Pages get data over REST and sockets; Next would bundle a second copy of what it found in server/.',
      '^app/',
      '^(server|scripts|bench)/',
    ),
    forbid(
      'graph-library-in-graph',
      'Only components/graph knows the graph library.',
      '^(app|components|lib|server)/',
      '^node_modules/@xyflow/',
      { from: { pathNot: '^components/graph/' } },
    ),
    forbid(
      'panels-apart',
      'Panels never import each other: what two need belongs in ui/, grid/ or chart/.',
      '^components/panels/([^/]+)/',
      '^components/panels/',
      { to: { pathNot: '^components/panels/$1/' } },
    ),
    forbid(
      'database-in-its-adapter',
      'Only server/adapters/postgres knows the database driver and the generated client.',
      '^(app|components|lib|server)/',
      [
        '^node_modules/pg/',
        '^node_modules/@types/pg/',
        '^node_modules/@prisma/',
        '^server/adapters/postgres/generated/',
      ],
      { from: { pathNot: ['^server/adapters/postgres/', ...TEST] } },
    ),
    forbid('ports-first', 'Ports are interfaces: they know lib/ only.', '^server/ports/', '^server/', {
      to: { pathNot: '^server/ports/' },
    }),
    forbid(
      'services-on-ports',
      'Services reach the world through ports.',
      '^server/(services|presenters)/',
      '^server/',
      { to: { pathNot: '^server/(ports|services|presenters)/' } },
    ),
    forbid('workers-on-ports', 'Workers use ports and services.', '^server/workers/', '^server/', {
      to: { pathNot: '^server/(ports|services|presenters|workers)/' },
    }),
    forbid(
      'adapters-apart',
      'Adapters do not reach workers, the command line or the composition root.',
      '^server/adapters/',
      '^server/',
      {
        to: { pathNot: '^server/(ports|services|presenters|adapters)/' },
      },
    ),
    forbid('config-below-all', 'Settings are read before anything exists.', '^server/config/', '^server/', {
      to: { pathNot: '^server/config/' },
    }),
    forbid('cli-is-a-client', 'The command line talks to a server over REST.', '^server/cli/', '^server/', {
      to: { pathNot: '^server/(cli|config)/' },
    }),
    forbid(
      'server-never-pages',
      'The server knows neither pages nor browser code.',
      '^server/',
      '^(app|components|lib/client|lib/keyboard)/',
    ),
    forbid(
      'no-barrels',
      'An index file that passes others on hides where things come from.',
      '',
      '^(lib|server)/.+/index\\.tsx?$',
    ),
    forbid(
      'no-tests-in-source',
      'Source does not import tests.',
      '^(app|components|lib|server|scripts|bin)/',
      ['^(tests|e2e)/', ...TEST],
    ),
    {
      name: 'no-dev-packages',
      comment: 'What runs in production must be an ordinary dependency.',
      severity: 'error',
      from: { path: '^(app|components|lib|server|bin)/', pathNot: TEST },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    // Types are dependencies too: a layer that needs another's types needs that layer.
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', 'server/adapters/postgres/generated'] },
    exclude: { path: '^(dist|\\.next|\\.openconductor)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
