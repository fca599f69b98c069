/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';
import all from './jest.config';

/** The tests for the loop of work: all but those that measure, that try many inputs, or that read the whole catalogue. */
const config: Config = {
  ...all,
  // A third of the time would go into RSA keys: they are real, but each worker makes only a few of them.
  setupFiles: ['<rootDir>/__tests__/support/few-keys.ts'],
  testPathIgnorePatterns: [
    '/node_modules/',
    // Limits, failures on the wire, random inputs, the whole catalogue and its generators, rotation under load.
    '/__tests__/(bounds|faults|fuzz|openapi|scripts|certificates)/(?!forged)',
    // Every reading of every message, messages with any bit flipped, whatever happens in whatever order.
    '/__tests__/(signature/v2-readings|notification/(flipped|model))\\.test\\.ts$',
    // The heap after thousands of calls; what garbage collection frees; secrets in everything that prints.
    '/(memory|leak|unread)\\.test\\.ts$',
    // Programs of their own, each of which starts Node.js: the build, examples, the installed command, servers, what is killed.
    '/__tests__/(docs|packed|examples|clients/[\\w-]+|cli/main|notification/(catalog|processes|redis)|upload/spool)\\.test\\.ts$',
    // Notifications that are repeated by the clock, files of 400 MB, types of all responses.
    '/__tests__/sandbox/(notify|month|operation|uploads)\\.test\\.ts$',
  ],
};

export default config;
