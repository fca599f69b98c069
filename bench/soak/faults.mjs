/**
 * What goes wrong, by name: how the server answers (server.mjs), and which outcomes of a call are right. `resolved` is a
 * response handed out; all else is the name of an error.
 */
const RESOLVED = ['resolved'];
const BROKEN = ['TransportError'];
const LATE = ['TimeoutError'];
const UNTRUSTED = ['SignatureError'];
const REFUSED = ['ApiError'];

/** Outcomes of calls of APIv3. */
export const V3 = {
  well: RESOLVED,
  slow: RESOLVED,
  closing: RESOLVED,
  hints: RESOLVED,
  empty: RESOLVED,
  big: RESOLVED,
  racing: [...RESOLVED, ...BROKEN],
  once: [...RESOLVED, ...BROKEN],
  busy: REFUSED,
  busyOnce: [...RESOLVED, ...REFUSED],
  system: REFUSED,
  refused: REFUSED,
  redirect: [...REFUSED, ...BROKEN],
  unsigned: UNTRUSTED,
  forged: UNTRUSTED,
  skewed: UNTRUSTED,
  probe: UNTRUSTED,
  reset: BROKEN,
  cut: BROKEN,
  garbage: BROKEN,
  nobody: BROKEN,
  hang: LATE,
  drip: LATE,
  endless: ['BodyError'],
};

/** Outcomes of calls of v2, which signs in the body. */
export const V2 = {
  well: RESOLVED,
  slow: RESOLVED,
  failed: REFUSED,
  system: REFUSED,
  unsigned: UNTRUSTED,
  forged: UNTRUSTED,
  reset: BROKEN,
  cut: BROKEN,
  garbage: BROKEN,
  hang: LATE,
  endless: ['BodyError'],
};

/** Outcomes of files that are read to the end. */
export const FILES = {
  file: RESOLVED,
  zipped: RESOLVED,
  otherFile: ['BodyError'],
  cutFile: BROKEN,
  hungFile: [...LATE, ...BROKEN],
};

/** Of these the server never lets a call get through: they are given a short time. */
export const ENDLESS = new Set(['hang', 'drip', 'hungFile']);

/** With these the server has not carried out what was asked for. */
export const NOT_CARRIED_OUT = new Set(['busy', 'system', 'refused', 'redirect', 'failed']);
