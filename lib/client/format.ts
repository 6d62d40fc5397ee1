/** Text forms of times and sizes. All times are shown in UTC, as they are stored. */

/** `2026-11-20T14:23:45.123Z` → `14:23:45.123`. */
export function clockTime(iso: string | number): string {
  return new Date(iso).toISOString().slice(11, 23);
}

/** Time of day when it is on the same UTC day as `nowMs`, else `11-19 14:23`: both fit in 12 columns. */
export function rowTime(iso: string, nowMs: number): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return '—';
  const text = date.toISOString();
  const today = new Date(nowMs).toISOString().slice(0, 10);
  return text.startsWith(today) ? text.slice(11, 23) : text.slice(5, 16).replace('T', ' ');
}

/** A length of time: `0 ms`, `850 ms`, `1.24 s`, `59.9 s`, `3 m 05 s`, `2 h 07 m`, `4 d 03 h`. Never negative. */
export function duration(ms: number): string {
  const value = Math.max(0, Math.round(ms));
  if (value < 1_000) return `${value} ms`;
  if (value < 10_000) return `${(Math.floor(value / 10) / 100).toFixed(2)} s`;
  if (value < 60_000) return `${(Math.floor(value / 100) / 10).toFixed(1)} s`;
  const two = (n: number) => String(n).padStart(2, '0');
  const seconds = Math.floor(value / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${two(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${two(minutes % 60)} m`;
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** How long ago, in one unit that only grows: `now`, `4 s`, `12 m`, `3 h`, `2 d`. */
export function age(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1_000);
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/**
 * The part of an id that tells neighbours apart: the end. UUIDv7 ids made in the same minute begin alike.
 */
export function shortId(id: string): string {
  return id.length <= 10 ? id : id.slice(-8);
}

/** `1 event`, `2 events`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`;
}
