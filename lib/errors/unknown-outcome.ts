/** What to do when it is not known whether WeChat Pay carried out a request. */
export const UNKNOWN_OUTCOME = 'WeChat Pay may or may not have processed it; query the outcome before retrying.';

/** What to do when nothing of a request has left. */
export const NOTHING_SENT = 'Nothing was sent, so it is safe to retry.';
