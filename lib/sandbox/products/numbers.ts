import { beijing } from './members';

/** The day in Beijing, 8 digits, as the numbers of WeChat Pay have it inside. */
export function day(time: number): string {
  return beijing(time).slice(0, 10).replaceAll('-', '');
}
