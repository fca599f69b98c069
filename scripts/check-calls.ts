import { checkCalls } from './check-calls/check';
import { sampleCall } from './check-calls/sample';
import { readCatalogue } from './generate/catalogue';

/**
 * Compiles a call of every operation of a catalogue in the three styles, and the same calls with each required member
 * left out: `node -r esbuild-register scripts/check-calls.ts <folder of the catalogue>`.
 */
function main([folder]: readonly string[]): void {
  if (folder === undefined) {
    console.error('Usage: node -r esbuild-register scripts/check-calls.ts <folder of the catalogue>');
    process.exitCode = 2;
    return;
  }
  const { operations } = readCatalogue(folder);
  const { good, bad, failures } = checkCalls(operations.map(sampleCall));
  for (const { statement, found } of failures) console.error(`${statement}\n  ${found}`);
  console.log(`${operations.length} operations: ${good} calls must compile, ${bad} must not; ${failures.length} fail.`);
  if (failures.length > 0) process.exitCode = 1;
}

main(process.argv.slice(2));
