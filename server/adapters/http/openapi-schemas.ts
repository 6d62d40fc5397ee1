import { z } from 'zod';
import {
  callToolBodySchema,
  callToolResultSchema,
  definitionProblemSchema,
  eventPageSchema,
  reasonBodySchema,
  runPageSchema,
  serverDetailSchema,
  serverSummarySchema,
  signalBodySchema,
  startRunBodySchema,
  toolSchema,
  validationResultSchema,
  workflowSummarySchema,
} from '@/lib/protocol/api';
import { streamPageSchema } from '@/lib/protocol/api-events';
import {
  acceptedSchema,
  approveBodySchema,
  historySchema,
  rejectBodySchema,
  rerunBodySchema,
  resolveBodySchema,
  restartBodySchema,
  retryBodySchema,
  runLinksSchema,
  runRecordSchema,
  taskPageSchema,
  taskSchema,
  timelineSchema,
  workflowMetricsSchema,
} from '@/lib/protocol/api-runs';
import {
  workflowDetailSchema,
  workflowPlanSchema,
  workflowVersionPageSchema,
  workflowVersionSchema,
} from '@/lib/protocol/api-workflows';
import { workflowDefinitionSchema } from '@/lib/protocol/definition';
import { approversSchema } from '@/lib/protocol/definition-common';
import { nodeSchema } from '@/lib/protocol/definition-nodes';
import { problemSchema } from '@/lib/protocol/errors';
import { streamEventSchema, workflowEventSchema } from '@/lib/protocol/event';
import {
  failureSchema,
  nodeStatusSchema,
  nodeViewSchema,
  runStatusSchema,
  runSummarySchema,
} from '@/lib/protocol/run';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';

/** Names under which schemas appear in the document; what has none is written where it is used. */
const NAMED: Record<string, z.ZodType> = {
  Accepted: acceptedSchema,
  ApproveBody: approveBodySchema,
  Approvers: approversSchema,
  CallToolBody: callToolBodySchema,
  CallToolResult: callToolResultSchema,
  DefinitionProblem: definitionProblemSchema,
  EventPage: eventPageSchema,
  Failure: failureSchema,
  History: historySchema,
  NodeStatus: nodeStatusSchema,
  NodeView: nodeViewSchema,
  Problem: problemSchema,
  ReasonBody: reasonBodySchema,
  RejectBody: rejectBodySchema,
  RerunBody: rerunBodySchema,
  ResolveBody: resolveBodySchema,
  RestartBody: restartBodySchema,
  RetryBody: retryBodySchema,
  Run: runRecordSchema,
  RunEvent: workflowEventSchema,
  RunLinks: runLinksSchema,
  RunPage: runPageSchema,
  RunStatus: runStatusSchema,
  RunSummary: runSummarySchema,
  Server: serverDetailSchema,
  ServerSummary: serverSummarySchema,
  SignalBody: signalBodySchema,
  StartRunBody: startRunBodySchema,
  StreamEvent: streamEventSchema,
  StreamPage: streamPageSchema,
  Task: taskSchema,
  TaskPage: taskPageSchema,
  Timeline: timelineSchema,
  Tool: toolSchema,
  ValidationResult: validationResultSchema,
  Workflow: workflowDetailSchema,
  WorkflowDefinition: workflowDefinitionSchema,
  WorkflowMetrics: workflowMetricsSchema,
  WorkflowNode: nodeSchema,
  WorkflowPlan: workflowPlanSchema,
  WorkflowSummary: workflowSummarySchema,
  WorkflowVersion: workflowVersionSchema,
  WorkflowVersionPage: workflowVersionPageSchema,
};

const PLACE = '#/components/schemas/';

/** Collects JSON Schemas of the document: named ones once, with references to them. */
export class SchemaCollection {
  readonly components: JsonObject = {};
  private readonly names = z.registry<{ id: string }>();
  private unnamed = 0;

  constructor() {
    for (const [id, schema] of Object.entries(NAMED)) this.names.add(schema, { id });
  }

  /**
   * The schema as the document holds it.
   *
   * @param io `input`: what may be sent (defaults left out); `output`: what is answered
   */
  add(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
    const made = z.toJSONSchema(schema, {
      target: 'draft-2020-12',
      io,
      metadata: this.names,
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        const text = z.globalRegistry.get(zodSchema as unknown as z.ZodType)?.description;
        if (text !== undefined) jsonSchema.description ??= text;
      },
    }) as unknown as JsonObject;
    const { $schema: _s, $defs, ...rest } = made;
    if (isAnyJson(rest, '#')) return this.anyJson();
    const renamed = new Map<string, string>();
    const own = isJsonObject($defs) ? $defs : {};
    for (const [name, inner] of Object.entries(own))
      renamed.set(`#/$defs/${name}`, this.nameFor(name, inner, io));
    for (const [name, inner] of Object.entries(own)) {
      const to = renamed.get(`#/$defs/${name}`) ?? name;
      if (to === 'Json') this.anyJson();
      else this.components[to] ??= this.tidy(inner, io, renamed);
    }
    return this.tidy(rest, io, renamed) as JsonObject;
  }

  private anyJson(): JsonObject {
    this.components.Json ??= { description: 'Any JSON value.' };
    return { $ref: `${PLACE}Json` };
  }

  /** A name of the document. What is asked for and what is answered may differ by defaults: then the former gets its own. */
  private nameFor(name: string, inner: Json, io: 'input' | 'output'): string {
    if (isAnyJson(inner, `#/$defs/${name}`)) return 'Json';
    if (!name.startsWith('__')) return io === 'input' && !name.endsWith('Body') ? `${name}Input` : name;
    this.unnamed += 1;
    return `Part${this.unnamed}`;
  }

  private tidy(value: Json, io: 'input' | 'output', renamed: ReadonlyMap<string, string>): Json {
    if (Array.isArray(value)) return value.map((inner) => this.tidy(inner, io, renamed));
    if (!isJsonObject(value)) return value;
    const out: JsonObject = {};
    for (const [key, inner] of Object.entries(value)) {
      if (key === '$ref' && typeof inner === 'string') out.$ref = PLACE + (renamed.get(inner) ?? inner);
      // Limits of a double are no rule of ours.
      else if (
        (key === 'maximum' || key === 'minimum') &&
        Math.abs(Number(inner)) === Number.MAX_SAFE_INTEGER
      )
        continue;
      // Answers may grow: a reader must not refuse what it does not know.
      else if (key === 'additionalProperties' && inner === false && io === 'output') continue;
      else out[key] = this.tidy(inner, io, renamed);
    }
    return out;
  }
}

/** True for what `z.json()` becomes: text, number, boolean, null, and lists and objects of itself. */
function isAnyJson(schema: Json, self: string): boolean {
  if (!isJsonObject(schema) || !Array.isArray(schema.anyOf)) return false;
  const text = JSON.stringify(schema.anyOf);
  return schema.anyOf.length === 6 && text.includes(`{"type":"null"}`) && text.includes(`"$ref":"${self}"`);
}
