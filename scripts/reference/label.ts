const NOTES: readonly (readonly [RegExp, string])[] = [
  [/^分$/, '单位：分'],
  [/^encrypted with RSA$/, '敏感字段'],
  [/^encrypted with AES$/, 'AES 密文'],
  [/^at most (\d+) characters$/, '最长 $1 个字符'],
];

/** Parses the comment of a field: `手机号码 (encrypted with RSA)`. Other remarks stay in the label. */
export function labelOf(comment: string): { label: string; notes: string[] } {
  const [whole, label = '', inner = ''] = /^(.*?) ?\(([^()]*)\)$/.exec(comment) ?? [];
  const remarks = inner.split(', ').map((remark) => NOTES.find(([pattern]) => pattern.test(remark)) && note(remark));
  if (whole === undefined || remarks.includes(undefined)) return { label: comment, notes: [] };
  return { label, notes: remarks.filter((remark) => remark !== undefined) };
}

function note(remark: string): string {
  return NOTES.reduce((text, [pattern, chinese]) => text.replace(pattern, chinese), remark);
}
