/** Changes one text. */
export type Change = (text: string) => Promise<string>;

/**
 * Changes the texts at a path, such as `list[].contact.name`: a copy along the path, the original stays as it is.
 * `[]` is each member of a list, `{}` the JSON that a text holds. What is missing or empty stays so.
 */
export async function changeAt(value: unknown, path: string, change: Change): Promise<unknown> {
  return walk(value, path.split(/\.|(?=\[\]|\{\})/), change);
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
