import fc from 'fast-check';
import { expandTemplate } from '../../lib/format/uri-template';
import { anyName, anyText, anyValue, check, expectOurs, isWhole, LONG, outcomeOf, wholeText } from './support';

const operators = fc.constantFrom('', '+', '#', '.', '/', ';', '?', '&', '=', '!', '|', '@');
const modifiers = fc.constantFrom('', '*', ':1', ':3', ':0', ':10000', ':', '**', ':3*');
const expression = fc
  .tuple(
    operators,
    fc.array(fc.tuple(fc.oneof(fc.constantFrom('a', 'b', 'out-trade-no', '_x'), anyName), modifiers), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([operator, specs]) => `{${operator}${specs.map((spec) => spec.join('')).join(',')}}`);
const templates = fc.array(fc.oneof(expression, anyText), { maxLength: 5 }).map((pieces) => pieces.join('/'));

test(
  'any template and any values are expanded, or refused',
  () =>
    check(2000, [templates, fc.dictionary(anyName, anyValue), anyValue], async (template, values, value) => {
      const named = (name: string) => (Object.hasOwn(values, name) ? values[name] : undefined);
      for (const lookup of [named, () => value, () => undefined]) {
        const outcome = await outcomeOf(() => expandTemplate(template, lookup));
        const error = expectOurs(outcome);
        if (error) expect(error.code).toBe('ERR_INVALID_ARGUMENT');
        else expect(outcome).toEqual({ value: expect.any(String) });
      }
    }),
  LONG,
);

test(
  'a value comes out of its expression as it went in, with nothing that ends a segment',
  () =>
    check(
      1000,
      [fc.oneof(wholeText, anyText), fc.constantFrom('a', '__proto__', 'constructor', 'out-trade-no')],
      async (value, name) => {
        const outcome = await outcomeOf(() => expandTemplate(`x{${name}}y`, () => value));
        if (expectOurs(outcome)) return expect(isWhole(value) && value !== '').toBe(false);
        const expanded = String((outcome as { value: unknown }).value);
        expect(expanded).toMatch(/^x(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*y$/);
        return expect(decodeURIComponent(expanded.slice(1, -1))).toBe(value);
      },
    ),
  LONG,
);

test(
  'lists and objects come out member by member',
  () =>
    check(
      500,
      [
        fc.array(
          wholeText.filter((text) => text !== ''),
          { minLength: 1 },
        ),
        fc.dictionary(anyName.filter(isWhole), wholeText, { minKeys: 1 }),
      ],
      (list, object) => {
        const expand = (template: string, value: unknown) => expandTemplate(template, () => value);
        expect(expand('{a}', list).split(',').map(decodeURIComponent)).toEqual(list);
        const pairs = expand('{?a*}', object)
          .slice(1)
          .split('&')
          .map((pair) => pair.split('=').map(decodeURIComponent));
        expect(pairs).toEqual(Object.entries(object));
      },
    ),
  LONG,
);

test(
  'no value makes an empty segment',
  () =>
    check(
      1000,
      [fc.constantFrom('{a}', '{a:2}', '{a*}', '{/a}', '{/a*}', '{/a,a}', '{.a}'), fc.oneof(anyText, anyValue)],
      async (expression, value) => {
        const slash = expression.startsWith('{/') ? '' : '/';
        const outcome = await outcomeOf(() => expandTemplate(`x${slash}${expression}/y`, () => value));
        if (expectOurs(outcome)) return;
        const { value: expanded } = outcome as { value: string };
        expect(expanded.split('/')).not.toContain('');
      },
    ),
  LONG,
);

test('nothing inherited is taken for a value', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    expect(expandTemplate(`x{?${name}}`, () => undefined)).toBe('x');
    expect(expandTemplate(`x{?${name},a}`, (asked) => (asked === 'a' ? 1 : undefined))).toBe('x?a=1');
  }
});
