import { sorted } from './catalogue';
import { comment, type Printer, printFile, printMembers } from './print';
import { mostFrequent } from './shapes';

/** The shared shapes of the printer's file, each as an interface. */
export function sharedIn(printer: Printer): string[] {
  const shapes = [...printer.shared.values()].filter(({ file }) => file === printer.file);
  return sorted(shapes, ({ name }) => name).map(({ name, shape }) => {
    const label = mostFrequent(shape.fieldLabels);
    return `${comment(label ? [label] : [])}export interface ${name} ${printMembers(printer, shape.type)}`;
  });
}

/** Prints a file of shapes alone. */
export function printShapes(printer: Printer): string {
  return printFile(printer, sharedIn(printer));
}
