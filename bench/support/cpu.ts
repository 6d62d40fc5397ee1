import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc; 100 on every Linux that Node runs on. */
const TICKS = 100;

/**
 * Processor seconds of a process, of its living children and of those it has waited for. NaN where there is no /proc.
 *
 * @param pid the parent, such as the postmaster
 */
export function clusterCpuSeconds(pid: number): number {
  try {
    let ticks = 0;
    for (const entry of readdirSync('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      const stat = statOf(entry);
      if (!stat) continue;
      if (Number(entry) === pid) ticks += stat.own + stat.waited;
      else if (stat.parent === pid) ticks += stat.own;
    }
    return ticks / TICKS;
  } catch {
    return Number.NaN;
  }
}

function statOf(pid: string): { parent: number; own: number; waited: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold spaces.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const at = (place: number) => Number(fields[place]);
    return { parent: at(1), own: at(11) + at(12), waited: at(13) + at(14) };
  } catch {
    return null;
  }
}
