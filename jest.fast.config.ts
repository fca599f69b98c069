/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';
import all from './jest.config';

/** The tests for the loop of work: all but those that measure, that try many inputs, or that read the whole catalogue. */
const config: Config = {
  ...all,
  testPathIgnorePatterns: [
    '/node_modules/',
    // Random inputs, what goes wrong on the wire, how much is held, the whole catalogue, the generators, shared stores.
    '/__tests__/(bounds|faults|fuzz|openapi|scripts|certificates)/(?!forged)',
    // The heap after thousands of calls; secrets in everything that prints.
    '/(memory|leak)\\.test\\.ts$',
    // Programs of their own, each of which starts Node.js: examples, the installed command, servers.
    '/__tests__/(docs|examples|cli/main|notification/(catalog|redis))\\.test\\.ts$',
    // Notifications that are repeated by the clock, and files of 400 MB.
    '/__tests__/sandbox/(notify|uploads)\\.test\\.ts$',
  ],
};

export default config;
