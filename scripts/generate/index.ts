import { hasPaths, namesIn, pathsName, printArea } from './area-file';
import { type Area, areasOf, heaviest } from './areas';
import type { Catalogue } from './catalogue';
import { addNotifications, notificationsOf, printNotificationMap, printNotifications } from './notifications';
import { modelsOf, type OperationModel } from './operation';
import { lineCount, type Printer, printFile, use } from './print';
import { printShapes } from './shape-files';
import { Shapes } from './shapes';
import { printTraits } from './traits';
import { type Node, type Tree, treeOf } from './tree';

/** The folders, below `lib/openapi`, in which every file is generated. */
export const ROOMS = ['v2', 'v3', 'shapes', 'notifications'];

/** A file with more lines than these is split by the next piece of its path. */
const MOST_LINES = 1400;

type Notifications = ReturnType<typeof notificationsOf>;

/**
 * Makes the files of `lib/openapi` that hold what the catalogue knows.
 * @returns their text by their path below that folder, not yet formatted
 */
export function generate({ operations, webhooks }: Catalogue): Map<string, string> {
  const models = operations.flatMap(modelsOf);
  const trees = (['v2', 'v3'] as const).map((protocol) => {
    const own = models.filter(({ operation }) => operation.protocol === protocol);
    return treeOf(protocol, own);
  });
  const notifications = notificationsOf(webhooks);
  const files = printTypes(trees, notifications);
  files.set('traits', printTraits(operations));
  return new Map([...files].map(([file, text]) => [`${file}.ts`, text]));
}

/** Prints the types, again and again until no file that can be split is too long. */
function printTypes(trees: readonly Tree[], notifications: Notifications): Map<string, string> {
  const toldApart = new Set<string>();
  for (;;) {
    const areas = trees.flatMap((tree) => areasOf(tree, toldApart));
    const files = printAll(areas, notifications);
    const before = toldApart.size;
    for (const area of areas) {
      const lines = lineCount(files.get(area.file) ?? '');
      if (lines > MOST_LINES) for (const path of heaviest(area, MOST_LINES / lines)) toldApart.add(path);
    }
    if (toldApart.size === before) return files;
  }
}

function printAll(areas: readonly Area[], notifications: Notifications): Map<string, string> {
  const fileOfNode = new Map(areas.flatMap(({ file, nodes }) => nodes.map((node): [Node, string] => [node, file])));
  const taken = new Set(namesIn(fileOfNode.keys()));
  for (const { name } of notifications) taken.add(name);
  const shapes = new Shapes();
  for (const { file, nodes } of areas) for (const node of nodes) addOperations(shapes, file, node.operations);
  addNotifications(shapes, notifications);
  const shared = shapes.shared(taken);

  const files = new Map<string, string>();
  const printer = (file: string): Printer => ({ file, shapes, shared, imports: new Map() });
  for (const area of areas) files.set(area.file, printArea(printer(area.file), area, fileOfNode));
  for (const { file } of shared.values()) {
    if (file.startsWith('shapes/')) files.set(file, printShapes(printer(file)));
  }
  for (const { file } of notifications) {
    const inFile = notifications.filter((one) => one.file === file);
    files.set(file, printNotifications(printer(file), inFile));
  }
  files.set('notifications/index', printNotificationMap(printer('notifications/index'), notifications));
  files.set('paths', printPaths(printer('paths'), areas));
  return files;
}

function addOperations(shapes: Shapes, file: string, models: readonly OperationModel[]): void {
  for (const { path, options, result, base } of models) {
    const use = { file, owner: path, side: 'request' } as const;
    for (const option of options) {
      if (option.part) shapes.addPart(option.type, use, option.part.name);
      else shapes.addMember(option, use, path);
    }
    if (result.kind === 'part' && base === undefined) {
      shapes.addPart(result.part.type, { file, owner: path, side: 'answer' }, result.part.name);
    }
  }
}

/** Prints the map of all paths, put together from those of the areas. */
function printPaths(printer: Printer, areas: readonly Area[]): string {
  const names = areas.filter(hasPaths).map((area) => use(printer, area.file, pathsName(area)));
  const about = '/** Each known path, as `chain()` and brackets take it. */';
  return printFile(printer, [`${about}\nexport interface Paths extends ${names.join(', ')} {}`]);
}
