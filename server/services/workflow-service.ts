import { createHash } from 'node:crypto';
import { compile } from '@/lib/engine/compile';
import { type Knowledge, validateDefinition } from '@/lib/engine/validate';
import { type Actor, hasRole, type Role } from '@/lib/protocol/actor';
import type { ValidationResult, WorkflowSummary } from '@/lib/protocol/api';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { AppError } from '@/lib/protocol/errors';
import { canonicalJson } from '@/lib/shared/json';
import type { DefinitionStore, StoredDefinition } from '@/server/ports/definition-store';

/** Throws FORBIDDEN when the actor's role is below `needed`. */
export function requireRole(actor: Actor, needed: Role): void {
  if (hasRole(actor.role, needed)) return;
  throw new AppError('FORBIDDEN', `This needs the role ${needed}; ${actor.displayName} has ${actor.role}.`);
}

/** SHA-256 of the definition's canonical JSON: equal definitions share one hash. */
export function definitionHash(definition: WorkflowDefinition): string {
  return createHash('sha256').update(canonicalJson(definition)).digest('hex');
}

/** Servers that a definition calls, each once, in order of first use; nested nodes included. */
export function serversOf(definition: unknown): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      const { kind, server, compensate } = value as { kind?: unknown; server?: unknown; compensate?: unknown };
      if (kind === 'mcp-server' && typeof server === 'string') found.add(server);
      const undoing = (compensate as { server?: unknown } | undefined)?.server;
      if (typeof kind === 'string' && typeof undoing === 'string') found.add(undoing);
      Object.values(value).forEach(visit);
    }
  };
  visit((definition as { nodes?: unknown }).nodes);
  return [...found];
}

/** A stored definition as a row of a list. */
export function toWorkflowSummary({
  name,
  version,
  definition,
  createdAt,
}: StoredDefinition): WorkflowSummary {
  return {
    name,
    version,
    title: definition.title ?? null,
    description: definition.description ?? null,
    nodes: definition.nodes.length,
    servers: serversOf(definition),
    updatedAt: createdAt.toISOString(),
  };
}

export interface WorkflowServiceDeps {
  definitions: DefinitionStore;
  /** What is known of servers and their tools, for validation; only what can be had without connecting. */
  knowledge: (organizationId: string, servers: readonly string[]) => Promise<Knowledge | undefined>;
}

/** Use cases around definitions. */
export class WorkflowService {
  constructor(private readonly deps: WorkflowServiceDeps) {}

  async list(actor: Actor): Promise<WorkflowSummary[]> {
    requireRole(actor, 'viewer');
    return (await this.deps.definitions.list(actor.organizationId)).map(toWorkflowSummary);
  }

  /** Throws WORKFLOW_NOT_FOUND. */
  async get(actor: Actor, name: string, version?: number): Promise<StoredDefinition> {
    requireRole(actor, 'viewer');
    const stored = await this.deps.definitions.get(actor.organizationId, name, version);
    if (stored) return stored;
    const which = version === undefined ? `"${name}"` : `"${name}" in version ${version}`;
    throw new AppError('WORKFLOW_NOT_FOUND', `There is no workflow ${which}.`, { path: '/workflow' });
  }

  async validate(
    actor: Actor,
    candidate: unknown,
  ): Promise<ValidationResult & { definition?: WorkflowDefinition }> {
    requireRole(actor, 'viewer');
    const knowledge = await this.deps.knowledge(actor.organizationId, serversOf(candidate ?? {}));
    const { definition, problems } = validateDefinition(candidate, knowledge);
    const valid = definition !== undefined && !problems.some((problem) => problem.severity === 'error');
    return { valid, problems, ...(definition ? { definition } : {}) };
  }

  /** Adds a version. Throws INVALID_DEFINITION with every problem when it is not valid. */
  async publish(actor: Actor, candidate: unknown): Promise<StoredDefinition> {
    requireRole(actor, 'operator');
    const { valid, problems, definition } = await this.validate(actor, candidate);
    if (!valid || !definition) {
      const first = problems.find((problem) => problem.severity === 'error');
      throw new AppError('INVALID_DEFINITION', first?.message ?? 'The definition is not valid.', {
        path: first?.pointer ?? '/',
        details: problems,
      });
    }
    compile(definition);
    return this.deps.definitions.put(actor, definition, definitionHash(definition));
  }
}
