/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

const config: Config = {
  testEnvironment: 'node',
  maxWorkers: '100%',
  // Machines are shared: a test fails by what it finds, not by the time it takes.
  testTimeout: 30_000,
  testMatch: ['<rootDir>/__tests__/**/*.test.ts'],
  // Transpiles only ("isolatedModules" of tsconfig.json): `npm run typecheck` checks the types.
  transform: { '\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/tsconfig.json' }] },
  moduleNameMapper: {
    '^wechatpay-undici$': '<rootDir>/lib/index.ts',
    '^wechatpay-undici/sandbox$': '<rootDir>/lib/sandbox/index.ts',
  },
};

export default config;
