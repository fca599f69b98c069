/** The code of an error of Node or OpenSSL, which unlike its message is sure to hold nothing of the input. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'no code';
}
