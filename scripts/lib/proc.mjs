/** Facts about other processes. Linux tells them in /proc; elsewhere `ps` is asked. Node built-ins only. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * When a process started, as text that only serves to be compared: with the pid it names one process for good,
 * also after the number has been given to another. Undefined when there is no such process (a zombie is none).
 * @param {number} pid
 * @returns {string | undefined}
 */
export function startTime(pid) {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The program's name, in parentheses, may hold spaces: count from its end.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout?.trim() || undefined;
}

/** True when the process that was noted still runs. @param {{ pid?: number, startTime?: string } | undefined} noted */
export function isSameProcess(noted) {
  return (
    noted?.pid !== undefined && noted.startTime !== undefined && startTime(noted.pid) === noted.startTime
  );
}

/** Pid of the parent of a process, where /proc tells. @param {number} pid @returns {number | undefined} */
export function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

/** Command line of a process, shortened; '' when it cannot be read. @param {number} pid */
export function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 80);
  } catch {
    return '';
  }
}

/**
 * Pid of the process that listens on a TCP port, when this system and our rights let us see it.
 * @param {number} port
 * @returns {number | undefined}
 */
export function listenerOf(port) {
  const inodes = new Set();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readLines(table)) {
      // sl local_address rem_address st … inode; state 0A is LISTEN.
      const fields = line.trim().split(/\s+/);
      const hexPort = fields[1]?.split(':')[1];
      if (fields[3] === '0A' && hexPort && Number.parseInt(hexPort, 16) === port)
        inodes.add(`socket:[${fields[9]}]`);
    }
  }
  if (inodes.size === 0) return undefined;
  for (const pid of readNames('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const fd of readNames(`/proc/${pid}/fd`)) {
      try {
        if (inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`))) return Number(pid);
      } catch {
        // Closed between the two looks.
      }
    }
  }
  return undefined;
}

/** @param {string} file */
function readLines(file) {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
}

/** @param {string} directory */
function readNames(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
