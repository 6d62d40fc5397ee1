import { createHash } from 'node:crypto';
import { compile } from '@/lib/engine/compile';
import { sensitivePaths } from '@/lib/engine/sensitivity';
import { type Knowledge, validateDefinition } from '@/lib/engine/validate';
import type { Actor } from '@/lib/protocol/actor';
import type { ValidationResult, WorkflowSummary } from '@/lib/protocol/api';
import type { WorkflowPlan } from '@/lib/protocol/api-workflows';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import { canonicalJson } from '@/lib/shared/json';
import type { DefinitionStore, StoredDefinition, VersionQueries } from '@/server/ports/definition-store';
import type { AccessService } from '@/server/services/access-service';
import { planSteps } from '@/server/services/workflow-plan';

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
      const { kind, server, compensate } = value as {
        kind?: unknown;
        server?: unknown;
        compensate?: unknown;
      };
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
  definitions: DefinitionStore & VersionQueries;
  /** What is known of servers and their tools, for validation; connects to the servers that are named. */
  knowledge: (organizationId: string, servers: readonly string[]) => Promise<Knowledge | undefined>;
  /** State of every configured server, by name. */
  serverStates: (organizationId: string) => Promise<ReadonlyMap<string, string>>;
  access: Pick<AccessService, 'refuseRestricted'>;
}

/** Which version a writer has seen: that one, none at all (0), or it does not matter (undefined). */
export type SeenVersion = number | undefined;

/** Use cases around definitions. */
export class WorkflowService {
  constructor(private readonly deps: WorkflowServiceDeps) {}

  async list(actor: Actor): Promise<WorkflowSummary[]> {
    requirePermission(actor, 'workflows:read');
    return (await this.deps.definitions.list(actor.organizationId)).map(toWorkflowSummary);
  }

  /** Throws WORKFLOW_NOT_FOUND. */
  async get(actor: Actor, name: string, version?: number): Promise<StoredDefinition> {
    const stored = await this.find(actor, name, version);
    if (stored) return stored;
    const which = version === undefined ? `"${name}"` : `"${name}" in version ${version}`;
    throw new AppError('WORKFLOW_NOT_FOUND', `There is no workflow ${which}.`, { path: '/workflow' });
  }

  /** The same, but null when there is none. */
  async find(actor: Actor, name: string, version?: number): Promise<StoredDefinition | null> {
    requirePermission(actor, 'workflows:read');
    return this.deps.definitions.get(actor.organizationId, name, version);
  }

  /** Versions, newest first; `before` is the number that the page before ended with. Throws WORKFLOW_NOT_FOUND. */
  async versions(actor: Actor, name: string, limit: number, before: number | null) {
    await this.get(actor, name);
    const rows = await this.deps.definitions.versions(actor.organizationId, name, limit, before);
    const items = rows.map(({ createdAt, ...row }) => ({ ...row, createdAt: createdAt.toISOString() }));
    return { items, nextCursor: items.length === limit ? String(items.at(-1)?.version) : null };
  }

  async validate(
    actor: Actor,
    candidate: unknown,
  ): Promise<ValidationResult & { definition?: WorkflowDefinition }> {
    const { knowledge: _knowledge, ...result } = await this.checked(actor, candidate);
    return result;
  }

  private async checked(actor: Actor, candidate: unknown) {
    requirePermission(actor, 'workflows:read');
    const knowledge = await this.deps.knowledge(actor.organizationId, serversOf(candidate ?? {}));
    const { definition, problems } = validateDefinition(candidate, knowledge);
    const valid = definition !== undefined && !problems.some((problem) => problem.severity === 'error');
    return { valid, problems, knowledge, ...(definition ? { definition } : {}) };
  }

  /**
   * Adds a version. Throws INVALID_DEFINITION with every problem when it is not valid, VERSION_CONFLICT when somebody else
   * has published since `seen`, INVALID_INPUT when its name is not `name`, WORKFLOW_NOT_FOUND or FORBIDDEN when it calls a
   * restricted workflow that the actor does not reach or may not start.
   */
  async publish(
    actor: Actor,
    candidate: unknown,
    seen?: SeenVersion,
    name?: string,
  ): Promise<StoredDefinition> {
    requirePermission(actor, 'workflows:write');
    const { valid, problems, definition, knowledge } = await this.checked(actor, candidate);
    if (!valid || !definition) {
      const first = problems.find((problem) => problem.severity === 'error');
      throw new AppError('INVALID_DEFINITION', first?.message ?? 'The definition is not valid.', {
        path: first?.pointer ?? '/',
        details: problems,
      });
    }
    if (name !== undefined && definition.name !== name) {
      const message = `The definition is called "${definition.name}", the address "${name}".`;
      throw new AppError('INVALID_INPUT', message, { path: '/name' });
    }
    compile(definition);
    // Else a workflow of one's own would be a way around the restriction of another.
    for (const called of calledBy(definition))
      await this.deps.access.refuseRestricted(actor, 'workflows:execute', { kind: 'workflow', id: called });
    const sensitive = await this.sensitive(actor, definition, knowledge);
    return this.deps.definitions.put(actor, definition, definitionHash(definition), seen, sensitive);
  }

  /** What is masked in the runs of a definition, as far as its tools and children are known now. */
  private async sensitive(actor: Actor, definition: WorkflowDefinition, knowledge: Knowledge | undefined) {
    const children = new Map<string, WorkflowDefinition>();
    for (const { node } of compile(definition).nodes.values()) {
      if (node.kind !== 'subworkflow') continue;
      const child = await this.find(actor, node.workflow, node.version);
      if (child !== null) children.set(`${node.workflow}@${node.version}`, child.definition);
    }
    return sensitivePaths(definition, knowledge, (name, version) => children.get(`${name}@${version}`));
  }

  /** What a run of a stored workflow would do, without doing it. Throws WORKFLOW_NOT_FOUND. */
  async plan(actor: Actor, name: string, version?: number): Promise<WorkflowPlan> {
    const stored = await this.get(actor, name, version);
    const { definition } = stored;
    const needed = serversOf(definition);
    const [knowledge, states] = await Promise.all([
      this.deps.knowledge(actor.organizationId, needed),
      this.deps.serverStates(actor.organizationId),
    ]);
    const { problems } = validateDefinition(definition, knowledge);
    const steps = planSteps(compile(definition), (server, tool) => safetyOf(knowledge, server, tool));
    const subworkflows = await this.subworkflows(actor, definition);
    const servers = needed.map((server) => ({
      name: server,
      configured: states.has(server),
      status: states.get(server) ?? null,
      tools: [...new Set(steps.flatMap((step) => (step.server === server && step.tool ? [step.tool] : [])))],
    }));
    const runnable =
      servers.every((server) => server.configured) &&
      subworkflows.every((sub) => sub.found) &&
      !problems.some((problem) => problem.severity === 'error');
    const secrets = definition.secrets ?? [];
    return { name, version: stored.version, runnable, servers, subworkflows, secrets, steps, problems };
  }

  private async subworkflows(actor: Actor, definition: WorkflowDefinition) {
    return Promise.all(
      calledBy(definition).map(async (name) => ({ name, found: (await this.find(actor, name)) !== null })),
    );
  }
}

/** Names of the workflows that runs of a definition start, each once. */
function calledBy(definition: WorkflowDefinition): string[] {
  const names = new Set<string>();
  for (const { node } of compile(definition).nodes.values())
    if (node.kind === 'subworkflow') names.add(node.workflow);
  if (definition.failureWorkflow !== undefined) names.add(definition.failureWorkflow);
  return [...names];
}

function safetyOf(knowledge: Knowledge | undefined, server: string, tool: string) {
  const annotations = knowledge?.servers.get(server)?.get(tool)?.annotations;
  if (annotations === undefined) return null;
  if (annotations.readOnlyHint) return 'reads';
  if (annotations.idempotentHint) return 'repeatable';
  return annotations.destructiveHint ? 'destroys' : 'writes';
}
