import type { Actor } from '@/lib/protocol/actor';
import { requirePermission } from '@/lib/protocol/permissions';
import type { Operation } from '@/server/adapters/http/operation';
import type { AccessService, Target } from '@/server/services/access-service';

/** Where paths name one object, and the parameter that does. A run is reached as its workflow is. */
const PATHS = [
  { prefix: '/api/v1/workflows/{name}', kind: 'workflow', param: 'name' },
  { prefix: '/api/v1/runs/{runId}', kind: 'run', param: 'runId' },
  { prefix: '/api/v1/views/{viewId}', kind: 'view', param: 'viewId' },
] as const;

export interface GateDeps {
  access: Pick<AccessService, 'of' | 'acting'>;
  /** Runs work that sees none of these workflows. */
  withHidden: <T>(workflows: readonly string[], work: () => T) => T;
}

/** A request as far as the gate looks at it. */
interface Asked {
  operation: Operation;
  params: Record<string, string>;
  /** Reads and checks the body, once. */
  body: () => Promise<unknown>;
}

/** Lets an actor through to an operation: as what it is for the object that is asked for, seeing what it may see. */
export type Gate = <T>(actor: Actor, asked: Asked, work: (actor: Actor) => Promise<T>) => Promise<T>;

/** Roles alone: nothing is shared. */
export const openGate: Gate = (actor, { operation }, work) => {
  requirePermission(actor, operation.permission);
  return work(actor);
};

/** The gate before every operation of the REST API. */
export function createGate({ access, withHidden }: GateDeps): Gate {
  return async (actor, asked, work) => {
    const { permission } = asked.operation;
    const seen = await access.of(actor);
    const target = await targetOf(asked, seen === null);
    if (target === null) requirePermission(actor, permission);
    const acting = target === null ? actor : await access.acting(actor, seen, target, permission);
    return seen === null ? work(acting) : withHidden(seen.hidden('workflow'), () => work(acting));
  };
}

async function targetOf({ operation, params, body }: Asked, byRoleAlone: boolean): Promise<Target | null> {
  if (operation.target !== undefined) {
    // The body of a request that nothing but a role decides is not read before the role was asked.
    return byRoleAlone ? null : operation.target((await body()) as never);
  }
  const place = PATHS.find(
    ({ prefix }) => operation.path === prefix || operation.path.startsWith(`${prefix}/`),
  );
  return place === undefined ? null : { kind: place.kind, id: params[place.param] ?? '' };
}
