import { resolve } from 'node:path';
import { reference } from './reference/index';
import { writePages } from './reference/write';

/** Writes the pages of the reference, for VitePress to build: `npm run docs`. */
function main(): void {
  const folder = resolve(__dirname, '../site/pages');
  const files = reference(resolve(__dirname, '../lib/openapi/generated'));
  writePages(folder, files);
  console.log(`${files.size} files written to ${folder}.`);
}

main();
