import type { Tool as SdkTool } from '@modelcontextprotocol/client';
import type { Tool } from '@/lib/protocol/api';
import type { Json } from '@/lib/shared/json';
import { compileSchema, type SchemaCheck } from '@/server/adapters/mcp/schema-check';

/** One tool of one connection, with what is derived from its definition once. */
export interface ToolEntry {
  tool: Tool;
  /** The definition for the SDK, without output schema: results are checked here, with codes of ours. */
  definition: SdkTool;
  checkInput: SchemaCheck;
  /** Null when the tool promises no structured output. */
  checkOutput: SchemaCheck | null;
}

/** A server's own tool definition in the form of the API. */
export function toTool(definition: SdkTool): Tool {
  const { annotations } = definition;
  return {
    name: definition.name,
    title: definition.title ?? annotations?.title ?? null,
    description: definition.description ?? null,
    inputSchema: definition.inputSchema as Json,
    outputSchema: (definition.outputSchema ?? null) as Json,
    annotations: {
      ...(annotations?.readOnlyHint === undefined ? {} : { readOnlyHint: annotations.readOnlyHint }),
      ...(annotations?.destructiveHint === undefined ? {} : { destructiveHint: annotations.destructiveHint }),
      ...(annotations?.idempotentHint === undefined ? {} : { idempotentHint: annotations.idempotentHint }),
      ...(annotations?.openWorldHint === undefined ? {} : { openWorldHint: annotations.openWorldHint }),
    },
  };
}

/**
 * The entry of a tool. Schemas are compiled at the first call: servers with hundreds of tools connect quickly.
 *
 * @param warn told once for each schema that cannot be compiled
 */
export function toolEntry(definition: SdkTool, warn: (message: string) => void): ToolEntry {
  const { outputSchema, ...rest } = definition;
  const lazy = (schema: unknown, which: string): SchemaCheck => {
    let compiled: SchemaCheck | undefined;
    return (value) => {
      if (compiled === undefined) {
        const result = compileSchema(schema);
        if (result.problem !== undefined)
          warn(`the ${which} schema of ${definition.name} is invalid: ${result.problem}`);
        compiled = result.check;
      }
      return compiled(value);
    };
  };
  return {
    tool: toTool(definition),
    definition: rest,
    checkInput: lazy(definition.inputSchema, 'input'),
    checkOutput: outputSchema === undefined ? null : lazy(outputSchema, 'output'),
  };
}
