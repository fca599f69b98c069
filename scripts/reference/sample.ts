import type { Member, Shape } from './shape';

/** Maximum line length of a sample. */
const WIDTH = 70;

/** A value of this type as TypeScript: every required member, with the field labels as strings. */
export function sampleOf(shape: Shape, label = '', indent = ''): string {
  switch (shape.kind) {
    case 'plain':
      return plainSample(shape.text, label);
    case 'enum':
      return shape.values[0] ?? "''";
    case 'array':
      return `[${sampleOf(shape.of, label, indent)}]`;
    case 'held':
      return shape.format === 'JSON' ? `JSON.stringify(${sampleOf(shape.of, label, indent)})` : quoted(label);
    case 'union':
      return shape.of[0] ? sampleOf(shape.of[0], label, indent) : '{}';
    case 'object':
      return objectSample(shape.members, indent);
  }
}

function objectSample(members: readonly Member[], indent: string): string {
  const deeper = `${indent}  `;
  const entries = members
    .filter(({ optional }) => !optional)
    .map(({ name, shape, label }) => `${keyOf(name)}: ${sampleOf(shape, label || name, deeper)}`);
  if (entries.length === 0) return '{}';
  const line = `{ ${entries.join(', ')} }`;
  if (indent !== '' && !line.includes('\n') && line.length + indent.length < WIDTH) return line;
  return `{\n${entries.map((entry) => `${deeper}${entry},\n`).join('')}${indent}}`;
}

function plainSample(text: string, label: string): string {
  const [first = ''] = text.split(' | ');
  if (first === 'number') return '1';
  if (first === 'boolean') return 'true';
  if (first === 'string') return quoted(label);
  return first.startsWith('`') ? "'1'" : '{}';
}

function keyOf(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : quoted(name);
}

/** A string literal of TypeScript. */
export function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
