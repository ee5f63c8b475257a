const { builtinModules } = require('node:module');

/**
 * Who may import whom: the walls between the folders of src, as rules. `npm run layers` checks it and says
 * "src/zset/row-key.ts imports circuit". What is not named here (the entry points) may import everything.
 */

/** Where everything comes together; imported by each other and the command line only. */
const ENTRY = '^src/(main|service|app\\.module|stillwater\\.module|index)\\.ts$';

const edges = ['serving', 'jobs', 'health', 'cli', 'demo', 'embedded-redis'];
const layers = ['zset', 'circuit', 'view', 'runtime', 'redis', 'archive', 'testing', ...edges];

/** What each folder of src may import of src beside itself. */
const mayImport = {
  zset: ['assert'],
  circuit: ['zset', 'assert'],
  view: ['circuit', 'zset', 'errors', 'assert'],
  runtime: ['view', 'circuit', 'zset', 'errors', 'assert'],
  // `circuit/ordered-state`: the types in which a port says what is read and written in order.
  redis: [
    'runtime/ports',
    'runtime/position',
    'runtime/task-id',
    'circuit/ordered-state',
    'zset',
    'errors',
    'assert',
  ],
  archive: ['runtime/ports', 'errors', 'assert', 'make-directory'],
  testing: ['runtime', 'view', 'circuit', 'zset', 'errors', 'assert'],
  serving: ['runtime', 'view', 'zset', 'errors', 'assert'],
  health: ['runtime', 'view', 'errors', 'assert'],
  jobs: ['runtime', 'view', 'errors', 'assert'],
  // The command line starts everything, and `doctor` looks at a Redis without it.
  cli: [
    'runtime',
    'view',
    'errors',
    'assert',
    'settings',
    'embedded-redis',
    'demo',
    'redis/facts',
    'redis/redis-address',
    'redis/rights',
    'redis/visit',
    'index',
    'main',
    'service',
    'app.module',
    'stillwater.module',
  ],
  demo: ['runtime', 'errors', 'assert', 'settings'],
  // A Redis that is named is only looked at.
  'embedded-redis': ['errors', 'assert', 'make-directory', 'settings', 'redis/redis-address', 'redis/visit'],
};

/** What each folder may import of npm and of Node. Nothing, where it is not named. */
const mayInstall = {
  zset: [],
  circuit: [],
  view: ['zod', 'node:crypto', 'node:fs', 'node:fs/promises', 'node:path', 'node:url'],
  runtime: ['zod', 'node:'],
  redis: ['ioredis', '@nestjs/common', '@nestjs/core', 'node:'],
  archive: ['node:'],
  testing: ['zod', 'node:'],
};

const folder = (name) => `^src/${name.replace('.', '\\.')}(/|\\.ts$)`;

const walls = layers.map((name) => ({
  name: `${name}-imports`,
  severity: 'error',
  from: { path: folder(name) },
  to: { path: '^src/', pathNot: [folder(name), ...mayImport[name].map(folder)] },
}));

const builtIn = (name) => `^(node:)?${name}$`;

const packages = Object.entries(mayInstall).map(([name, allowed]) => ({
  name: `${name}-packages`,
  severity: 'error',
  from: { path: folder(name), pathNot: '\\.module\\.ts$' },
  to: {
    dependencyTypes: [
      'npm',
      'npm-dev',
      'npm-optional',
      'npm-peer',
      'npm-no-pkg',
      'npm-unknown',
      'core',
      'undetermined',
      'unknown',
    ],
    pathNot: [
      // A file that is not there is for the compiler to report.
      '^[.]',
      ...allowed.flatMap((item) => {
        if (item === 'node:') return builtinModules.map(builtIn);
        return item.startsWith('node:') ? [builtIn(item.slice(5))] : [`(^|node_modules/)${item}(/|$)`];
      }),
    ],
  },
}));

module.exports = {
  forbidden: [
    ...walls,
    ...packages,
    {
      name: 'views-imports',
      severity: 'error',
      from: { path: '^views/' },
      to: { path: '^src/', pathNot: '^src/index\\.ts$' },
    },
    {
      name: 'entry-points-are-not-imported',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: [ENTRY, '^src/cli/'],
      },
      to: { path: ENTRY },
    },
    {
      name: 'cycle',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.test.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
