/**
 * Mutation testing: changes the code bit by bit, and shows which changes no test notices.
 *
 *   npm run mutate                          # all rooms of the table; hours
 *   npm run mutate -- crypto                # one room
 *   npm run mutate -- lib/signature/hash.ts # one file, by the tests of its room
 *
 * For every mutant jest loads all test files that it is given, so that each room has its own. What takes memory, time or
 * a process of its own is left out, and so are mutants that run only while a file is loaded. All else is in
 * stryker.config.json; the report of the last room is in reports/mutation.
 */
import { Stryker } from '@stryker-mutator/core';

/** The rooms, and the tests of each besides those in the directory of its name. */
const ROOMS = {
  certificates: [],
  crypto: [],
  middleware: ['client/hosts'],
  notification: [],
  signature: ['middleware/interceptors', 'notification/v3', 'notification/flipped', 'format/fields'],
};
const SLOW = 'memory|leak|cost|redis|catalog|frameworks|machine|ends|rotation|types';

/** What to mutate, and which room it belongs to. */
function read(argument) {
  const room = /^(?:lib\/)?(\w+)/.exec(argument)?.[1];
  if (!Object.hasOwn(ROOMS, room))
    throw new Error(`"${argument}" is in none of the rooms ${Object.keys(ROOMS).join(', ')}.`);
  return { room, mutate: argument.includes('/') ? argument : `lib/${room}/**/*.ts` };
}

const given = process.argv.slice(2);
const totals = [];
for (const { room, mutate } of (given.length > 0 ? given : Object.keys(ROOMS)).map(read)) {
  const tests = [`${room}/**/*`, ...ROOMS[room]].map((path) => `<rootDir>/__tests__/${path}.test.ts`);
  const jest = { config: { testMatch: tests, testPathIgnorePatterns: ['/node_modules/', `/(${SLOW})\\.test\\.ts$`] } };
  const results = await new Stryker({ mutate: [mutate], jest }).runMutationTest();
  const count = (...statuses) => results.filter(({ status }) => statuses.includes(status)).length;
  const killed = count('Killed', 'Timeout');
  const alive = count('Survived', 'NoCoverage');
  totals.push({ mutate, killed, alive, score: `${((100 * killed) / (killed + alive)).toFixed(1)} %` });
}
console.table(totals);
