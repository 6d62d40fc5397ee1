import type { Operation } from '@/server/adapters/http/operation';
import { aboutOperations } from '@/server/adapters/http/operations/about';
import { type EventOperationDeps, eventOperations } from '@/server/adapters/http/operations/events';
import { type RunCommandDeps, runCommandOperations } from '@/server/adapters/http/operations/run-commands';
import { runReadOperations } from '@/server/adapters/http/operations/run-reads';
import { type RunOperationDeps, runOperations } from '@/server/adapters/http/operations/runs';
import { serverOperations } from '@/server/adapters/http/operations/servers';
import { taskOperations } from '@/server/adapters/http/operations/tasks';
import { workflowOperations } from '@/server/adapters/http/operations/workflows';
import type { TaskPresenter } from '@/server/presenters/task-presenter';
import type { ServerService } from '@/server/services/server-service';
import type { WorkflowService } from '@/server/services/workflow-service';

export interface OperationDeps extends RunOperationDeps, RunCommandDeps, EventOperationDeps {
  workflows: WorkflowService;
  servers: ServerService;
  tasks: TaskPresenter;
  /** Operations that are made elsewhere. */
  more?: readonly Operation[];
  /** Of the program, for the OpenAPI document. */
  version: string;
}

/** Every operation of the REST API. */
export function createOperations(deps: OperationDeps): Operation[] {
  const operations = [
    ...workflowOperations(deps),
    ...runOperations(deps),
    ...runReadOperations(deps),
    ...runCommandOperations(deps),
    ...taskOperations(deps),
    ...serverOperations(deps),
    ...eventOperations(deps),
    ...(deps.more ?? []),
  ];
  operations.push(...aboutOperations(() => operations, deps.version));
  return operations;
}
