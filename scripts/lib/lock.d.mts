/** A process, named for good: the pid alone may be given to another. */
export interface ProcessName {
  pid: number;
  startTime: string;
}

export function describe(pid: number): ProcessName;
export function pause(ms: number): Promise<void>;
export function readHolder(file: string): { launcher: ProcessName } | undefined;
export function takeFile<T extends { launcher: ProcessName }>(
  file: string,
  content: T,
  whenHeld: (holder: T) => Promise<void>,
): Promise<void>;
export function releaseFile(file: string): void;
export function withLock<T>(file: string, work: () => Promise<T>): Promise<T>;
