/** One row of the table of settings. */
export interface Setting {
  /** Name of the environment variable. */
  name: string;
  /** Name of the field of Config. */
  key: string;
  kind: 'integer' | 'text' | 'path' | 'url' | 'choice' | 'list';
  /** As it would be written in the environment; '' means none. */
  default: string;
  /** One line for people. */
  meaning: string;
  /** Command-line flag of `npm start` for the same setting. */
  flag?: string;
  min?: number;
  max?: number;
  unit?: 'ms' | 'bytes';
  choices?: readonly string[];
  protocols?: readonly string[];
  /** Regular expression that a text must match; `allowed` says it in words. */
  pattern?: string;
  allowed?: string;
}

export type Parsed = { ok: true; value: unknown } | { ok: false; problem: string };

export const SETTINGS: readonly Setting[];
export const TEST_SETTINGS: readonly Setting[];
export function allowedText(setting: Setting): string;
export function printable(setting: Setting, raw: string): string;
export function parseSetting(setting: Setting, raw: string | undefined): Parsed;
export function conflicts(values: Record<string, unknown>): string[];
export function parseSettings(env: Record<string, string | undefined>): {
  values: Record<string, unknown>;
  problems: string[];
};
export function unknownSettings(env: Record<string, string | undefined>): string[];
