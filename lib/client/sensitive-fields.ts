import { parseJson } from '../format/json';
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

/** Whether the answer to a call may have sensitive fields to decrypt. */
export function needsDecryption({ options, trait }: Call): boolean {
  return trait.decrypt !== undefined && !options.encrypted;
}

async function walk(value: unknown, [step, ...rest]: readonly string[], change: Change): Promise<unknown> {
  if (step === undefined) return typeof value === 'string' && value !== '' ? change(value) : value;
  if (step === '[]')
    return Array.isArray(value) ? Promise.all(value.map((member) => walk(member, rest, change))) : value;
  if (step === '{}') {
    const held = typeof value === 'string' ? parseJson(value) : undefined;
    return held?.ok ? JSON.stringify(await walk(held.value, rest, change)) : value;
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return value;
  const members = value as Record<string, unknown>;
  return { ...members, [step]: await walk(members[step], rest, change) };
}
