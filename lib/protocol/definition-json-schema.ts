import { z } from 'zod';
import { workflowDefinitionSchema } from '@/lib/protocol/definition';
import type { JsonObject } from '@/lib/shared/json';

/**
 * The definition format as a JSON Schema (draft 2020-12), for editors. It says what is said in types; rules between fields
 * (exactly one of duration, until, signal) and everything about edges and references is left to the validator.
 */
export function workflowJsonSchema(): JsonObject {
  const schema = z.toJSONSchema(workflowDefinitionSchema, { io: 'input' }) as unknown as JsonObject;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: '/schemas/workflow.v1.json',
    title: 'OpenConductor workflow definition, version 1',
    ...Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema')),
  };
}
