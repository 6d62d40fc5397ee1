/** The text of lib/api-client/generated/schema.ts as the generator would write it now. */
export function apiTypes(): Promise<string>;
