import { InvalidArgumentError } from '../../errors';
import { fault } from '../wire/response';

/**
 * Runs for the control API what the class also does.
 * @param status of the response where it is refused: 409 for what the state forbids, 400 for a wrong argument
 */
export function controlled<T>(run: () => T, status: 400 | 409 = 409): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw fault(status, status === 400 ? 'PARAM_ERROR' : 'INVALID_REQUEST', error.message);
  }
}

/** A member of the body of a control request, which must be one of a list. */
export function chosen<Choice extends string>(json: unknown, name: string, choices: readonly Choice[]): Choice {
  const value: unknown = Object(json)[name];
  const choice = choices.find((one) => one === value);
  if (choice !== undefined) return choice;
  throw fault(400, 'PARAM_ERROR', `"${name}" must be one of ${choices.join(', ')}; found ${JSON.stringify(value)}.`);
}
