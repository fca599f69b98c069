import { isMedia } from '../media/media';
import type { Call } from './request';

/** Changes one text. */
export type Change = (text: string) => Promise<string>;

/**
 * Changes the texts at a path, such as `list[].contact.name`: a copy along the path, the original stays as it is.
 * `[]` is each member of a list, `{}` the JSON that a text holds. What is missing or empty stays so.
 */
export async function changeAt(value: unknown, path: string, change: Change): Promise<unknown> {
  return walk(value, stepsOf(path), change);
}

/** The steps of the paths of the catalogue, which are not many. */
const known = new Map<string, readonly string[]>();

function stepsOf(path: string): readonly string[] {
  const steps = known.get(path) ?? path.split(/\.|(?=\[\]|\{\})/);
  known.set(path, steps);
  return steps;
}

/** Whether a call has sensitive fields to encrypt. */
export function needsEncryption({ options, trait }: Call): boolean {
  if (options.encrypted || !trait.encrypt) return false;
  return isMedia(options.body) || trait.encrypt.some(({ path }) => isPresent(options, stepsOf(path), 0));
}

/** Whether the answer to a call may have sensitive fields to decrypt. */
export function needsDecryption({ options, trait }: Call): boolean {
  return trait.decrypt !== undefined && !options.encrypted;
}

/** Whether there is something to be changed; of JSON in a text it only tells that the text is there. */
function isPresent(value: unknown, steps: readonly string[], index: number): boolean {
  const step = steps[index];
  if (step === undefined || step === '{}') return typeof value === 'string' && value !== '';
  if (step === '[]') return Array.isArray(value) && value.some((member) => isPresent(member, steps, index + 1));
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return false;
  return isPresent((value as Record<string, unknown>)[step], steps, index + 1);
}

async function walk(value: unknown, [step, ...rest]: readonly string[], change: Change): Promise<unknown> {
  if (step === undefined) return typeof value === 'string' && value !== '' ? change(value) : value;
  if (step === '[]')
    return Array.isArray(value) ? Promise.all(value.map((member) => walk(member, rest, change))) : value;
  if (step === '{}')
    return typeof value === 'string' ? JSON.stringify(await walk(JSON.parse(value), rest, change)) : value;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return value;
  const members = value as Record<string, unknown>;
  return { ...members, [step]: await walk(members[step], rest, change) };
}
