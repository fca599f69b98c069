import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

const folder = resolve(__dirname, '../../lib/openapi');
/** The table of traits and what reads it. */
const CODE = ['trait-of.ts', 'traits.ts'];

test('only the table of traits is there at run time', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023, removeComments: true };
  const withCode = files.filter((file) => {
    const { outputText } = ts.transpileModule(readFileSync(join(folder, file), 'utf8'), { compilerOptions });
    return outputText.replace(/"use strict";|Object\.defineProperty\(exports, "__esModule", .*?\);/g, '').trim() !== '';
  });
  expect(files.length).toBeGreaterThan(200);
  expect(withCode.sort()).toEqual(CODE);
});
