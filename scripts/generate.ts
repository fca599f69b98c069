import { resolve } from 'node:path';
import { readCatalogue } from './generate/catalogue';
import { generate } from './generate/index';
import { writeFiles } from './generate/write';

/** Generates the types and traits of a catalogue: `npm run generate -- <folder of the catalogue> [folder of the files]`. */
function main([catalogue, folder = resolve(__dirname, '../lib/openapi/generated')]: readonly string[]): void {
  if (catalogue === undefined) {
    console.error('Usage: npm run generate -- <folder of the catalogue> [folder to write to]');
    process.exitCode = 2;
    return;
  }
  const files = generate(readCatalogue(catalogue));
  const { written, removed } = writeFiles(folder, files);
  console.log(`${files.size} files in ${folder}: ${written} written, ${removed} removed, the others unchanged.`);
}

main(process.argv.slice(2));
