/** What to do when it is not known whether WeChat Pay carried out a request. */
export const UNKNOWN_OUTCOME = 'Whether it was carried out is unknown: query the outcome before you send it again.';
