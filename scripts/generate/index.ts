import { hasPaths, namesIn, pathsName, printArea } from './area-file';
import { type Area, areasOf } from './areas';
import { type Catalogue, PROTOCOLS } from './catalogue';
import { addNotifications, namesOf, notificationsOf, printNotificationMap, printNotifications } from './notifications';
import { modelsOf, type OperationModel } from './operation';
import { type Printer, printFile, use } from './print';
import { printShapes } from './shape-files';
import { Shapes } from './shapes';
import { printTraits } from './traits';
import { type Node, treeOf } from './tree';

/**
 * Generates the files of `lib/openapi/generated` from the catalogue.
 * @returns their text by their path below that folder, not yet formatted
 */
export function generate({ operations, webhooks }: Catalogue): Map<string, string> {
  const models = operations.flatMap(modelsOf);
  const areas = PROTOCOLS.flatMap((protocol) => {
    const own = models.filter(({ operation }) => operation.protocol === protocol);
    return areasOf(treeOf(protocol, own));
  });
  const files = printTypes(areas, notificationsOf(webhooks));
  files.set('traits', printTraits(operations));
  return new Map([...files].map(([file, text]) => [`${file}.ts`, text]));
}

function printTypes(areas: readonly Area[], notifications: ReturnType<typeof notificationsOf>): Map<string, string> {
  const fileOfNode = new Map(areas.flatMap(({ file, nodes }) => nodes.map((node): [Node, string] => [node, file])));
  const taken = new Set([...namesIn(fileOfNode.keys()), ...namesOf(notifications)]);
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

/** The word for the interface of a part whose members several operations share. */
const WORDS: Readonly<Record<string, string>> = { json: 'body', xml: 'body', query: 'query' };

function addOperations(shapes: Shapes, file: string, models: readonly OperationModel[]): void {
  for (const { path, options, result, base } of models) {
    const use = { file, owner: path, side: 'request' } as const;
    for (const option of options) {
      if (option.part) shapes.addPart(option.type, use, option.part.name, WORDS[option.name] ?? option.name);
      else shapes.addMember(option, use, path);
    }
    if (result.kind === 'part' && base === undefined) {
      shapes.addPart(result.part.type, { file, owner: path, side: 'response' }, result.part.name, 'result');
    }
  }
}

/** The paths of all modules: for merchants, for brands, and all. */
function printPaths(printer: Printer, areas: readonly Area[]): string {
  const names = (brand: boolean) =>
    areas
      .filter((area) => hasPaths(area) && area.file.startsWith('brand/') === brand)
      .map((area) => use(printer, area.file, pathsName(area)));
  const declare = (about: string, name: string, parents: readonly string[]) =>
    `/** ${about} */\nexport interface ${name} ${parents.length > 0 ? `extends ${parents.join(', ')} ` : ''}{}`;
  return printFile(printer, [
    declare('All known paths for merchants, as accepted by `chain()` and brackets.', 'PathsOfMerchants', names(false)),
    declare('All known paths for brands.', 'PathsOfBrands', names(true)),
    declare('All known paths.', 'Paths', ['PathsOfMerchants', 'PathsOfBrands']),
  ]);
}
