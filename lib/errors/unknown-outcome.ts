import type { OutcomeQuery } from './outcome-query';

const ADVICE = 'query the outcome before retrying.';

/** What to do if it is unknown whether WeChat Pay processed a request. */
export const UNKNOWN_OUTCOME = `WeChat Pay may or may not have processed it; ${ADVICE}`;

/** What to do when nothing of a request has left. */
export const NOTHING_SENT = 'Nothing was sent, so it is safe to retry.';

/** The text of an error, with the query that tells the outcome named in its advice. */
export function nameQuery(message: string, { verb, path }: Pick<OutcomeQuery, 'verb' | 'path'>): string {
  const advice = `the outcome with "${verb.toUpperCase()} ${path}" before retrying.`;
  if (message.includes(ADVICE)) return message.replace(ADVICE, () => `query ${advice}`);
  // WeChat Pay's own texts mostly have no full stop.
  return `${message}${/[.!?。！？]$/.test(message) ? '' : '.'} Query ${advice}`;
}
