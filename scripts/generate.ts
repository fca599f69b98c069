import { resolve } from 'node:path';
import { readCatalogue } from './generate/catalogue';
import { factsText, writeFacts } from './generate/facts';
import { generate } from './generate/index';
import { writeFiles } from './generate/write';

const FACTS = resolve(__dirname, '../lib/sandbox/catalogue/facts.ts');

/** Generates the types, traits and facts of a catalogue: `npm run generate -- <folder of the catalogue> [folder of the files]`. */
function main([catalogue, ...rest]: readonly string[]): void {
  const [folder = resolve(__dirname, '../lib/openapi/generated')] = rest;
  if (catalogue === undefined) {
    console.error('Usage: npm run generate -- <folder of the catalogue> [folder to write to]');
    process.exitCode = 2;
    return;
  }
  const known = readCatalogue(catalogue);
  const files = generate(known);
  const { written, removed } = writeFiles(folder, files);
  console.log(`${files.size} files in ${folder}: ${written} written, ${removed} removed, the others unchanged.`);
  // Written to another folder, the types are on trial; the sandbox keeps its facts.
  if (rest.length > 0) return;
  console.log(`${FACTS}: ${writeFacts(FACTS, factsText(known)) ? 'written' : 'unchanged'}.`);
}

main(process.argv.slice(2));
