import { sorted } from './catalogue';
import { pascal, pathName } from './names';
import { mostFrequent, type Shape } from './shapes';

/** The owner of a shape in a notification begins with this. */
export const NOTIFICATIONS = 'notifications/';

/** Names that are meaningless on their own. */
const VAGUE: ReadonlySet<string> = new Set([
  'Data',
  'Info',
  'Information',
  'Detail',
  'Details',
  'List',
  'Item',
  'Result',
  'Body',
  'Query',
]);

/** Names that the files of types use already, or that mean something else to a reader. */
const RESERVED = [
  'Headers',
  'Request',
  'Response',
  'Location',
  'Event',
  'Error',
  'Date',
  'Map',
  'Set',
  'Record',
  'Promise',
];
const HAND_WRITTEN = [
  'Call',
  'Download',
  'Notified',
  'PathNode',
  'CommonOptions',
  'UploadOptions',
  'HeadersWith',
  'JsonText',
  'FormText',
];

/**
 * A name for each shape: the name of the member that contains it. If several shapes have the same name, the most used one
 * keeps it, and the others are qualified by their common path, or by the first path.
 */
export function nameShapes(shapes: readonly Shape[], taken: ReadonlySet<string>): Map<Shape, string> {
  const names = new Map<Shape, string>();
  const used = new Set([...taken, ...RESERVED, ...HAND_WRITTEN]);
  const byUse = sorted(shapes, (shape) => `${1e9 - shape.parents.size}${shape.type.key}`);
  for (const shape of byUse) {
    const name = candidatesFor(shape).find((candidate) => !used.has(candidate));
    if (name === undefined) throw new Error(`No name is left for the shape ${shape.type.key}.`);
    names.set(shape, name);
    used.add(name);
  }
  return names;
}

function candidatesFor(shape: Shape): string[] {
  const field = pascal(mostFrequent(shape.fieldNames) ?? 'shape');
  const all = [...new Set(shape.uses.map(({ owner }) => owner))];
  const paths = all.filter((owner) => !owner.startsWith(NOTIFICATIONS));
  const owners = paths.length > 0 ? paths : all;
  const side = shape.uses.some((use) => use.side === 'request') ? '' : 'Result';
  const qualifiers = [commonPath(owners), ...shortest(owners)].filter((path) => path.includes('/'));
  const candidates = qualifiers.map((path) => pathName(path) + field);
  const bare = VAGUE.has(field) ? [] : [field];
  const numbered = Array.from({ length: 30 }, (_, index) => `${candidates[0] ?? field}${index + 2}`);
  return [...bare, ...candidates.flatMap((name) => (side ? [name, name + side] : [name])), ...numbered];
}

function commonPath(paths: readonly string[]): string {
  const [first = [], ...others] = paths.map((path) => path.split('/'));
  let length = first.length;
  for (const other of others) {
    while (length > 0 && other.slice(0, length).join('/') !== first.slice(0, length).join('/')) length -= 1;
  }
  return first.slice(0, length).join('/');
}

function shortest(paths: readonly string[]): string[] {
  return sorted(paths, (path) => String(path.length).padStart(4, '0') + path).slice(0, 6);
}
