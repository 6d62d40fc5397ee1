import type { Config } from '@/server/config/config';

export interface StartOptions {
  help: boolean;
  rebuild: boolean;
  /** The environment with the flags in it, paths absolute. */
  env: Record<string, string | undefined>;
  settings: Config;
  /** Variables that look like settings and are none. */
  warnings: string[];
}

export function readOptions(args: readonly string[], env: Record<string, string | undefined>): StartOptions;
