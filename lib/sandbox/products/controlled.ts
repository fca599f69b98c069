import { InvalidArgumentError } from '../../errors';
import { fault } from '../wire/response';

/** Does for the control API what the class does as well: what the state forbids is a 409. */
export function controlled<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof InvalidArgumentError ? fault(409, 'INVALID_REQUEST', error.message) : error;
  }
}

/** A member of the body of a control request, which must be one of a list. */
export function chosen<Choice extends string>(json: unknown, name: string, choices: readonly Choice[]): Choice {
  const value: unknown = Object(json)[name];
  const choice = choices.find((one) => one === value);
  if (choice !== undefined) return choice;
  throw fault(400, 'PARAM_ERROR', `"${name}" must be one of ${choices.join(', ')}; found ${JSON.stringify(value)}.`);
}
