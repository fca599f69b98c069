import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

export type Declaration = ts.InterfaceDeclaration | ts.TypeAliasDeclaration;

/** The types that one file declares and imports. */
export interface Scope {
  /** The file, with its whole path. */
  file: string;
  text: string;
  declarations: ReadonlyMap<string, Declaration>;
  imports: ReadonlyMap<string, { name: string; file: string }>;
}

/** A declaration, with the file whose names it uses. */
export interface Found<T extends Declaration = Declaration> {
  scope: Scope;
  declaration: T;
}

/** The files of types below one folder; each is parsed once, on first use. */
export interface Types {
  /** @param file below the folder, without its suffix: `v3/certificates` */
  open(file: string): Scope;
  /** The declaration of a name used in a file; `undefined` if neither the file nor its imports declare it. */
  find(scope: Scope, name: string): Found | undefined;
}

export function openTypes(folder: string): Types {
  const scopes = new Map<string, Scope>();
  const read = (file: string): Scope => {
    const scope = scopes.get(file) ?? parse(file);
    scopes.set(file, scope);
    return scope;
  };
  return {
    open: (file) => read(fileOf(resolve(folder, file))),
    find: (scope, name) => {
      const declaration = scope.declarations.get(name);
      if (declaration) return { scope, declaration };
      const imported = scope.imports.get(name);
      if (!imported) return undefined;
      const other = read(imported.file);
      const found = other.declarations.get(imported.name);
      return found && { scope: other, declaration: found };
    },
  };
}

/** The interface of this name; throws if there is none, because the layout of the types has changed. */
export function interfaceOf(types: Types, scope: Scope, name: string): Found<ts.InterfaceDeclaration> {
  const found = types.find(scope, name);
  if (found && ts.isInterfaceDeclaration(found.declaration)) return { ...found, declaration: found.declaration };
  throw new Error(`${scope.file}: "${name}" is expected to be an interface.`);
}

/** The interfaces that an interface extends. */
export function basesOf(
  types: Types,
  { scope, declaration }: Found<ts.InterfaceDeclaration>,
): Found<ts.InterfaceDeclaration>[] {
  const clauses = declaration.heritageClauses ?? [];
  return clauses.flatMap(({ types: bases }) =>
    bases.map(({ expression }) => interfaceOf(types, scope, expression.getText())),
  );
}

/** The lines of the TSDoc comment above a declaration or a member. */
export function commentOf({ text }: Scope, node: ts.Node): string[] {
  const ranges = ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [];
  const comment = ranges.map(({ pos, end }) => text.slice(pos, end)).findLast((one) => one.startsWith('/**'));
  return (comment ?? '')
    .replace(/^\/\*\*|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trim())
    .filter(Boolean);
}

function parse(file: string): Scope {
  const text = readFileSync(file, 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const declarations = new Map<string, Declaration>();
  const imports = new Map<string, { name: string; file: string }>();
  for (const statement of source.statements) {
    if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
      declarations.set(statement.name.text, statement);
    } else if (ts.isImportDeclaration(statement)) {
      for (const { own, name } of importedBy(statement)) imports.set(own, { name, file: sourceOf(file, statement) });
    }
  }
  return { file, text, declarations, imports };
}

function importedBy({ importClause }: ts.ImportDeclaration): { own: string; name: string }[] {
  const bindings = importClause?.namedBindings;
  if (!bindings || !ts.isNamedImports(bindings)) return [];
  return bindings.elements.map(({ name, propertyName }) => ({ own: name.text, name: (propertyName ?? name).text }));
}

function sourceOf(file: string, { moduleSpecifier }: ts.ImportDeclaration): string {
  return fileOf(resolve(dirname(file), (moduleSpecifier as ts.StringLiteral).text));
}

function fileOf(path: string): string {
  const file = `${path}.ts`;
  return existsSync(file) ? file : join(path, 'index.ts');
}
