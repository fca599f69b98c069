/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';
import all from './jest.config';

/** The tests for the loop of work: all but those that measure, that try many inputs, or that read the whole catalogue. */
const config: Config = {
  ...all,
  // RSA keys take long to make: they are real, but each worker makes only a few of them.
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
    '/__tests__/(docs|packed|examples|clients/[\\w-]+|cli/main|client/diagnostics|notification/(catalog|processes|redis)|upload/spool)\\.test\\.ts$',
    // Time that is moved by months, files of 400 MB, every operation of the catalogue, every row of each product.
    '/__tests__/sandbox/(notify|month|documented|operation|uploads|(control|catalogue|products)/[\\w-]+)\\.test\\.ts$',
    // What is killed and started again, TLS and its authorities, the types of all signatures.
    '/__tests__/(sandbox/(killed|tls)|exported-types)\\.test\\.ts$',
  ],
};

export default config;
