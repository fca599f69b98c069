import { InvalidArgumentError } from '../errors';

/** Text by name: all that a front end is given is text, the time too. */
export type Texts<Name extends string = string> = Record<Name, string>;

/**
 * Takes members of an argument, and nothing else of it.
 * @param required members that must be there
 * @param optional members that may be `undefined`, and are left out then
 * @throws {@link InvalidArgumentError} that names a member which is missing, empty or not text
 */
export function texts<Required extends string, Optional extends string = never>(
  argument: object,
  required: readonly Required[],
  optional: readonly Optional[] = [],
): Texts<Required> & Partial<Texts<Optional>> {
  if (typeof argument !== 'object' || argument === null) {
    throw new InvalidArgumentError(
      `The argument must be an object; it is ${argument === null ? 'null' : typeof argument}.`,
    );
  }
  const members = new Map<string, unknown>(Object.entries(argument));
  const present = optional.filter((name) => members.get(name) !== undefined);
  const taken = [...new Set<string>([...required, ...present])].map((name) => [name, text(name, members.get(name))]);
  // The names are those asked for, each with the text that it was found to have.
  return Object.fromEntries(taken) as Texts<Required> & Partial<Texts<Optional>>;
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  const found = value === undefined ? 'missing' : value === '' ? 'empty' : `of type ${typeof value}, and must be text`;
  throw new InvalidArgumentError(`"${name}" is ${found}.`);
}
