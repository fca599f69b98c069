import { changelogEntry, changesBetween } from './changes/changes';
import { readCatalogue } from './generate/catalogue';

/**
 * Prints what changed between two catalogues, as an entry of the changelog:
 * `node -r esbuild-register scripts/changes.ts <folder of the old catalogue> <folder of the new one>`.
 */
function main([before, after]: readonly string[]): void {
  if (before === undefined || after === undefined) {
    console.error('Usage: node -r esbuild-register scripts/changes.ts <old catalogue> <new catalogue>');
    process.exitCode = 2;
    return;
  }
  console.log(changelogEntry(changesBetween(readCatalogue(before), readCatalogue(after))));
}

main(process.argv.slice(2));
