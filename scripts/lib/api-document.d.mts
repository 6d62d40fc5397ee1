/** The operations of the REST API and their OpenAPI document, made without an instance. */
export function readApi(): Promise<{
  operations: { id: string; method: string; path: string; hidden?: boolean; permission: string }[];
  document: {
    paths: Record<string, Record<string, unknown>>;
    components: { schemas: Record<string, unknown> };
  };
}>;
