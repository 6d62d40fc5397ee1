import type { JsonObject } from '@/lib/shared/json';

/** What an organisation has set. `updatedAt` is epoch milliseconds. */
export interface StoredSettings {
  values: JsonObject;
  /** 0 when nothing was ever set. */
  version: number;
  updatedBy: string | null;
  updatedAt: number | null;
}

/** Where organisations' own settings are kept. */
export interface SettingsStore {
  read(organizationId: string): Promise<StoredSettings>;
  /** Writes the values over version `seen`. Null when another one is the newest. */
  write(organizationId: string, seen: number, values: JsonObject, by: string): Promise<StoredSettings | null>;
}
