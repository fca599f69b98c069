import type { Member, Shape } from './shape';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Text as HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => ENTITIES[character] ?? character);
}

/**
 * A table of fields, with those of objects indented below them. It is HTML that neither Markdown nor Vue parses, because
 * there are a thousand of these.
 * @param required the head of the column that says whether a field is always there
 */
export function fieldTable(members: readonly Member[], required: string): string {
  const rows = members.flatMap((member) => rowsOf(member, 0));
  return [
    '<table class="fields" v-pre>',
    `<thead><tr><th>字段</th><th>类型</th><th>${required}</th><th>说明</th></tr></thead>`,
    '<tbody>',
    ...rows,
    '</tbody>',
    '</table>',
  ].join('\n');
}

function rowsOf({ name, optional, shape, label, notes }: Member, depth: number): string[] {
  const values = enumOf(shape);
  const about = [
    label && escaped(label),
    ...notes.map((note) => `<i>${escaped(note)}</i>`),
    values.length > 0 &&
      `可选值：${values.map((value) => `<code>${escaped(value.replace(/^'|'$/g, ''))}</code>`).join(' ')}`,
  ].filter(Boolean);
  return [
    row([`<code>${escaped(name)}</code>`, escaped(typeText(shape)), optional ? '' : '是', about.join('<br>')], depth),
    ...innerRows(shape, depth + 1),
  ];
}

function row(cells: readonly string[], depth: number): string {
  return `<tr class="d${Math.min(depth, 8)}">${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

/** The rows below a field: the members of its object, or of each alternative object. */
function innerRows(shape: Shape, depth: number): string[] {
  if (shape.kind === 'object') return shape.members.flatMap((member) => rowsOf(member, depth));
  if (shape.kind === 'array' || shape.kind === 'held') return innerRows(shape.of, depth);
  if (shape.kind !== 'union') return [];
  return shape.of.flatMap((one, index) => {
    const rows = innerRows(one, depth + 1);
    return rows.length > 0 ? [row([`<em>形式 ${index + 1}</em>`, escaped(typeText(one)), '', ''], depth), ...rows] : [];
  });
}

function enumOf(shape: Shape): string[] {
  if (shape.kind === 'enum') return shape.values;
  return shape.kind === 'array' ? enumOf(shape.of) : [];
}

/** The name of a type. */
export function typeText(shape: Shape): string {
  switch (shape.kind) {
    case 'plain':
      return shape.text;
    case 'enum':
      return shape.values.every((value) => value.startsWith("'")) ? 'string' : baseOf(shape.values[0] ?? '');
    case 'array':
      return shape.of.kind === 'union' ? `(${typeText(shape.of)})[]` : `${typeText(shape.of)}[]`;
    case 'held':
      return shape.format === 'JSON' ? 'string (JSON)' : 'string (URL 编码)';
    case 'union':
      return [...new Set(shape.of.map(typeText))].join(' | ');
    case 'object':
      return 'object';
  }
}

function baseOf(literal: string): string {
  if (literal === 'true' || literal === 'false') return 'boolean';
  return /^-?\d/.test(literal) ? 'number' : 'string';
}
