export function step<T>(name: string, work: (note: (text: string) => void) => T | Promise<T>): Promise<T>;
