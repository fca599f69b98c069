// The order of the rooms; ARCHITECTURE.md says what lives in each. `npm run lint:imports` holds the imports to it.

/** From top to bottom: a room imports those below it, never one above. */
const ROOMS = [
  'lib/index.ts',
  'lib/builder.ts',
  'lib/chain/',
  'lib/client/',
  'lib/middleware/',
  'lib/sensitive/',
  'lib/notification/',
  'lib/certificates/',
  'lib/upload/',
  'lib/download/',
  'lib/invocation/',
  'lib/signature/',
  'lib/crypto/',
  'lib/format/',
  'lib/errors/',
  'lib/openapi/',
  'lib/version.ts',
];

/** The lowest room of the client that the sandbox may not see: it signs and encrypts by itself, with the rooms below. */
const HIDDEN_FROM_SANDBOX = ROOMS.slice(0, ROOMS.indexOf('lib/signature/'));

const startsWith = (...rooms) => `^(${rooms.join('|')})`.replaceAll('.', '\\.');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...ROOMS.slice(1).map((room, index) => ({
      name: `${room} imports no room above it`,
      severity: 'error',
      from: { path: startsWith(room) },
      to: { path: startsWith(...ROOMS.slice(0, index + 1)) },
    })),
    {
      name: 'the client never imports the sandbox or the command',
      severity: 'error',
      from: { path: startsWith(...ROOMS) },
      to: { path: startsWith('lib/sandbox/', 'lib/cli/') },
    },
    {
      name: 'the sandbox imports nothing above lib/signature',
      severity: 'error',
      from: { path: startsWith('lib/sandbox/') },
      to: { path: startsWith(...HIDDEN_FROM_SANDBOX, 'lib/cli/') },
    },
    {
      name: 'every room has a place in the order',
      severity: 'error',
      from: { path: '^lib/', pathNot: startsWith(...ROOMS, 'lib/sandbox/', 'lib/cli/') },
      to: {},
    },
    { name: 'no circles', severity: 'error', from: { path: '^lib/' }, to: { circular: true } },
    {
      name: 'no file that nobody imports',
      severity: 'error',
      from: { orphan: true, path: '^lib/' },
      to: {},
    },
    {
      name: 'lib imports nothing outside lib',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(__tests__|bench|examples|scripts|site)/' },
    },
    { name: 'every import leads somewhere', severity: 'error', from: { path: '^lib/' }, to: { couldNotResolve: true } },
    {
      name: 'lib needs only what is installed with it',
      severity: 'error',
      from: { path: '^lib/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Imports of types count: what a type describes is part of its room.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
