import { beijing } from './members';

/** The day in Beijing, 8 digits, as it is in WeChat Pay's numbers. */
export function day(time: number): string {
  return beijing(time).slice(0, 10).replaceAll('-', '');
}
