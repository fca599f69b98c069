/** What to do if it is unknown whether WeChat Pay processed a request. */
export const UNKNOWN_OUTCOME = 'WeChat Pay may or may not have processed it; query the outcome before retrying.';
