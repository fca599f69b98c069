import type ts from 'typescript';
import { SignatureKind } from 'typescript';
import { propertyOf } from '../../scripts/generate/names';
import { programOf } from './compile';
import { isOptional, objectOf } from './synthesise';

export const VERBS = ['delete', 'get', 'patch', 'post', 'put'] as const;

/** An operation, as its types have it. */
export interface Operation {
  path: string;
  verb: string;
  /** Its three styles, up to the verb; only two where the chain has no way to its path. */
  styles: string[];
  /** The options of a call with all required members, and with everything. */
  minimal: Arguments;
  full: Arguments;
}

export interface Arguments {
  text: string;
  /** The same with one required member taken away. */
  without: { member: string; text: string }[];
}

/** Finds the operations in the types themselves. */
export function operationsOf(): { operations: Operation[]; program: ts.Program } {
  const text = `import type { Paths } from '../../lib/openapi/generated/paths';
import type { CommonOptions } from '../../lib/openapi/options';
export declare const paths: Paths;
export declare const common: CommonOptions;
import { Builder } from 'wechatpay-undici'; Builder;`;
  const { program, source } = programOf(text);
  const checker = program.getTypeChecker();
  if (!source) throw new Error('The program has no file.');
  const declared = checker.getExportsOfModule(checker.getSymbolAtLocation(source) as ts.Symbol);
  const typeOf = (name: string) => checker.getTypeOfSymbol(declared.find((one) => one.name === name) as ts.Symbol);
  const common = new Set(checker.getPropertiesOfType(typeOf('common')).map(({ name }) => name));
  const operations = checker.getPropertiesOfType(typeOf('paths')).flatMap((path) => {
    const node = checker.getTypeOfSymbol(path);
    return VERBS.flatMap((verb): Operation[] => {
      const call = checker.getPropertyOfType(node, verb);
      if (call === undefined) return [];
      const [signature] = checker.getSignaturesOfType(checker.getTypeOfSymbol(call), SignatureKind.Call);
      // A segment of that name may stand where the operation is not: `merchants.delete.post()`.
      if (signature === undefined) return [];
      const [parameter] = signature.getParameters();
      if (parameter === undefined) throw new Error(`${verb} ${path.name} takes no options.`);
      const type = checker.getNonNullableType(checker.getTypeOfSymbol(parameter));
      const written = (full: boolean) => argumentsOf(type, common, { checker, full });
      return [{ path: path.name, verb, styles: stylesOf(path.name), minimal: written(false), full: written(true) }];
    });
  });
  return { operations, program };
}

function argumentsOf(
  type: ts.Type,
  common: ReadonlySet<string>,
  synthesis: { checker: ts.TypeChecker; full: boolean },
) {
  const { checker } = synthesis;
  // Of the options that every call takes, those that this one needs or has a type of its own for.
  const skipped = new Set(
    checker
      .getPropertiesOfType(type)
      .filter((member) => common.has(member.name) && isOptional(member))
      .map(({ name }) => name),
  );
  return objectOf(type, [], synthesis, skipped);
}

function stylesOf(path: string): string[] {
  const client = path.startsWith('brand/') ? 'brand' : 'instance';
  const literals = [`${client}.chain('${path}')`, `${client}['${path}']`];
  const [protocol, ...segments] = path.split('/');
  const keys = segments.map(propertyOf);
  if (keys.some((key) => key === undefined)) return literals;
  const chain = keys.map((key = '') => (/^\w+$/.test(key) && !/^\d/.test(key) ? `.${key}` : `['${key}']`));
  return [`${client}.${protocol}${chain.join('')}`, ...literals];
}
