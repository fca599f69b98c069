/** The parsed comment of an operation or a notification. */
export interface Documentation {
  title: string;
  links: string[];
  /** Its state, in Chinese. */
  remarks: string[];
  /** Why it is deprecated, in Chinese. */
  deprecated: string | undefined;
}

/** The sentences of `scripts/generate/marks.ts`. */
const SENTENCES = new Map([
  ['Taken offline by WeChat Pay.', '微信支付已将此接口下线。'],
  ['No longer maintained by WeChat Pay.', '微信支付已不再维护此接口。'],
  ['A newer version exists.', '此接口已有新版本。'],
  ['Closed to new merchants.', '此接口不再对新商户开放。'],
  ['Not yet available to all merchants.', '此接口尚未对所有商户开放，需先申请。'],
  ['In beta.', '此接口处于试用阶段。'],
]);

/** Reads the lines of such a comment: the title, remarks, links, `@deprecated`. */
export function documentationOf(lines: readonly string[]): Documentation {
  const isLink = (line: string) => /^https?:/.test(line);
  const [title = '', ...others] = lines.filter((line) => !line.startsWith('@') && !isLink(line));
  const tagged = (tag: string) => lines.filter((line) => line.startsWith(tag)).map((line) => line.slice(tag.length));
  return {
    title,
    links: lines.filter(isLink),
    remarks: others.map(inChinese),
    deprecated: tagged('@deprecated ').map(inChinese)[0],
  };
}

function inChinese(sentence: string): string {
  return SENTENCES.get(sentence) ?? sentence;
}
